#!/bin/bash
# Boots a lab host: runs as process 1 of fresh network, PID, mount, IPC and host name namespaces, builds the host's own
# root directory in its private mount table, leaves the machine's behind (pivot_root) and becomes init.sh.
# Usage: boot.sh HOST ADDRESS GATEWAY DISK [FROM=TO=ro|rw]...
#   DISK     the host's disk: etc var srv root, kept over a power loss
#   FROM=TO  a directory of the machine that the host shall see at TO
# It waits for the interface eth0 to appear: the starter plugs the cable in meanwhile.
set -eu
host=$1 address=$2 gateway=$3 disk=$4
shift 4
scripts=$(dirname "$0")

hostname "$host"
root=$disk/mount
mkdir -p "$root"
mount -t tmpfs -o mode=755,size=16m lab-root "$root"
cd "$root"
mkdir -p usr etc var srv root opt tmp home media mnt proc sys dev run old lab

# Programs come from the machine, read-only; everything that a host may write to is its own.
for entry in bin sbin lib lib32 lib64 libx32; do
  if [ -L "/$entry" ]; then
    cp -P "/$entry" "$entry"
  elif [ -d "/$entry" ]; then
    mkdir "$entry"
    mount --bind "/$entry" "$entry"
    mount -o remount,bind,ro "$entry"
  fi
done
mount --bind /usr usr
mount -o remount,bind,ro usr
for entry in etc var srv root; do mount --bind "$disk/$entry" "$entry"; done
mount --bind /etc/alternatives etc/alternatives
mount -o remount,bind,ro etc/alternatives
mount --bind "$scripts" lab
mount -o remount,bind,ro lab

mount -t proc proc proc
mount -t sysfs -o ro sysfs sys
mount -t tmpfs -o mode=755,size=64k lab-dev dev
mknod -m 666 dev/null c 1 3
mknod -m 666 dev/zero c 1 5
mknod -m 666 dev/full c 1 7
mknod -m 666 dev/random c 1 8
mknod -m 666 dev/urandom c 1 9
mknod -m 666 dev/tty c 5 0
mkdir dev/shm dev/pts
mount -t tmpfs -o mode=1777 lab-shm dev/shm
mount -t devpts -o newinstance,ptmxmode=0666,mode=620 lab-pts dev/pts
ln -s pts/ptmx dev/ptmx
ln -s /proc/self/fd dev/fd
ln -s /proc/self/fd/0 dev/stdin
ln -s /proc/self/fd/1 dev/stdout
ln -s /proc/self/fd/2 dev/stderr
# Memory-backed, so that a boot clears them (the fuse's deadline file counts on that).
mount -t tmpfs -o mode=755,size=64m lab-run run
mount -t tmpfs -o mode=1777,size=256m lab-tmp tmp
mkdir -p run/lab run/lock run/sshd run/haproxy run/birthday
# systemd's RuntimeDirectory= of the units: guard and fuse are postgres, the others root.
case $host in
  *-db) install -d -o postgres -g postgres -m 755 run/siteward ;;
  *) install -d -m 755 run/siteward ;;
esac

for bind in "$@"; do
  IFS='=' read -r from to mode <<<"$bind"
  mkdir -p ".$to"
  mount --bind "$from" ".$to"
  if [ "$mode" = ro ]; then mount -o remount,bind,ro ".$to"; fi
done
# The socket's directory outlives the host, unlike a real /run: what a boot would have cleared.
rm -f run/postgresql/.s.PGSQL.* 2>/dev/null || true

pivot_root . old
umount -l /old
rmdir /old

until [ -e /sys/class/net/eth0 ]; do sleep 0.01; done
sysctl -qw net.ipv6.conf.all.disable_ipv6=1 net.ipv6.conf.default.disable_ipv6=1 2>/dev/null || true
ip link set lo up
ip addr add "$address/32" dev eth0
ip link set eth0 up
ip route add default via "$gateway" dev eth0 onlink

cd /
exec env -i PATH=/opt/siteward/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin \
  HOME=/root LANG=C.UTF-8 HOSTNAME="$host" bash /lab/init.sh "$host" </dev/null >>/var/log/lab/init.log 2>&1
