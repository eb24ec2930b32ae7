#!/bin/sh
# memidle: its command line, its probe over captured trees, what it does with
# full disks, closed pipes and files that are no traces; a run on this machine.
t=memidle
. "$(dirname "$0")/../lib.sh"
m="$MEMBOX memidle"
PYTHON=/usr/bin/python3

# says PATTERN COMMAND...: a line of what it prints matches
says() {
	pattern=$1; shift
	"$@" >"$work/said" 2>&1
	grep -qE -- "$pattern" "$work/said" || { cat "$work/said"; return 1; }
}

# ---- the command line ----
usage() { what=$1; shift; refuse 2 "refused: $what" "$@"; }
usage "nothing to measure" $m
usage "an unknown option" $m --frobnicate 1
usage "a pid with letters" $m 12abc
usage "pid 0" $m 0
usage "seconds that are none" $m 1 soon
usage "three operands" $m 1 2 3
usage "two targets" $m --system --cgroup /x
usage "no samples" $m -n 0 1
usage "steps and snapshots" $m -P 3 -s 1 1
usage "an interval of nothing" $m -s 0 1
usage "a backend that is none" $m -b magic 1
usage "an unknown measurement" $m -m wss,magic 1
usage "ages that do not ascend" $m --ages 5,1 1
usage "more than 100 percent" $m --max-cpu 101 1
usage "an unknown way to pause" $m --pause nicely 1
usage "a filter that is none" $m --filter 'heap and' 1
usage "json and csv" $m --json --csv 1
usage "a trace to stdout" $m -o - 1
usage "reading and writing" $m --read x -o y
usage "measuring a captured tree" $m --root "$work" 1
usage "MGLRU for a process" $m --enable-lru-gen 1
usage "-- without a command" $m --
refuse 1 "a process that is not there" $m 2147483647
refuse 1 "a kernel thread or nothing" $m 2
refuse 1 "a cgroup that is not there" $m --cgroup /no/such/cgroup
check "which is said" says 'no such cgroup' $m --cgroup /no/such/cgroup
usage "a filter with an unknown word" $m --filter 'heap or (foo)' 1
check "a caret is below it" says '^           \^$' \
	$m --filter 'heap or (foo)' 1
usage "a filter with a size that is none" $m --filter 'longer(5Q)' 1
check "a caret is below the size" says '^         \^$' \
	$m --filter 'longer(5Q)' 1
check "several processes are explained" says 'PID,PID' $m 1 2 3
if [ $$ -ge 300 ]; then
	check "a second PID that is meant for SECONDS is pointed out" \
		says "$$ is taken for SECONDS" $m 2147483647 $$
fi
refuse 127 "a command that is not there" $m -q -b clear_refs -- /no/such/command
check "--help" sh -c "$m --help | grep -q -- '--probe'"

# ---- probe over trees ----
tree=$work/tree
mm=$tree/sys/kernel/mm
mkdir -p "$tree/proc/self" "$mm/page_idle" "$mm/lru_gen" \
	"$tree/sys/kernel/debug"
