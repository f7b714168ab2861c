#!/bin/sh
# Outlives dev/up by a moment: when its standard input ends because dev/up was killed, it kills the process groups
# that it read there, one number per line, and removes the folder in $1.
trap '' INT TERM HUP
groups=
while read -r group; do
  groups="$groups $group"
done
for group in $groups; do
  kill -s KILL -- "-$group" 2>/dev/null # dash knows no other spelling
done
rm -rf "$1"
