#!/bin/sh
# memidle: page by page, on the kernel that has everything

. "$(dirname "$0")/lib.sh"

cat >"$OUT/guest" <<'EOF2'
. ./memidle-guest.sh
any
check probe-status: test "$(cat /out/probe.status)" = 0
check page_idle: grep -q '^page_idle  yes *page-exact; MGLRU is on' /out/probe
with_damon
F="-f -b page_idle"
T=/sys/kernel/mm/transparent_hugepage

# nothing of a neighbour is marked but the program's text: the two take their
# memory at the same time, so it lies mixed
victim -m 64 -k 0 &
victim -m 64
V=$(pidof memidle-victim | tr ' ' '\n' | grep -v "^$P$")
measured half "16384 8192 8192 0" $F --filter "$big" $P 1
same_flags() { set -- $(./memidle-flags $V); [ "$1" -lt 16 ] && [ "$2" -gt 16384 ]; }
check exact-masks: same_flags
measured all "32768 8192 24576 0" $F --filter 'longer(16M)' $P,$V 1
kill -9 $V
victim_written=$(memidle -q --json $F --filter "$big" $P 1 | sed -n 's/^{.*"written":\([0-9]*\)},"vmas.*/\1/p')
check written: test "${victim_written:-0}" -ge 8110 -a "${victim_written:-0}" -le 8274
end
victim -m 64 -r
victim_written=$(memidle -q --json $F --filter "$big" $P 1 | sed -n 's/^{.*"active":8[01][0-9][0-9],.*"written":\([0-9]*\)},"vmas.*/\1/p')
check only-read: test "$victim_written" = 0
end

# a hot loop without a pause: its translations stay in the TLB
victim -m 64 -k 4096 -i 0
for i in 1 2 3 4; do
	measured hot-flushed-$i "16384 1024 15360 0" $F --filter "$big" $P 300ms
done
memidle --no-flush --filter "$big" $P 300ms >/tmp/o 2>&1
check hot-not-flushed-says-so: grep -q 'TLB: not flushed' /tmp/o
end

# the per-page way finds the same
victim -m 64
set -- $(./memidle-wss $P 500 ./memidle --json $F --filter "$big" $P 500ms 2>/tmp/o)
json=$(cat /tmp/o)
wss="$1 $2"
took="$3 and $4 us of CPU: $(($3 / ($4 + 1))) times"
set -- $wss $(totals "$json")
same_as_wss() { [ "$1" = "$3" ] && [ $(($2 - $4)) -lt 100 ] && [ $(($4 - $2)) -lt 100 ]; }
if same_as_wss "$@"; then
	ok per-page: "$1 pages, $2 and $4 active; $took"
else
	notok per-page: "$1 pages and $3, $2 and $4 active; $took"
fi
# who sums up Referenced beside us sees the same
memidle -q --json -b clear_refs -f --filter "$big" $P 2 >/tmp/o &
M=$!
sleep 0.5
measured beside-clear_refs "16384 8192 8192 0" $F --filter "$big" $P 500ms
wait $M
set -- $(totals "$(cat /tmp/o)")
check clear_refs-beside: test "$1" = 16384 -a "$2" -ge 8110 -a "$2" -le 8274
end

# huge pages: a byte in every second; 64 KiB folios: a byte in one of 64
echo madvise >$T/enabled
victim -m 64 -H -e
check is-huge: grep -q 'AnonHugePages: *65536 kB' /proc/$P/smaps
measured thp "16384 8192 8192 0" $F --filter "$big" $P 1
end
# a byte touched in one that is mapped page by page is all of it, too
victim -m 64 -H -e -M
check is-split: grep -q 'AnonHugePages: *0 kB' /proc/$P/smaps_rollup
measured thp-split "16384 8192 8192 0" $F --filter 'anon and longer(1M)' $P 1
end
echo never >$T/hugepages-2048kB/enabled
echo madvise >$T/hugepages-64kB/enabled
victim -m 64 -H -e
measured mthp "16384 256 16128 0" $F --filter "$big" $P 1
end
echo inherit >$T/hugepages-2048kB/enabled

# huge pages made of small ones, the idle among them: all of them are new
victim -m 64 -C
memidle -q --json $F --filter "$big" $P 2 >/tmp/o &
marked
: >/tmp/ready.$n.go
wait $M
json=$(cat /tmp/o)
check thp_collapse-taints: tainted thp_collapse
end

