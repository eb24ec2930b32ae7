#!/bin/sh
# memmaps against the bare reads of the same files, in the same run: CPU
# seconds, user and system, the median of BENCH_RUNS.
cd "$(dirname "$0")/../.." || exit 1
MEMBOX=${MEMBOX:-$PWD/membox}
BENCH_RUNS=${BENCH_RUNS:-5}
[ "$(id -u)" = 0 ] || { echo "not root: page numbers are not shown"; exit 0; }
work=$(mktemp -d) || exit 1
. tests/bench/load
for p in memstats-load memstats-time memmaps-floor; do
	gcc -O2 -w -o "$work/$p" "tests/bench/$p.c" || exit 1
done

# compare TEXT TARGET "FLOOR COMMAND" COMMAND...: in turns, for what else the
# machine does comes and goes
compare() {
	_text=$1 _target=$2 _floor=$3; shift 3
	: >"$work/floor"; : >"$work/ours"
	_n=0
	while [ $((_n += 1)) -le "$BENCH_RUNS" ]; do
		# shellcheck disable=SC2086
		$_floor >>"$work/floor"
		"$work/memstats-time" "$@" >>"$work/ours"
	done
	awk -v t="$_text" -v f="$(middle 1 "$work/floor")" \
		-v c="$(middle 1 "$work/ours")" -v r="$(middle 3 "$work/ours")" \
		-v target="$_target" 'BEGIN {
		printf "%-34s %.3f s, bare reads %.3f s: %.2f x; %.1f MiB (%s)\n",
			t, c, f, c / f, r / 1024, target }'
}
middle() { # FIELD FILE
	awk -v f="$1" '{ print $f }' "$2" | sort -n |
		awk '{ v[NR] = $1 } END { print v[int((NR + 1) / 2)] }'
}
peer() { # TEXT COMMAND...
	_text=$1; shift
	[ -x "$MEMBOX_PEERS/$1" ] || return 0
	_cmd=$MEMBOX_PEERS/$1; shift
	"$work/memstats-time" "$_cmd" "$@" | awk -v t="$_text" '{
		printf "  %-32s %.3f s; %.1f MiB\n", t, $1, $3 / 1024 }'
}

begin maps 300 223
echo "$(cat /proc/[0-9]*/maps 2>/dev/null | wc -l) regions"
compare "--all --json" "target 1.5 x" "$work/memmaps-floor maps" \
	"$MEMBOX" memmaps --all --json
compare "--all --json --smaps" "target 0.30 s or 1.6 x, 2 MiB" \
	"$work/memmaps-floor smaps" "$MEMBOX" memmaps --all --json --smaps
peer "memc --all --smaps --compact" memc --all --smaps --compact
compare "--all (table)" "-" "$work/memmaps-floor smaps" \
	"$MEMBOX" memmaps --all
compare "--all --sort rss" "-" "$work/memmaps-floor smaps" \
	"$MEMBOX" memmaps --all --sort rss
end

free_mib=$(awk '/^MemAvailable/ { print int($2 / 1024) }' /proc/meminfo)
if [ "$free_mib" -lt 6000 ]; then
	echo "less than 6 GiB free: no fork load"
	exit
fi
begin fork 200 1024 10
compare "--png, fork load" "target 1.2 x, 32 MiB" \
	"$work/memstats-load floor" "$MEMBOX" memmaps --png /dev/null
peer "processes2png" processes2png
child=$(pgrep -P $load | head -n 1)
range=$(awk '{ split($1, a, "-") } /^[0-9a-f]+-[0-9a-f]+ rw-p 00000000 00:00/ {
	n = strtonum("0x" a[2]) - strtonum("0x" a[1])
	if (n > most) { most = n; r = a[1] " " a[2] } } END { print r }' \
	"/proc/$child/maps" 2>/dev/null)
[ -n "$range" ] || range=$("$MEMBOX" memmaps --sort rss "$child" |
	sed -n '2s/^\([0-9a-f]*\)-\([0-9a-f]*\) .*/\1 \2/p')
compare "--pages, $(awk '{ print $2 }' "/proc/$child/statm") pages" \
	"target 0.15 s for 265,000" \
	"$work/memmaps-floor pages $child $range" \
	"$MEMBOX" memmaps --pages "$child"
peer "procinfo" procinfo "$child"
end
