#!/bin/sh
# memstats against the bare reads of the same page tables, in the same run.
# CPU seconds (user and system) are what is compared: walls are shared.
cd "$(dirname "$0")/../.." || exit 1
MEMBOX=${MEMBOX:-$PWD/membox}
BENCH_RUNS=${BENCH_RUNS:-5}
[ "$(id -u)" = 0 ] || { echo "not root: page numbers are not shown"; exit 0; }
work=$(mktemp -d) || exit 1
. tests/bench/load
for p in memstats-load memstats-time; do
	gcc -O2 -o "$work/$p" "tests/bench/$p.c" || exit 1
done
timed() { "$work/memstats-time" "$MEMBOX" memstats "$@"; }

# compare TEXT TARGET OPTION...: each run beside a bare read of its own, as the
# machine may be slower a minute later
compare() {
	_text=$1 _target=$2; shift 2
	_i=0
	while [ $((_i += 1)) -le "$BENCH_RUNS" ]; do
		echo "$("$work/memstats-load" floor) $(timed "$@")"
	done >"$work/runs"
	of() { awk "{ print $1 }" "$work/runs" | sort -n |
		awk '{ v[NR] = $1 } END { print v[int((NR + 1) / 2)] }'; }
	awk -v t="$_text" -v f="$(of '$1')" -v c="$(of '$3')" \
		-v x="$(of '$3 / $1')" -v r="$(of '$5')" \
		-v target="$_target" 'BEGIN {
		printf "%-34s %.3f s, bare reads %.3f s: %.2f x; %.1f MiB (%s)\n",
			t, c, f, x, r / 1024, target }'
}

echo "$(ls -d /proc/[0-9]* | wc -l) processes before"
compare "idle" "target 0.05 s, 12 MiB"
free_mib=$(awk '/^MemAvailable/ { print int($2 / 1024) }' /proc/meminfo)
if [ "$free_mib" -gt 6000 ]; then
	begin fork 200 1024 10
	compare "fork: 200 x (1 GiB shared + 10 MiB)" "target 1.25 x, 16 MiB"
	compare "  groups -u" "target 1.25 x, 16 MiB" groups -u
	end
else
	begin fork 50 128 5
	compare "fork: 50 x (128 MiB shared + 5 MiB)" "target 1.25 x, 16 MiB"
	end
fi
begin maps 300 100
compare "maps: 300 x about 220 mappings" "target 0.12 s or 1.5 x"
compare "  groups --split-comm" "target 0.12 s or 1.5 x" groups --split-comm
end
least() {
	_i=0
	while [ $((_i += 1)) -le $((BENCH_RUNS * 4)) ]; do "$@"; done |
		awk '!m || $1 < m { m = $1 } END { print m }'
}
begin sparse 446
sparse=$(least timed)
bare=$(least "$work/memstats-load" bare "$load")
"$MEMBOX" memstats -f "pid($load)" --format csv 2>/dev/null | tr -d '\r' |
	awk -F, 'NR == 2 { print "sparse: rss " $7 / 4096 " pages" }'
end
without=$(least timed)
awk -v s="$sparse" -v w="$without" -v b="$bare" 'BEGIN {
	printf "sparse: 1 TiB, 446 pages there: %+.1f ms, " \
		"the bare PAGEMAP_SCAN %.1f ms (target 5 ms)\n",
		(s - w) * 1000, b * 1000 }'