# what cannot be tracked
victim -m 8
memidle -q --json -v $F --filter 'name(\[vdso\])' $P 300ms >/tmp/o
set -- $(totals "$(cat /tmp/o)")
check vdso: test "$1" -ge 1 -a "$1" = "$4"
end
echo 40 >/proc/sys/vm/nr_hugepages
victim -m 64 -g
measured hugetlb "16384 0 0 16384" $F --filter "$big" $P 1
end
echo 0 >/proc/sys/vm/nr_hugepages
victim -m 64 -z
measured zero-page "16384 0 0 16384" $F --filter "$big" $P 1
end
victim -m 64 -l
measured locked "16384 8192 8192 0" $F --filter "$big" $P 1
end

# files: mapped, and read(2) where the classic LRU notes it
victim -m 64 -f /tmp/file
measured tmpfs-mapped "16384 8192 8192 0" $F --filter "$big" $P 1
end
rm /tmp/file
mkdir /tmp/huge
mount -t tmpfs -o huge=always huge /tmp/huge
victim -m 64 -H -e -f /tmp/huge/file
measured tmpfs-huge "16384 8192 8192 0" $F --filter "$big" $P 1
end
umount /tmp/huge
echo 0 >/sys/kernel/mm/lru_gen/enabled
in_cgroup reader -m 64 -k 16384 -R -f /tmp/file
measured tmpfs-read "16384 4096 12288 0" -b page_idle --cgroup /sys/fs/cgroup/reader 1
echo 7 >/sys/kernel/mm/lru_gen/enabled
memidle --cgroup /sys/fs/cgroup/reader 100ms >/tmp/o 2>&1
check read-not-seen-is-said: grep -q 'read(2) and write(2) of page cache are not seen' /tmp/o
end
rm /tmp/file
echo 0 >/sys/kernel/mm/lru_gen/enabled
in_cgroup writer -m 64 -k 16384 -W -f /tmp/file
measured tmpfs-written "16384 4096 12288 0" -b page_idle --cgroup /sys/fs/cgroup/writer 1
echo 7 >/sys/kernel/mm/lru_gen/enabled
end
rm /tmp/file

# pages that the kernel has merged: the hot part's, and the others
echo 0 >/sys/kernel/mm/ksm/sleep_millisecs
echo 20000 >/sys/kernel/mm/ksm/pages_to_scan
echo 1 >/sys/kernel/mm/ksm/run
victim -m 64 -r -K
for i in $(seq 100); do
	[ "$(cat /sys/kernel/mm/ksm/pages_sharing)" -lt 16300 ] || break
	sleep 0.1
done
echo 0 >/sys/kernel/mm/ksm/run
check is-merged: test "$(cat /sys/kernel/mm/ksm/pages_sharing)" -ge 16300
lim=4 maps=256 # max_page_sharing; one such frame is 1.6 %
measured ksm "16384 8192 8192 0" -b page_idle -f --filter "$big" $P 1
lim=1 maps=1
end

# cgroup and machine by page frames; the last word of the bitmap is not whole
in_cgroup c/d -m 64
measured cgroup "16384 8192 8192 0" $F --cgroup /sys/fs/cgroup/c 1
json=$(memidle -q --json $F --system 1)
set -- $(totals "$json")
check system-frames: test "${1:-0}" -gt 16384 -a "${2:-0}" -ge 8192 -a "${3:-0}" -ge 8192
check system-sum: test "$1" = $(($2 + $3 + $4 + $5))
end

# others who clear accessed bits
victim -m 64
age()
{
	awk '$1 == "memcg" { m = $2 } $1 == "node" { n = $2 }
		$1 ~ /^[0-9]/ { g = $1; last[m " " n] = g }
		END { for (k in last) print "+ " k " " last[k] " 1 1" }' \
		/sys/kernel/debug/lru_gen | while read -r l; do
		echo "$l" >/sys/kernel/debug/lru_gen
	done
}
json=$(memidle -q --json $F --filter "$big" $P 1)
untainted() { echo "$json" | grep -q '"tainted":false'; }
check not-tainted: untainted
(sleep 0.5; age) &
json=$(memidle -q --json $F --filter "$big" $P 1)
check lru_gen-taints: tainted lru_gen
end
victim -m 64 -i 400
(
	sleep 1.5
	kill -STOP $P
	while [ "$(state)" != T ]; do sleep 0.05; done
	echo 1 >/proc/$P/clear_refs
) &
json=$(memidle -q --json $F $P 2)
check clear_refs-taints: tainted 'clear_refs?'
kill -CONT $P
end

