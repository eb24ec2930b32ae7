#!/bin/sh
# memdump: its time and memory beside what the machine can do at all
#
# A guest's RAM, dumped once by memdump itself and kept in the cache, is laid
# out as an emulated /proc/kcore in RAM; memdump reads it through --root, the
# floor reads the same ranges by pread in 64 KiB and does nothing else, lz4 and
# gzip compress the same bytes. All is measured in turns, so that other work on
# the machine meets all alike; shown are medians of BENCH_RUNS (5).
# MEMBOX_PEERS=DIR: memr and avml of that directory, in a mount namespace whose
# /proc is the emulated one.

here=$(cd "$(dirname "$0")" && pwd)
top=$(cd "$here/../.." && pwd)
MEMBOX=$(realpath "${MEMBOX:-$top/membox}")
runs=${BENCH_RUNS:-5}
cache=$("$top/config/deps.sh" --cache)/bench
work=$(mktemp -d) || exit 1
tree=$(mktemp -d /dev/shm/membox.XXXXXX) || exit 1
trap 'rm -rf "$work" "$tree"' EXIT
trap 'exit 130' INT TERM
die() { echo "memdump bench: $*" >&2; exit 1; }

for p in measure preads; do
	gcc -O2 -o "$work/$p" "$here/$p.c" || die "cannot compile $p.c"
done
load=$("$top/tests/vm/cc" "$here/load.c") || die "cannot compile load.c"

# ---- the guest's image, taken once ------------------------------------------

