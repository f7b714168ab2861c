#!/bin/sh
# Runs a command in a network of its own, for `unshare -n -m`: with loopback alone, 127.0.0.1 (name-server.ts) as its name
# server, one address of a metadata service, and addresses that are unreachable (198.51.100.0/24) and prohibited (203.0.113.0/24). It ends with the command.
set -e
resolver=$(mktemp)
printf 'nameserver 127.0.0.1\noptions timeout:1 attempts:1\n' >"$resolver"
ip link set lo up
ip address add 169.254.169.254/32 dev lo
mount --bind "$resolver" /etc/resolv.conf
rm "$resolver"
ip route add unreachable 198.51.100.0/24
ip route add prohibit 203.0.113.0/24
exec "$@"