# swapped out, and in again
echo 128M >/sys/block/zram0/disksize
mkswap /dev/zram0 >/dev/null
swapon /dev/zram0
victim -m 64 -q
json=$(memidle -q --json $F --filter "$big" $P 1)
set -- $(totals "$json")
check swap: test "$1" -ge 8192 -a "$1" -le 8500 -a "$2" -ge 8110 -a "$2" -le 8300 -a $(($1 + $6)) = 16384
end

# reclaim clears the bits around what it looks at, without a generation more
in_cgroup reclaimed -m 64
(sleep 0.5; echo 4M >/sys/fs/cgroup/reclaimed/memory.reclaim) 2>/dev/null &
json=$(memidle -q --json $F --filter "$big" $P 1)
check reclaim-taints: tainted lru_gen
end
victim -m 64 -q -G
memidle -q --json $F --filter "$big" $P 2 >/tmp/o &
marked
: >/tmp/ready.$n.go
wait $M
set -- $(totals "$(cat /tmp/o)")
check swapped-in: test "$1" = 16384 -a "$2" -ge 16220 -a "$6" = 0
end

# a child shares what neither has written since the fork
victim -m 64 -c 1
measured fork "24576 16384 8192 0" $F --filter "$big" --tree $P 1
end

# two arrays in known phases: A, B, both, none, half of A; 4 samples each
./memidle-double /tmp/double 2000 & P=$!
while [ ! -e /tmp/double ]; do sleep 0.1; done
memidle --json -m uptime $F --filter 'longer(8M)' -s 500ms -n 20 \
	--png /out/double.png $P >/out/double 2>/tmp/said &
M=$!
while ! grep -q ' pages: ' /tmp/said; do sleep 0.02; done
: >/tmp/double.go
wait $M
cp /tmp/double.phases /out
end

# one array: all, none, one half, the other, all
./memidle-double /tmp/single 2000 single & P=$!
while [ ! -e /tmp/single ]; do sleep 0.1; done
memidle --json -m uptime $F --filter 'longer(8M)' -s 500ms -n 20 $P \
	>/out/single 2>/tmp/said &
M=$!
while ! grep -q ' pages: ' /tmp/said; do sleep 0.02; done
: >/tmp/single.go
wait $M
cp /tmp/single.phases /out
end

# phases, as a picture and as a file; the file tells the same again
victim -m 64 -k 8192 -p 1000 -i 5
memidle -q $F --filter "$big" -s 500ms -n 16 --ages 0,1s,3s --reuse --heat \
	-a -m faults -o /out/phases.mit --png /out/phases.png $P >/out/live
memidle --read /out/phases.mit --ages 0,1s,3s --reuse --heat -a \
	--png /out/again.png >/out/read
check read-the-same: cmp /out/live /out/read
check read-the-same-picture: cmp /out/phases.png /out/again.png
su user -c 'cd /tmp; cat /out/phases.mit >/tmp/mine.mit' 2>/dev/null || {
	cp /out/phases.mit /tmp/mine.mit
	chown 1000 /tmp/mine.mit
}
su user -c '/host/memidle --read /tmp/mine.mit --json' >/tmp/o
check read-without-root: test "$(grep -c '^{"sample"' /tmp/o)" = 16
end
EOF2

vm test -t 300 -f "$VM/memidle-guest.sh" \
	-f "$("$VM/cc" "$VM/memidle-victim.c")" \
	-f "$("$VM/cc" "$VM/memidle-flags.c")" \
	-f "$("$VM/cc" "$VM/memidle-wss.c")" \
	-f "$("$VM/cc" "$VM/memidle-double.c")" "$OUT/guest"