cat >"$work/take" <<'X'
ln -s membox memdump
load 300 >/tmp/ready &
until [ -s /tmp/ready ]; do sleep 0.2; done
cat membox load /lib/modules/*/* >/tmp/files
head -c 100000000 /dev/zero | tr '\0' x | gzip -1 >/disk/x
memdump -f elf --digest none -o /disk/guest.elf && rm -f /disk/x
X
image=$cache/guest.elf
if [ ! -e "$image" ]; then
	echo "taking a guest's RAM (once, kept as $image)"
	"$top/tests/vm/run" -k 6.1 -m 1024 -t 400 -D 3000 -d "$work/vm" \
		-f "$MEMBOX:/host/membox" -f "$load" "$work/take" >"$work/log" 2>&1 ||
		die "the guest: $(tail -n 5 "$work/log")"
	mkdir -p "$cache" && mv "$work/vm/disk/guest.elf" "$image" || exit
fi
/usr/bin/python3 "$top/tests/emu/tree" --image "$image" "$tree" || exit
kcore=$tree/proc/kcore
/usr/bin/python3 - "$tree/truth.json" >"$work/ranges" <<'X' || exit
import json, sys
print(*(x for a, b, o in json.load(open(sys.argv[1]))["offsets"]
        for x in (o, b - a)))
X
ranges=$(cat "$work/ranges")
# the same bytes as one file, for the tools
data=$tree/data
/usr/bin/python3 - "$kcore" "$data" $ranges <<'X' || exit
import os, sys
src, out = os.open(sys.argv[1], os.O_RDONLY), open(sys.argv[2], "wb")
r = list(map(int, sys.argv[3:]))
for at, n in zip(r[::2], r[1::2]):
    while n:
        part = os.pread(src, min(n, 1 << 22), at)
        out.write(part)
        at, n = at + len(part), n - len(part)
X
bytes=$(stat -c %s "$data")
echo "RAM of a 6.1 guest: $bytes bytes in $(echo "$ranges" | wc -w | awk '{ print $1 / 2 }') ranges"

# ---- measuring --------------------------------------------------------------

# one NAME COMMAND: "wall cpu rss" appended to $work/NAME.times
one() {
	name=$1; shift
	"$work/measure" "$@" >>"$work/$name.times" 2>"$work/err" ||
		die "$name: $(tail -n 3 "$work/err")"
}
median() { # FILE COLUMN
	sort -g -k"$2,$2" "$1" | awk -v c="$2" '{ v[NR] = $c }
		END { print NR % 2 ? v[(NR + 1) / 2] : (v[NR / 2] + v[NR / 2 + 1]) / 2 }'
}
# row NAME FLOOR TEXT
row() {
	awk -v w="$(median "$work/$1.times" 1)" -v c="$(median "$work/$1.times" 2)" \
		-v r="$(median "$work/$1.times" 3)" -v t="$3" -v b="$bytes" \
		-v fw="$(median "$work/$2.times" 1)" -v fc="$(median "$work/$2.times" 2)" 'BEGIN {
		printf "%-34s %8.0f %8.0f %6.2f %6.2f %8.0f %8.2f\n",
			t, w, c, w / fw, c / fc, b / w / 1048.576, r / 1024 }'
}
head_line() {
	printf '\n%-34s %8s %8s %6s %6s %8s %8s\n' "$1" "wall ms" "CPU ms" \
		"/floor" "CPU/" "MiB/s" "RSS MiB"
}
memdump() { n=$1; shift; one "$n" "$MEMBOX" memdump --root "$tree" -o - "$@"; }

i=0
while [ $((i += 1)) -le "$runs" ]; do
	# shellcheck disable=SC2086
	one floor "$work/preads" "$kcore" 65536 $ranges
	memdump lime -f lime --digest none
	memdump elf -f elf --digest none
	# shellcheck disable=SC2086
	one mib "$work/preads" "$kcore" 1048576 $ranges
	memdump sha -f lime
	one lz4tool lz4 -1 -c -q "$data"
	memdump lz4t2 -z lz4 -t 2 --digest none
	memdump lz4t1 -z lz4 -t 1 --digest none
	memdump lz4sha -z lz4 -t 2
done
one gziptool gzip -1 -c "$data"
memdump gzipt2 -z gzip -t 2 --digest none
one openssl openssl dgst -sha256 "$data" 2>/dev/null

head_line "raw, to /dev/null"
row floor floor "pread, 64 KiB, nothing else"
row mib floor "pread, 1 MiB"
row lime floor "memdump -f lime --digest none"
row elf floor "memdump -f elf --digest none"
row sha floor "memdump -f lime (sha256)"
head_line "lz4, to /dev/null"
row lz4tool lz4tool "lz4 -1, one thread"
row lz4t1 lz4tool "memdump -z lz4 -t 1 --digest none"
row lz4t2 lz4tool "memdump -z lz4 -t 2 --digest none"
row lz4sha lz4tool "memdump -z lz4 -t 2 (two sha256)"
head_line "gzip, to /dev/null"
row gziptool gziptool "gzip -1, one thread"
row gzipt2 gziptool "memdump -z gzip -t 2 --digest none"
echo
awk -v a="$(median "$work/lime.times" 2)" -v b="$(median "$work/sha.times" 2)" \
	-v n="$bytes" 'BEGIN { printf "sha256: %.0f ms of CPU more, %.0f MiB/s\n",
		b - a, n / (b - a) / 1048.576 }'
[ ! -s "$work/openssl.times" ] || row openssl openssl "openssl dgst -sha256"
size() { "$MEMBOX" memdump --root "$tree" -o - "$@" 2>/dev/null | wc -c; }
echo "sizes: lz4 $(size -z lz4), lz4 -1 $(lz4 -1 -c -q "$data" | wc -c)," \
	"gzip $(size -z gzip), gzip -1 $(gzip -1 -c "$data" | wc -c)"
echo "bounds: raw <= 1.15 x the floor; lz4 on 2 threads <= 1 x the tool;" \
	"RSS <= 4 MiB, with lz4 <= 4 + 3 x threads"

# ---- peers ------------------------------------------------------------------

if [ -n "$MEMBOX_PEERS" ]; then
	head_line "peers"
	in_tree() {
		n=$1; shift
		one "$n" unshare -m sh -c \
			'mount --bind "$0/proc" /proc && exec "$@"' "$tree" "$@"
	}
	if [ -x "$MEMBOX_PEERS/avml" ]; then
		avml=$(realpath "$MEMBOX_PEERS/avml")
		"$avml" --help 2>&1 | grep -q acquire && avml="$avml acquire"
		i=0
		while [ $((i += 1)) -le "$runs" ]; do
			# shellcheck disable=SC2086
			in_tree avml $avml --source /proc/kcore /dev/null
			# shellcheck disable=SC2086
			in_tree avmlz $avml --compress --source /proc/kcore /dev/null
		done
		row avml floor "avml"
		row avmlz lz4t2 "avml --compress (/memdump lz4 -t2)"
	fi
	if [ -x "$MEMBOX_PEERS/memr" ]; then
		memr=$(realpath "$MEMBOX_PEERS/memr")
		i=0
		while [ $((i += 1)) -le "$runs" ]; do
			in_tree memr "$memr" -c=false -p=false -f /dev/null /proc/kcore
			in_tree memrz "$memr" -p=false -f /dev/null /proc/kcore
		done
		row memr floor "memr -c=false"
		row memrz lz4t2 "memr (/memdump lz4 -t2)"
	fi
fi

# ---- what a dump does to the page cache -------------------------------------

cat >"$work/cache-effect" <<'X'
ln -s membox memdump
head -c 150000000 /dev/urandom >/disk/evidence
sync
fill() {
	echo 3 >/proc/sys/vm/drop_caches
	cat /disk/evidence >/dev/null
}
fill
echo "before $(load -r /disk/evidence)"
memdump -f lime --digest none -o /disk/a || exit
echo "memdump $(load -r /disk/evidence)"
size=$(stat -c %s /disk/a)
rm /disk/a
fill
dd if=/dev/zero of=/disk/a bs=1M count=$((size >> 20)) 2>/dev/null
echo "dd $(load -r /disk/evidence)"
X
echo
if "$top/tests/vm/run" -k 6.1 -m 512 -t 300 -D 2000 -f "$MEMBOX:/host/membox" \
	-f "$load" "$work/cache-effect" >"$work/effect" 2>&1
then
	awk '{ v[$1] = $2 } END { printf "page cache of a 512 MiB guest, a file " \
		"of 143 MiB: %d %% of it resident before, %d %% after memdump " \
		"to the same disk, %d %% after a plain write of as much\n",
		v["before"], v["memdump"], v["dd"] }' "$work/effect"
else
	echo "page cache: the guest failed: $(tail -n 3 "$work/effect")"
fi
