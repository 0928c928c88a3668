#!/bin/bash
# The keeper: process 1 of a lab's parent namespaces (network, PID, mount). Every host's processes live in PID
# namespaces below this one, so that ending the keeper, however it ends, ends the whole lab: the kernel kills what
# is below, and the bridges, routes and mounts go with their namespaces. It does nothing but reap.
#
# It reads its standard input, which the starter holds open: until the word `stay` has come the lab is tied to its
# starter and ends with it. So a starter that crashes half way (or a test run that is killed) leaves nothing behind.
set -u

sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.all.disable_ipv6=1 net.ipv6.conf.default.disable_ipv6=1 2>/dev/null
ip link set lo up
# One router for all three networks; what is addressed to a host that is down vanishes, as it does in a cloud:
# a router that answered "unreachable" would make a power loss look like a refused connection.
for net in 172.20 172.21 172.22; do
  ip addr add "$net.1.1/32" dev lo
  ip route add blackhole "$net.0.0/16" metric 9999
done
nft -f - <<'NFT'
table inet lab {
  set cut { type ipv4_addr . ipv4_addr; }
  chain forward {
    type filter hook forward priority 0; policy accept;
    ip saddr . ip daddr @cut counter drop
  }
}
NFT
[ $? -eq 0 ] || exit 1
echo ready

stay=no
while read -r word; do
  if [ "$word" = stay ]; then stay=yes; break; fi
done
[ "$stay" = yes ] || exit 1
exec <&- >/dev/null 2>&1
while :; do
  sleep 3600 &
  wait $!
done