# The picture: of the eighths of the addresses one or two neighbours are hot in
# each column, moving on with time, and each is hot for some time in 8 s. The
# samples' times are in $2: some may have been left out.
staircase()
{
	python3 "$VM/heat-png" "$1" | awk -v times="$(awk '
			/^ *[0-9]+\.[0-9]+ / && n++ < 16 { print $1 }' "$2")" '
		BEGIN { split(times, time) }
		{ for (c = 1; c <= NF; c++) cell[NR, c] = $c; n = NF }
		END {
			for (c = 1; c <= n; c++) {
				hot = 0
				for (e = 0; e < 8; e++) {
					sum = k = 0
					for (r = int(NR * e / 8) + 1; r <= int(NR * (e + 1) / 8); r++) {
						sum += cell[r, c]
						k++
					}
					if (sum / k < 128) continue
					hot++
					last[hot] = e
					seen[e] = 1
				}
				if (hot < 1 || hot > 2) bad = "column " c ": " hot " hot"
				if (hot == 2 && last[2] - last[1] != 1 && last[2] - last[1] != 7)
					bad = "column " c ": not neighbours"
				at = hot == 2 && last[2] - last[1] == 1 ? last[2] : last[1]
				if (c > 1 && (at - before + 8) % 8 > 2 + int(time[c] - time[c - 1])) bad = "column " c ": jumps"
				before = at
			}
			for (e in seen) all++
			if (all < 7) bad = "only " all " eighths"
			print n " columns, " NR " rows; " bad
			exit bad != "" || n != 16
		}'
}
# inside FILE: makes inside, "SAMPLE PHASE" of the samples that saw one phase alone, from the
# reading before, which takes its time, to their own
inside()
{
	sed -n 's/^{"sample".*"uptime":\([0-9.]*\).*/\1/p' "$1" >"$OUT/at"
	awk 'NR == FNR { from[NR] = $1; to[NR] = NF > 1 ? $2 : 1e9; n = NR; next }
		{
			for (p = 1; p <= n; p++)
				if (before >= from[p] + 0.15 && $1 + 0.02 <= to[p])
					print FNR, p
			before = $1
		}' "$1.phases" "$OUT/at" >"$OUT/inside"
}
# Rows of A are the upper half.
phases()
{
	inside "$1"
	python3 "$VM/heat-png" "$1.png" | awk '
		function mean(from, to, c, r, sum, k) {
			for (r = int(FNR * from) + 1; r <= int(FNR * to); r++) {
				sum += cell[r, c]
				k++
			}
			return (sum / k - 1) / 254
		}
		NR == FNR { phase[$1] = $2; next }
		{ for (c = 1; c <= NF; c++) cell[FNR, c] = $c; n = NF }
		END {
			split("1 0 1 0 0.5", a)
			split("0 1 1 0 0", b)
			for (c in phase) {
				p = phase[c]
				if (!seen[p]++) all++
				x = mean(0, 0.5, c)
				y = mean(0.5, 1, c)
				printf "phase %d: A %.2f B %.2f\n", p, x, y
				if (x - a[p] > 0.02 || a[p] - x > 0.02 ||
				    y - b[p] > 0.02 || b[p] - y > 0.02) bad = 1
			}
			exit bad || n != 20 || all != 5
		}' "$OUT/inside" -
}
single()
{
	inside "$1"
	sed -n 's/.*"denied":0,"pages":{"present":\([0-9]*\),"active":\([0-9]*\).*/\1 \2/p' \
		"$1" >"$OUT/samples"
	awk '
		NR == FNR { phase[$1] = $2; next }
		FNR in phase {
			p = phase[FNR]
			if (!seen[p]++) all++
			split("1 0 0.5 0.5 1", want)
			d = $2 - want[p] * 3907
			printf "phase %d: %d of %d\n", p, $2, $1
			if (d > 40 || d < -40 || $1 < 3906 || $1 > 3908) bad = 1
		}
		END { exit bad || FNR != 20 || all != 5 }' "$OUT/inside" "$OUT/samples"
}
[ ! -s "$OUT/test/out/single" ] ||
	check single: single "$OUT/test/out/single"
[ ! -e "$OUT/test/out/double.png" ] ||
	check double-picture: phases "$OUT/test/out/double"
[ ! -e "$OUT/test/out/phases.png" ] ||
	check picture: staircase "$OUT/test/out/phases.png" "$OUT/test/out/live"
