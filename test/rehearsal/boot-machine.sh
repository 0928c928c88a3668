#!/bin/bash
# Boots one Debian machine of the rehearsal, below the keeper: its root is an overlay over the cached image, its systemd is
# process 1 of namespaces of its own, its network is one that was made before. Ends when the machine does.
#
#   boot-machine.sh NAME HOST IMAGE DIRECTORY NETWORK [FROM=TO]...
#     DIRECTORY   upper, work and root of the overlay
#     NETWORK     path of its network namespace
#     FROM=TO     a directory of this machine's that it sees at TO
set -eu
name=$1 host=$2 image=$3 directory=$4 network=$5
shift 5

# Six systemds in one control group would end each other's units: each gets a group of its own, in every hierarchy.
for hierarchy in /sys/fs/cgroup /sys/fs/cgroup/*; do
  [ -e "$hierarchy/cgroup.procs" ] || continue
  group=$hierarchy/siteward-$name/$host
  mkdir -p "$group"
  for each in "$hierarchy/siteward-$name" "$group"; do
    for part in cpus mems; do
      if [ -e "$each/cpuset.$part" ] && [ -z "$(cat "$each/cpuset.$part")" ]; then
        cat "$each/../cpuset.$part" >"$each/cpuset.$part" || true
      fi
    done
  done
  # As a group it would weigh as much as one process outside: six hosts and forty daemons would starve beside a compiler.
  for weight in cpu.shares:32768 cpu.weight:5000; do
    if [ -e "$group/../${weight%:*}" ]; then echo "${weight#*:}" >"$group/../${weight%:*}" || true; fi
  done
  echo 0 >"$group/cgroup.procs"
done

root=$directory/root
umount -l "$root" 2>/dev/null || true
mount -t overlay overlay -o "lowerdir=$image,upperdir=$directory/upper,workdir=$directory/work" "$root"

binds=()
for bind in "$@"; do binds+=("--bind=${bind%%=*}:${bind#*=}"); done

# Never this machine's clock. The rest is what the Docker engine of an application host needs.
exec systemd-nspawn -q -D "$root" -M "siteward-$name-$host" --hostname="$host" -b --register=no --keep-unit \
  --network-namespace-path="$network" --resolv-conf=off --timezone=off --link-journal=no \
  --capability=all --drop-capability=CAP_SYS_TIME,CAP_SYS_MODULE,CAP_SYS_RAWIO \
  --system-call-filter='add_key keyctl bpf' --console=pipe "${binds[@]}" </dev/null >"$directory/console.log" 2>&1
