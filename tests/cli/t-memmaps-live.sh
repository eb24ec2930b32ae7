#!/bin/sh
# memmaps and processes that are not like the others: 32 bits, gone while it
# looks, all in one name; a terminal that is narrow; what a snapshot must have.
t=memmaps-live
. "$(dirname "$0")/../lib.sh"
memmaps="$MEMBOX memmaps"
PYTHON=/usr/bin/python3
pid=
trap '[ -z "$pid" ] || kill $pid 2>/dev/null; rm -rf "$work"' EXIT

# ---- 32 bits ----
# row TYPE SUBTYPE: SIZE RSS PERM of the only such region
row() {
	awk -v t="$1" -v k="$2" 'NR > 1 && $7 == t && $8 == k {
		n++; r = $3 " " $4 " " $2 } END { if (n == 1) print r }' \
		"$work/table"
}
# bits32 [SED COMMAND], of its source
bits32() {
	sed "$1" "$top/tests/vm/memmaps-32.s" | as --32 -o "$work/32.o" - &&
		ld -m elf_i386 "$work/32.o" -o "$work/bits32" || return
	: >"$work/said"
	"$work/bits32" >"$work/said" &
	pid=$!
	while [ ! -s "$work/said" ]; do
		kill -0 $pid || return
		sleep 0.02
	done
	$memmaps --bytes $pid >"$work/table"
}
as_it_is() {
	# of the data's last page the rest belongs to the zeroed memory
	[ "$(row anonymous bss)" = "1048576 8192 $1" ] &&
		[ "$(row vdso -)" != "" ] && [ "$(row stack -)" != "" ] &&
		grep -q '^80.*r-xp.*code        -            .*bits32$' \
			"$work/table" && ! grep vsyscall "$work/table"
}
whole_json() {
	$memmaps --json --full $pid $pid | $PYTHON -c '
import json, sys
d = json.load(sys.stdin)
assert d["process_count"] == 2 and not d["skipped_count"]
s = d["processes"][1]["snapshot"]
r = s["regions"]
assert s["region_count"] == len(r) >= 6 and r[0]["start"] == "0x8048000"
assert int(r[-1]["end"], 16) <= 1 << 32
assert [g["size_kb"] for g in r if g["subtype"] == "bss"] == [1024]'
}
all_pages() {
	[ "$(id -u)" = 0 ] || return 0
	$memmaps --pages $pid >"$work/pages" && [ "$(awk '/ bss / { on = 1; next }
		/^[0-9a-f]*-/ { on = 0 } on { printf "%s %s,", $3, $4 }' \
		"$work/pages")" = "1 present,254 absent,1 present," ]
}
if bits32 "" 2>/dev/null; then
	check "32 bits: its regions" as_it_is rw-p
	check "32 bits: JSON" whole_json
	check "32 bits: its pages" all_pages
	kill $pid
	# without the note that it needs no executable stack
	check "32 bits, all can be executed" bits32 /GNU-stack/d
	check "32 bits, all can be executed: its regions" as_it_is rwxp
	kill $pid
else
	skip "32 bits" "this machine cannot make or run it"
fi

# ---- gone while it looks ----
# One that was counted ends while what stands before it waits for the reader.
vanishes() {
	$PYTHON - "$MEMBOX" "$@" <<-'X'
	import fcntl, json, os, subprocess, sys, termios, time
	victim = subprocess.Popen(["sleep", "600"])
	pids = [str(os.getpid())] * 12 + [str(victim.pid)]
	m = subprocess.Popen(sys.argv[1:2] + ["memmaps", "--json"] +
	    sys.argv[2:] + pids, stdout=subprocess.PIPE)
	while True:
	    held = fcntl.ioctl(m.stdout, termios.FIONREAD, b"\0" * 4)
	    state = open("/proc/%d/stat" % m.pid).read().rsplit(")")[1][1]
	    if held == fcntl.ioctl(m.stdout, termios.FIONREAD, b"\0" * 4) and \
	       int.from_bytes(held, sys.byteorder) > 40000 and state == "S":
	        break
	    assert m.poll() is None
	    time.sleep(0.02)
	victim.kill()
	victim.wait()
	d = json.loads(m.stdout.read())
	assert m.wait() == 0
	assert d["process_count"] == len(d["processes"]) == 13
	p = d["processes"][12]
	assert p["pid"] == victim.pid and p["snapshot"]["regions"] == []
	assert p["snapshot"]["region_count"] == 0
	assert p["snapshot"]["total_rss_kb"] == 0
	assert d["skipped_count"] == 1
	assert [(s["pid"], s["reason"]) for s in d["skipped_processes"]] == \
	    [(victim.pid, "vanished")]
	X
}
check "it ends meanwhile: vanished" vanishes
check "it ends meanwhile: smaps" vanishes --smaps
check "it ends meanwhile: everything" vanishes --full

# ---- a narrow terminal ----
root() { [ "$(id -u)" = 0 ] || { skip "$1" "needs root"; return 1; }; }
narrow() {
	script -qec "stty cols $1 rows $2; TERM=xterm $memmaps --term" \
		/dev/null | sed 's/\x1b\[[0-9;]*m//g; s/\r//g' >"$work/term"
	$PYTHON -c '
import sys
rows = [l for l in open(sys.argv[1], encoding="utf-8").read().split("\n")
        if l[:1] == "\u2580"]
widths = {len(l) for l in rows}
assert len(widths) == 1 and 0 < widths.pop() <= int(sys.argv[2]), rows
assert len(rows) <= max(8, int(sys.argv[3])), rows' "$work/term" "$1" "$2"
}
root "narrow terminals" && {
check "20 columns" narrow 20 12
check "1 column" narrow 1 24
check "132 columns" narrow 132 43
}

# ---- a snapshot has it all ----
members() {
	sleep 600 &
	pid=$!
	$memmaps --snapshot "$work/s.tar" $pid 2>"$work/err"
	kill $pid
	tar tf "$work/s.tar" >"$work/names" || return
	bad=0
	for f in cmdline maps smaps status stat statm environ pagemap exe root \
		cwd fd/0; do
		grep -qx "proc/$pid/$f" "$work/names" ||
			{ echo "no proc/PID/$f"; bad=1; }
	done
	for f in kpagecount kpageflags iomem meminfo vmstat buddyinfo \
		pagetypeinfo slabinfo sysvipc/shm swaps zoneinfo modules; do
		test ! -e "/proc/$f" || grep -qx "proc/$f" "$work/names" ||
			{ echo "no proc/$f"; bad=1; }
	done
	return $bad
}
root "snapshots" && {
check "a snapshot's members" members
readers() {
	mkdir "$work/tree" && tar xf "$work/s.tar" -C "$work/tree" || return
	$memmaps --root "$work/tree" $pid >"$work/1" &&
		grep -q '\[stack\]' "$work/1" &&
		$memmaps --pages --root "$work/tree" $pid >"$work/1" &&
		grep -q ' present ' "$work/1" &&
		$memmaps --png "$work/p.png" --root "$work/tree" &&
		$memmaps --term --color flags --root "$work/tree" >"$work/1" &&
		{ $MEMBOX memstats --root "$work/tree" >"$work/1" ||
			[ $? = 3 ]; } &&
		grep -q sleep "$work/1" &&
		$MEMBOX shmat --root "$work/tree" >"$work/1" &&
		[ "$(wc -l <"$work/1")" = \
		"$(wc -l <"$work/tree/proc/sysvipc/shm")" ]
}
check "memmaps, memstats and shmat read it" readers
for a in "memidle 1" "memtrack" "shmat attach 1" "memmaps --watch 1"; do
	# shellcheck disable=SC2086
	refuse 2 "not $a" $MEMBOX ${a%% *} --root "$work/tree" \
		$(echo "$a " | cut -d' ' -f2-)
done
}
missing() {
	mkdir -p "$work/empty/proc/1"
	$memmaps --root "$work/empty" 1 2>&1 | grep -q \
		"no $work/empty/proc/1/smaps: no such process, or it could not"
}
check "a tree without that process" missing

# ---- not there, or without memory ----
says() { # TEXT COMMAND...: with status 1
	_text=$1; shift
	"$@" >"$work/1" 2>"$work/err"
	[ $? = 1 ] && grep -q "$_text" "$work/err"
}
none=999999999
check "a snapshot of no process" says "$none: no such process" \
	$memmaps --snapshot "$work/no.tar" $none
check "leaves no file" test ! -e "$work/no.tar" -a ! -e "$work/no.tar.part"
check "watching no process" says "no such process" $memmaps --watch $none
check "an address space of none" says "$none: no such process" \
	$memmaps --virtual $none --term
root "pictures and kernel threads" && {
check "a picture of no process" says "$none: no such process" \
	$memmaps --term --pid $none
refuse 3 "a snapshot of one of two" $memmaps --snapshot - $$ $none
kernel=$(awk '{ sub(/.*\) /, ""); split(FILENAME, p, "/") }
	$7 % 4194304 >= 2097152 { print p[3]; exit }' \
	/proc/[0-9]*/stat 2>/dev/null)	# PF_KTHREAD
if [ -n "$kernel" ]; then
	check "pages of a kernel thread" says "$kernel: a kernel thread" \
		$memmaps --pages "$kernel"
	check "a picture of one" says "$kernel: a kernel thread" \
		$memmaps --term --pid "$kernel"
	none_said() { $memmaps "$kernel" 2>&1 >"$work/1" |
		grep -q "$kernel: a kernel thread"; }
	check "regions of one: none, it says why" none_said
else
	skip "kernel threads" "none in sight"
fi
}
# A parent that does not wait: its child has ended when the pipe closes.
zombie() {
	$PYTHON - "$MEMBOX" <<-'X'
	import os, subprocess, sys
	r, w = os.pipe()
	child = os.fork()
	if not child:
	    os._exit(0)
	os.close(w)
	os.read(r, 1)
	os.waitid(os.P_PID, child, os.WEXITED | os.WNOWAIT)
	for args, status in ((["--pages"], 1), ([], 0)):
	    m = subprocess.run([sys.argv[1], "memmaps"] + args + [str(child)],
	        capture_output=True, text=True)
	    assert m.returncode == status, m
	    assert "%d: it has ended" % child in m.stderr, m
	X
}
check "a zombie" zombie

# ---- what does not go together ----
cd "$work" || exit 1
refuse 2 "--png and --output" $memmaps --png a.png -o b.png
refuse 2 "--output and --snapshot" $memmaps -o b.tar --snapshot a.tar
refuse 2 "--png and --term" $memmaps --png a.png --term
refuse 2 "--png and --watch" $memmaps --png a.png --watch
refuse 2 "--color without a picture" $memmaps --color flags $$
refuse 2 "--scale without a picture" $memmaps --scale 4 $$
refuse 2 "--pid without a picture" $memmaps --pid $$
refuse 2 "--pid and --color" $memmaps --term --pid $$ --color user
refuse 2 "--skip-environ without a snapshot" $memmaps --skip-environ $$
check "none of them made a file" test ! -e a.png -a ! -e b.png -a ! -e b.tar \
	-a ! -e a.tar -a ! -e a.png.part -a ! -e a.tar.part

done_testing
