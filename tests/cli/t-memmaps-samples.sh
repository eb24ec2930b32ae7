#!/bin/sh
# memmaps --interval and --count, with --all, with -o and with each other:
# whole documents, when they are due; ^C, full disks and closed pipes between.
t=memmaps-samples
. "$(dirname "$0")/../lib.sh"
memmaps="$MEMBOX memmaps"
PYTHON=/usr/bin/python3
job=
trap '[ -z "$job" ] || kill -KILL $job 2>/dev/null; rm -rf "$work"' EXIT

# Waits until a file has that many lines, or the job has ended.
lines() {
	while [ "$(cat "$1" 2>/dev/null | wc -l)" -lt "$2" ]; do
		kill -0 $job 2>/dev/null || return
		sleep 0.02
	done
}
# Of a machine with processes that nobody may read the status is 3.
ended() { wait $job; status=$?; job=; [ $status = 0 ] || [ $status = 3 ]; }
# strict CODE FILE: each line a document; CODE sees them as docs, their times
# as ms.
strict() {
	$PYTHON -c '
import json, sys
docs = [json.loads(l) for l in open(sys.argv[1], "rb")]
ms = [d["timestamp_ms"] for d in docs if "timestamp_ms" in d]
for d in docs:
    if "processes" in d:
        assert d["process_count"] == len(d["processes"]) > 0
        assert d["skipped_count"] == len(d["skipped_processes"])
    if "regions" in d:
        assert d["region_count"] == len(d["regions"])
'"$1" "$2"
}
gone() { test ! -e "$1" -a ! -e "$1.part"; }

# ---- --all, --interval, --count, -o ----
# Held up for three intervals and more, it takes the samples that were missed
# at once, and the next ones when they have been due from the start: none
# early, and of those after the delay some not late by an interval. A clock
# that starts anew with each sample stays behind for good.
on_time='
late = [t - ms[0] - 100 * i for i, t in enumerate(ms)]
assert len(ms) == 16, len(ms)
assert min(late) > -100, late
assert max(late) >= 250, late
assert min(late[-8:]) < 100, late'
held_up() {
	rm -f "$work/o"
	"$@" --interval 100 --count 16 -o "$work/o" 2>"$work/err" &
	job=$!
	lines "$work/o.part" 2
	kill -STOP $job
	test ! -e "$work/o"
	before=$?
	sleep 0.4
	kill -CONT $job
	ended && [ $before = 0 ] && test ! -e "$work/o.part" &&
		strict "$on_time" "$work/o"
}
check "--all: when they are due" held_up $memmaps --all --json
check "one process: when they are due" held_up $MEMBOX memc $$ --smaps
three() {
	"$@" >"$work/3" 2>"$work/err" || [ $? = 3 ] &&
		strict 'assert len(docs) == 3 and ms[2] - ms[0] >= 100' \
			"$work/3"
}
check "memc --all" three $MEMBOX memc --all --interval 100 --count 3
check "--interval after --count" three $memmaps --count 3 --interval 100 \
	--json --smaps --all
check "two processes" three $memmaps --json --count=3 --interval=100ms $$ $PPID
ndjson() {
	$memmaps --all --ndjson --count 3 --interval 50 -o "$work/n" \
		2>"$work/err" || [ $? = 3 ] && strict '
ends = [i for i, d in enumerate(docs) if "process_count" in d]
assert len(ends) == 3 and ends[-1] == len(docs) - 1' "$work/n"
}
check "--ndjson: a line each, an end each" ndjson
tables() {
	$memmaps --interval 50 --count 2 $$ >"$work/t" &&
		test "$(grep -c ^START-END "$work/t")" = 2
}
check "tables too" tables

# ---- ^C ----
stopped() {
	signal=$1; shift
	rm -f "$work/o"
	"$@" --count 0 --interval 50 -o "$work/o" 2>"$work/err" &
	job=$!
	lines "$work/o.part" 3
	kill -"$signal" $job
	ended && test ! -e "$work/o.part" &&
		strict 'assert len(docs) >= 3' "$work/o"
}
check "^C: --all into a file" stopped INT $memmaps --all --json
check "^C: --all with smaps" stopped TERM $memmaps --all --json --smaps
check "^C: one process into a file" stopped INT $MEMBOX memc $$
check "^C: --watch into a file" stopped INT $memmaps --watch --json --all
long_wait() { # not until the next one is due
	$memmaps --all --json --count 0 --interval 1h >"$work/o" 2>"$work/err" &
	job=$!
	lines "$work/o" 1
	kill -INT $job
	ended && strict 'assert len(docs) == 1' "$work/o"
}
check "^C: an hour before the next" long_wait

# ---- what cannot be written ----
refuse 1 "--all --count 0 to a full disk" sh -c \
	"timeout 30 $memmaps --all --json --count 0 --interval 50 2>$work/err >/dev/full"
check "is said" grep -q 'write standard output: No space left' "$work/err"
refuse 1 "--all --count 0 -o to a full disk" \
	timeout 30 $memmaps --all --json --count 0 --interval 50 -o /dev/full
# One of the first samples is too much.
limited() {
	sh -c 'trap "" XFSZ; ulimit -f 64; exec timeout 30 "$@"' sh "$@" \
		--count 0 --interval 20 -o "$work/big" 2>"$work/err"
	[ $? = 1 ] && grep -q 'write .*big: File too large' "$work/err" &&
		gone "$work/big"
}
check "a file too large: --all" limited $memmaps --all --json
check "a file too large: one process" limited $MEMBOX memc $$ --smaps
closed() {
	{ timeout 30 "$@" --count 0 --interval 20 2>"$work/err"
	echo $? >"$work/status"; } | head -n 1 >"$work/first"
	test "$(cat "$work/status")" = 1 &&
		! grep -v denied "$work/err" && strict 'pass' "$work/first"
}
check "a closed pipe ends --all" closed $memmaps --all --json
check "a closed pipe ends one process" closed $MEMBOX memc $$
refuse 1 "no directory" $memmaps --all --json --count 0 -o "$work/no/o"

done_testing
