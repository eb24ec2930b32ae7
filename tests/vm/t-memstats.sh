#!/bin/sh
# memstats: memory of known amount on real kernels, to the page

. "$(dirname "$0")/lib.sh"

set --
for p in memstats-make memstats-ref memstats-segment; do
	set -- "$@" -f "$("$VM/cc" "$VM/$p.c")"
done
for k in ${VM_KERNELS:-6.1 6.12}; do
	vm $k -m 1024 -D 256 -t 300 "$@" "$VM/memstats-guest.sh"
done
