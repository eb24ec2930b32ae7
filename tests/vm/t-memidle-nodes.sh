#!/bin/sh
# memidle: a machine of two nodes. NUMA balancing takes accessed bits away, and
# memory that goes away in the middle of a sample takes no page's state along.

. "$(dirname "$0")/lib.sh"

cat >"$OUT/guest" <<'EOF2'
. ./memidle-guest.sh
F="-f -b page_idle"
hints() { sed -n 's/^numa_pte_updates //p' /proc/vmstat; }

# on_node_0 OPTION...: a victim whose memory is on node 0 and that runs on 1
on_node_0()
{
	n=$((n + 1))
	taskset 1 ./memidle-victim "$@" /tmp/ready.$n &
	P=$!
	while [ ! -e /tmp/ready.$n ]; do sleep 0.05; done
	taskset -p 2 $P >/dev/null
}

check nodes: test -d /sys/devices/system/node/node1
echo 0 >/proc/sys/kernel/numa_balancing
on_node_0 -m 64
check on-node-0: grep -q ' anon=16384 .*N0=16384' /proc/$P/numa_maps
json=$(memidle -q --json $F --filter "$big" $P 1)
set -- $(totals "$json")
check not-balanced: test "$1 $3" = "16384 8192"
untainted() { echo "$json" | grep -q '"tainted":false'; }
check not-tainted: untainted

# now the kernel looks who uses what from where, by making pages inaccessible
S=/sys/kernel/debug/sched/numa_balancing
echo 100 >$S/scan_delay_ms
echo 100 >$S/scan_period_min_ms
echo 200 >$S/scan_period_max_ms
before=$(hints)
memidle -q --json $F --filter "$big" -s 500ms -n 60 $P >/tmp/o &
M=$!
while [ "$(wc -l </tmp/o)" -lt 1 ]; do sleep 0.05; done
echo 1 >/proc/sys/kernel/numa_balancing
while kill -0 $M 2>/dev/null && [ "$(hints)" = "$before" ]; do sleep 0.1; done
check balanced: test "$(hints)" -gt "$before"
# the sample in which that was, or the next when it fell between them
had=$(wc -l </tmp/o)
while kill -0 $M 2>/dev/null && [ "$(wc -l </tmp/o)" -lt $((had + 2)) ]; do
	sleep 0.1
done
kill $M
wait $M
json=$(cat /tmp/o)
check numa_balancing-taints: tainted numa_balancing
echo 0 >/proc/sys/kernel/numa_balancing
end

# Every block of memory that can go goes, one after the other, while a sample
# is taken: single pages and huge ones move, and keep their state.
blocks()
{
	for b in /sys/devices/system/memory/memory*; do
		if [ "$(cat $b/state)" = online ]; then
			echo offline 2>/dev/null >$b/state || continue
			went=$((went + 1))
			[ "$1" ] || echo online_movable >$b/state
		fi
	done
}
echo madvise >/sys/kernel/mm/transparent_hugepage/enabled
for how in "" "-H -e"; do
	victim -m 64 $how
	frames=$(./memidle-flags $P -f)
	memidle --json $F --filter "$big" $P 4 >/tmp/o 2>/tmp/e &
	marked
	went=0
	blocks
	others=$(./memidle-flags $P -f)
	wait $M
	check "unplugged$how-status": test $? = 0
	check "unplugged$how-went": test $went -ge 1 -a "$frames" != "$others"
	set -- $(totals "$(cat /tmp/o)")
	if [ "${1:-0}" = 16384 ] && [ $(($2 + $3 + $4 + $5)) = 16384 ] &&
	   [ "$2" -ge 8110 ] && [ "$2" -le 8274 ]; then
		ok "unplugged$how:" "$went blocks went; $*"
	else
		notok "unplugged$how:" "$went blocks went; $*"
		sed 's/^/# /' /tmp/e
	fi
	end
done

# and away for good: the machine's frames are those that are left
memidle -q --json $F -s 500ms -n 3 --system >/tmp/o 2>/tmp/e &
M=$!
went=0
blocks for-good
wait $M
check system-status: test $? = 0
lost=$(grep -c '^{"sample"' /tmp/o)
check system-samples: test "$lost" = 3 -a $went -ge 1
set -- $(totals "$(tail -n 1 /tmp/o)")
check system-sum: test "$1" -gt 0 -a "$1" = $(($2 + $3 + $4 + $5))
EOF2

# kernelcore: what the kernel keeps for itself; the rest can go
vm test -t 120 -m 1024 -a kernelcore=448M \
	-q '-object memory-backend-ram,id=m0,size=512M
	-object memory-backend-ram,id=m1,size=512M
	-numa node,nodeid=0,memdev=m0,cpus=0
	-numa node,nodeid=1,memdev=m1,cpus=1' \
	-f "$VM/memidle-guest.sh" \
	-f "$("$VM/cc" "$VM/memidle-victim.c")" \
	-f "$("$VM/cc" "$VM/memidle-flags.c")" "$OUT/guest"
