#!/bin/sh
# memmaps: pages, growth, pictures and snapshots, on this machine and over
# trees. Needs root: without it there is no PFN to show.
t=memmaps-more
. "$(dirname "$0")/../lib.sh"
data=$top/tests/cli/memmaps
memmaps="$MEMBOX memmaps"
PYTHON=/usr/bin/python3

# A process that holds what is known: prints START END of 16 MiB of memory,
# grows by 1 MiB for each line it reads, all touched.
cat >"$work/hold" <<'X'
import ctypes, mmap, sys
def take(size):
    m = mmap.mmap(-1, size, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
    m[:] = b"x" * size
    return m
m = take(16 << 20)
a = ctypes.addressof(ctypes.c_char.from_buffer(m))
more = mmap.mmap(-1, 64 << 20, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
print("%x %x" % (a, a + len(m)), flush=True)
at = 0
for line in sys.stdin:
    more[at:at + (1 << 20)] = b"y" * (1 << 20)
    at += 1 << 20
    print("grown", flush=True)
X
mkfifo "$work/grow"
$PYTHON "$work/hold" <"$work/grow" >"$work/held" &
pid=$!
exec 9>"$work/grow"
trap 'kill $pid 2>/dev/null; rm -rf "$work"' EXIT
while [ ! -s "$work/held" ]; do sleep 0.05; done
read -r start end <"$work/held"
grow() {
	n=$(wc -l <"$work/held")
	echo >&9
	while [ "$(wc -l <"$work/held")" = "$n" ]; do sleep 0.02; done
}
root() { [ "$(id -u)" = 0 ] || { skip "$1" "needs root"; return 1; }; }

# ---- --pages, against pagemap and kpageflags read by another program ----
json() { $PYTHON -c "import json, struct, sys
$1" "$2" "$3" "$4"; }
pages_agree() {
	$memmaps --pages --json "$pid" >"$work/pages" && json '
d = json.load(open(sys.argv[1]))
first, last = int(sys.argv[2], 16), int(sys.argv[3], 16)
pm = open("/proc/%d/pagemap" % d["pid"], "rb")
flags = open("/proc/kpageflags", "rb")
at, wrong = first, 0
for r in d["pages"]:
    assert r["end"] - r["start"] == r["pages"] * 4096
    if r["end"] <= first or r["start"] >= last:
        continue
    assert r["state"] == "present"
    for a in range(max(first, r["start"]), min(last, r["end"]), 4096):
        assert a == at, "a page left out"
        at += 4096
        i = (a - r["start"]) // 4096
        pm.seek(a // 4096 * 8)
        e, = struct.unpack("Q", pm.read(8))
        assert e >> 63 and e & (1 << 55) - 1 == r["pfn"] + i
        assert r["mapcount"] == 1
        flags.seek((r["pfn"] + i) * 8)
        f, = struct.unpack("Q", flags.read(8))
        assert f >> 12 & 1 and "anonymous" in r["flags"].split(",")
assert at == last
total = sum(r["pages"] for r in d["pages"])
assert total == sum(d[k] for k in
    ("absent", "present", "swapped", "guard", "marker"))
' "$work/pages" "$start" "$end"
}
root "pages" && {
check "each page is where pagemap says" pages_agree
collapsed() {
	$memmaps --pages "$pid" >"$work/pages" &&
		! awk '$4 == "absent" && $1 == last { exit 1 }
			{ last = $4 == "absent" ? $2 : "" }' "$work/pages" &&
		return 1
	return 0
}
check "absent pages that follow each other are one row" collapsed
}
refuse 1 "pages of no process" $memmaps --pages 999999999
refuse 2 "pages of two processes" $memmaps --pages 1 2

# ---- growth ----
$memmaps --json --smaps -o "$work/a" "$pid"
grow; grow; grow
$memmaps --all --ndjson --smaps -o "$work/all" 2>/dev/null
$memmaps --json --smaps --compact -o "$work/b" "$pid"
grew_3m() { $memmaps --diff --json "$1" "$2" | json '
d = json.load(sys.stdin)
top = d["changes"][0]
assert 3 << 20 <= top["rss_delta"] <= (3 << 20) + 65536, top
assert top["state"] == "changed" and top["size_delta"] == 0'; }
check "--diff finds what grew" grew_3m "$work/a" "$work/b"
diff_all() { $memmaps --diff --top 1000 --json "$work/all" "$work/b" | json '
d = json.load(sys.stdin)
assert all(c["state"] in ("gone", "changed") for c in d["changes"])'; }
check "--diff of a line each" diff_all
same "--diff of alike files" "total: 0 changed" \
	"$($memmaps --diff "$work/b" "$work/b" | sed -n 's/.*\(total: [0-9]* \w*\).*/\1/p')"
refuse 1 "--diff of something else" $memmaps --diff "$work/a" "$work/hold"
refuse 1 "--diff of half a file" sh -c \
	"head -c 3000 $work/a >$work/half; $memmaps --diff $work/half $work/b"
refuse 2 "--diff of one file" $memmaps --diff "$work/a"
# Grows until the watcher ends, at most 24 times (of the 60 there are).
grow_meanwhile() {
	i=0
	while kill -0 $watcher 2>/dev/null && [ $i -lt 24 ]; do
		grow
		sleep 0.1
		i=$((i + 1))
	done
	wait $watcher
}
watch() {
	$memmaps --watch --json --interval 300 --count 3 "$pid" \
		>"$work/watch" &
	watcher=$!
	grow_meanwhile
	json '
docs = [json.loads(l) for l in open(sys.argv[1])]
assert len(docs) == 2
assert sum(d["rss_delta"] for d in docs) >= 2 << 20, docs' "$work/watch"
}
check "--watch" watch
leak() {
	$memmaps --leak-suspects --json --interval 200 --count 5 "$pid" \
		>"$work/leak" &
	watcher=$!
	grow_meanwhile
	json '
d = json.load(open(sys.argv[1]))
big = [c for c in d["changes"] if c["rss_delta"] >= 2 << 20]
assert len(big) == 1 and big[0]["grew"] >= 2 and not big[0]["shrank"]' \
		"$work/leak"
}
check "--leak-suspects" leak

# ---- pictures, by a foreign reader ----
picture() { $memmaps --png "$work/p.png" --force "$@" >"$work/err" 2>&1 ||
	[ $? -eq 3 ] || { cat "$work/err"; return 1; }
	pngtopnm "$work/p.png" >"$work/p.ppm"; }
root "pictures" && {
for color in mapped process user cgroup flags order; do
	check "picture by $color" picture --color $color
done
known() {
	dd if="/proc/$pid/pagemap" of="$work/entries" bs=8 count=4096 \
		skip=$((0x$start / 4096)) 2>"$work/err" &&
		picture --pid "$pid" --scale 1 &&
		$PYTHON "$data/picture.py" "$work/p.ppm" /proc/iomem \
		"$work/entries" "$(cut -d' ' -f2 "/proc/$pid/statm")"
}
check "a known allocation's pixels" known
virtual() {
	picture --virtual "$pid" --scale 1 && $PYTHON -c '
import sys
data = open(sys.argv[1], "rb").read().split(b"\n", 3)[3]
red = data.count(b"\xff\x50\x50") + data.count(b"\xff\xc8\x40")
assert 4096 <= red < 4096 * 3, red' "$work/p.ppm"
}
check "an address space's pixels" virtual
letters() {
	COLUMNS=80 $memmaps --term --color flags >"$work/term" 2>/dev/null ||
		[ $? -eq 3 ] || return
	head -2 "$work/term" | tail -1 | grep -qE '^[ -~]{8,80}$' &&
		grep -q 'GiB  free\|MiB  free' "$work/term"
}
check "--term without a terminal: letters" letters
colors() {
	script -qec "stty cols 100 rows 40; TERM=xterm $memmaps --term" \
		/dev/null >"$work/term"
	grep -q "$(printf '\033\\[38;2;')" "$work/term" &&
		grep -q "$(printf '\342\226\200')" "$work/term"
}
check "--term on a terminal: half blocks in colour" colors
}
refuse 2 "--virtual to nowhere" $memmaps --virtual "$pid"
refuse 2 "--color what" $memmaps --png "$work/q.png" --color red
refuse 1 "a picture to a full disk" $memmaps --png /dev/full
refuse 1 "a picture without iomem" $memmaps --root "$data" \
	--png "$work/q.png"
check "leaves no part" test ! -e "$work/q.png" -a ! -e "$work/q.png.part"

# ---- snapshots ----
root "snapshots" && {
$memmaps --snapshot "$work/s.tar" "$pid" 2>"$work/err"
mkdir "$work/tree"
check "GNU tar reads it" tar xf "$work/s.tar" -C "$work/tree"
same_table() {
	$memmaps -x --bytes --root "$work/tree" "$pid" >"$work/1" &&
		$memmaps -x --bytes "$pid" >"$work/2" || return
	# neighbours come and go: PSS of shared pages, flags of theirs
	for f in 1 2; do
		grep -E '\[heap\]|\[stack\]| anonymous ' "$work/$f" >"$work/$f.own"
	done
	test -s "$work/1.own" && diff "$work/1.own" "$work/2.own"
}
check "its table is the live one" same_table
same_pages() {
	for where in "--root $work/tree" ""; do
		$memmaps --pages --json $where "$pid" >"$work/pages" || return
		json '
d = json.load(open(sys.argv[1]))
for r in d["pages"]:
    if r["start"] >= int(sys.argv[2], 16) and r["end"] <= int(sys.argv[3], 16):
        for i in range(r["pages"]):
            print(r["start"] + 4096 * i, r["pfn"] + i, r["mapcount"])
print(d["present"])' "$work/pages" "$start" "$end" >"$work/pages.${#where}"
	done
	diff "$work"/pages.*
}
check "so are its pages" same_pages
check "holes stay holes" test "$(du -k "$work/tree/proc/$pid" | tail -1 |
	cut -f1)" -lt 2000
check "links are links" test "$(readlink "$work/tree/proc/$pid/exe")" = \
	"$(readlink "/proc/$pid/exe")"
packed() {
	$memmaps --snapshot "$work/s.$1" "$pid" && mkdir "$work/$1" &&
		$2 "$work/s.$1" | tar xf - -C "$work/$1" &&
		cmp "$work/tree/proc/$pid/maps" "$work/$1/proc/$pid/maps"
}
check "gzip" packed tar.gz "gzip -dc"
check "lz4" packed tar.lz4 "lz4 -qdc"
mkdir "$work/tree2"
$memmaps --snapshot - --skip-environ "$pid" 2>"$work/err" |
	tar xf - -C "$work/tree2"
check "--skip-environ" test ! -e "$work/tree2/proc/$pid/environ" -a \
	-e "$work/tree/proc/$pid/environ"
check "--diff of two snapshots" $memmaps --diff "$work/tree" "$work/tree2"
refuse 1 "a snapshot to a full disk" $memmaps --snapshot /dev/full "$pid"
}

done_testing