: >"$tree/proc/self/clear_refs"; : >"$tree/proc/self/smaps"
: >"$tree/proc/kpageflags"; : >"$mm/page_idle/bitmap"
echo 0x0000 >"$mm/lru_gen/enabled"; : >"$tree/sys/kernel/debug/lru_gen"
probe="$m --probe --root $tree"
refuse 0 "probe: exit 0 with page_idle" $probe
check "probe: MGLRU off" says '^lru_gen +no +MGLRU is off' $probe
check "probe: no DAMON" says '^damon +no .*CONFIG_DAMON_SYSFS' $probe
echo 0x0007 >"$mm/lru_gen/enabled"
check "probe: MGLRU on is a caveat" says '^page_idle +yes +page-exact; MGLRU is on' $probe
d=$mm/damon/admin/kdamonds
mkdir -p "$d/0"
echo 1 >"$d/nr_kdamonds"; echo on >"$d/0/state"; echo 4711 >"$d/0/pid"
check "probe: whose kdamond it is" says '^damon +no .*kdamond 4711 runs' $probe
check "probe: a kdamond disturbs" says '^page_idle .*kdamond 4711 clears' $probe
rm -r "$mm/page_idle"
refuse 1 "probe: exit 1 without page_idle" $probe
check "probe: the option that is missing" says '^page_idle +no .*CONFIG_IDLE_PAGE_TRACKING' $probe
json() { "$@" | $PYTHON -c 'import json, sys
rows = [json.loads(line) for line in sys.stdin]
assert len(rows) == 5 and rows[0]["backend"] == "page_idle"'; }
check "probe: JSON" json $probe --json

# ---- on this machine ----
if [ -w /proc/self/clear_refs ]; then
	run="$m -q -b clear_refs -s 100ms -n 3"
	check "a command's status" sh -c "$run -- sh -c 'sleep 0.5; exit 9' >/dev/null; test \$? = 9"
	lines() { "$@" | $PYTHON -c 'import json, sys
n = 0
for line in sys.stdin:
    s = json.loads(line)
    p = s["pages"]
    assert p["present"] == p["active"] + p["idle"] + p["untracked"] + p["unknown"]
    assert p["present"] == sum(v["pages"]["present"] for v in s["vmas"])
    assert s["measures"]["wss"] == p["active"] * s["page_size"]
    assert all(v["start"] < v["end"] for v in s["vmas"])
    n += 1
assert n == 3, n'; }
	check "JSON lines that add up" lines $run --json -m wss -- sleep 2
	check "CSV has its columns in each row" sh -c "$run --csv -m psi,faults -- sleep 2 |
		awk -F, 'NR == 1 { n = NF } NF != n { exit 1 } END { exit NR != 4 }'"
	check "VMAs as CSV" sh -c "$run --csv -v -- sleep 2 | grep -q ',\[stack\]'"
	cp "$(command -v sleep)" "$work/a\"b,c
d"
	check "a hostile name in JSON" sh -c "$run --json -- '$work/a\"b,c
d' 2 | $PYTHON -c 'import json, sys
names = [v[\"name\"] for l in sys.stdin for v in json.loads(l)[\"vmas\"]]
assert any(\"a\\\"b,c\" in n for n in names)'"
	check "a trace tells the same again" sh -c "$run -o $work/t.mit --heat -a -- sleep 2 >$work/live &&
		$m --read $work/t.mit --heat -a >$work/again && cmp $work/live $work/again"
	refuse 1 "a trace is not overwritten" $run -o "$work/t.mit" -- sleep 0.1
	check "but by force" $run -o "$work/t.mit" --force -- sleep 0.3
	refuse 1 "/dev/full" sh -c "$run -- sleep 0.6 >/dev/full"
	closed() { ($m -b clear_refs -s 20ms -n 100 -- sleep 1; echo $? >"$work/rc") 2>"$work/err" | head -n 1
		! grep -v '^memidle: [a-zA-Z0-9]' "$work/err"; }
	check "a closed pipe" closed
	refuse 1 "no ages of sums" $run --ages 0,1 -- sleep 0.3
else
	skip "on this machine" "no /proc/PID/clear_refs"
fi

# ---- files that are no traces ----
: >"$work/empty"
echo "what is this" >"$work/text"
refuse 1 "an empty file" $m --read "$work/empty"
refuse 1 "a text" $m --read "$work/text"
refuse 1 "a directory" $m --read "$work"
refuse 1 "a file that is not there" $m --read "$work/none"
if [ -s "$work/t.mit" ]; then
	head -c $(($(stat -c %s "$work/t.mit") - 20)) "$work/t.mit" >"$work/cut"
	refuse 3 "a cut trace is shown as far as it goes" $m --read "$work/cut"
fi
done_testing
