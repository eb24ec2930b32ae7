#!/bin/sh
# memmaps over a captured tree: what it prints, to the letter; what it refuses;
# what becomes of bad names, full disks and closed pipes.
t=memmaps
. "$(dirname "$0")/../lib.sh"
data=$top/tests/cli/memmaps
maps="$MEMBOX memmaps --root $data"
PYTHON=/usr/bin/python3

# ---- to the letter ----
stamp() { sed -E 's/("timestamp_ms": ?)[0-9]+/\10/'; }
golden() {
	want=$data/$1; shift
	"$@" | stamp >"$work/got"
	diff -u "$want" "$work/got"
}
check "the table" golden table.out $maps 100
check "every field, hostile names" golden extended.out $maps -x --bytes 200
check "several, sorted" golden sorted.out $maps --all --sort rss --min 8K
check "memc's JSON" golden memc.json $MEMBOX memc --root "$data" 100
check "with smaps" golden smaps.json $maps --json --smaps 200
check "everything of all" golden full.json $maps --all --json --full \
	--skip-kernel
check "a line each" golden all.ndjson $maps --all --ndjson --type jit,stack

# ---- JSON that others read ----
strict() {
	$PYTHON -c '
import json, sys
text = sys.stdin.buffer.read().decode("utf-8", "strict")
def once(pairs):
    assert len(dict(pairs)) == len(pairs), "a key twice"
    return dict(pairs)
for doc in [text] if sys.argv[1] == "one" else text.splitlines():
    d = json.loads(doc, object_pairs_hook=once)
exec(sys.argv[2])' "$@"
}
names_back() {
	$maps --json 200 | strict one '
r = d["regions"][0]
assert bytes.fromhex(r["pathname_hex"]) == \
    b"/tmp/\xff\xfe\x1b]0;evil\x07\"q\"\\012\\x"
assert r["pathname"].startswith("/tmp/\ufffd\ufffd\x1b")'
}
check "bad bytes can be had back" names_back
live() {
	$MEMBOX memmaps --all "$@" >"$work/live" || [ $? -eq 3 ] || return
	shift $(($# - 1))
	strict "$form" "$code" <"$work/live"
}
form=one code='
assert d["process_count"] == len(d["processes"]) > 0
assert d["skipped_count"] == len(d["skipped_processes"])
for p in d["processes"]:
    s = p["snapshot"]
    assert p["pid"] == s["pid"]
    assert s["region_count"] == len(s["regions"])
    assert s["total_vsize_kb"] == sum(r["size_kb"] for r in s["regions"])
    if "rss_kb" in (s["regions"] or [{}])[0]:
        assert s["total_rss_kb"] == sum(r["rss_kb"] for r in s["regions"])'
check "all of this machine" live --json
check "with smaps" live --json --smaps
check "everything" live --json --full --compact
form=lines code='assert d["process_count"] > 0'
check "a line each" live --ndjson --smaps

# a process with more regions than the buffer holds: 9000 with long names
big() {
	$PYTHON - "$work" <<-'X'
	import os, sys
	d = sys.argv[1] + "/big/proc/7"
	os.makedirs(d)
	with open(d + "/maps", "w") as f:
	    for i in range(9000):
	        f.write("%x-%x r--p 00000000 fe:00 9 %s\n" % (
	            (i * 2 + 1) << 12, (i * 2 + 2) << 12, "/x" * 100))
	X
	$MEMBOX memmaps --root "$work/big" "$@" 7 | strict one '
assert d["region_count"] == len(d["regions"]) == 9000
assert d["total_vsize_kb"] == 36000'
}
check "9000 regions" big --json

# ---- refused, and with which status ----
for pid in 12abc 0 -5 1.5 ''; do
	refuse 2 "process id '$pid'" $MEMBOX memmaps -- "$pid"
done
refuse 1 "no such process" $maps 4711
refuse 3 "one of two" $maps 100 4711
refuse 2 "nothing asked" $maps
refuse 2 "--all and a process" $maps --all 100
refuse 2 "--sort what" $maps --sort name 100
refuse 2 "--type what" $maps --type heap,hops 100
refuse 2 "--compact without --json" $maps --compact 100
refuse 2 "samples of a tree" $maps --json --count 2 100
refuse 2 "--interval 0" $MEMBOX memmaps --interval 0 $$
refuse 1 "a full disk" sh -c "$maps --json 100 >/dev/full"
says_full() {
	$maps --json 100 2>&1 >/dev/full |
		grep -q 'write standard output: No space left'
}
check "is said" says_full
closed() { $maps --all --full --json 2>"$work/err" | head -c 1 >/dev/null
	test ! -s "$work/err"; }
check "a closed pipe is silent" closed
refuse 1 "a report that cannot be written" $maps --json -o /dev/full 100

# ---- --output ----
check "--output" sh -c "$maps --json -o $work/a 100 && test -s $work/a"
refuse 1 "is not replaced" $maps --json -o "$work/a" 100
check "but with --force" $maps --json --force -o "$work/a" 100
check "and by memc" $MEMBOX memc --root "$data" -o "$work/a" 100
refuse 1 "a failed run leaves nothing" $maps --json -o "$work/b" 4711
check "not even a part" test ! -e "$work/b" -a ! -e "$work/b.part"

# ---- samples ----
samples() {
	sleep 60 &
	pid=$!
	begin=$(date +%s%N)
	$MEMBOX memc $pid --smaps --interval 100 --count 4 -o "$work/s"
	kill $pid
	test $((($(date +%s%N) - begin) / 1000000)) -ge 300 &&
		test "$(wc -l <"$work/s")" -eq 4 &&
		strict lines 'assert d["region_count"] > 5' <"$work/s"
}
check "samples, on time, into a file" samples
ends() {
	sleep 0.5 &
	$MEMBOX memc $! --interval 100 --count 0 >"$work/s" 2>"$work/err" &&
		grep -q ended "$work/err" && test -s "$work/s"
}
check "a process that ends ends the samples" ends
until_signal() {
	$MEMBOX memc $$ --interval 50 --count 0 >"$work/s" &
	pid=$!
	sleep 0.4
	kill -INT $pid
	wait $pid && strict lines 'pass' <"$work/s"
}
check "^C ends them well" until_signal

done_testing
