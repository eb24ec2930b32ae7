#!/bin/sh
# memmaps on real kernels: types, totals, pages, pictures, snapshots of a
# process whose regions are known; what needs Python or GNU tar is judged here
# from what the guest brought back

. "$(dirname "$0")/lib.sh"
top=$(realpath "$VM/../..")
PYTHON=/usr/bin/python3

cat >"$OUT/guest" <<'EOF2'
. ./guest.sh
applets
modprobe zram 2>/dev/null
echo 64M >/sys/block/zram0/disksize && mkswap /dev/zram0 >/dev/null &&
	swapon /dev/zram0 || notok swap: "no zram"
echo 2 >/proc/sys/vm/nr_hugepages
echo madvise >/sys/kernel/mm/transparent_hugepage/enabled
mkdir -p /out

memmaps-victim >/out/regions &
pid=$!
echo $pid >/out/pid
while ! grep -q ready /out/regions; do
	sleep 0.1
	kill -0 $pid || { notok victim: "died"; exit; }
done
start() { sed -n "s/^$1 \([0-9a-f]*\) .*/\1/p" /out/regions; }
end() { sed -n "s/^$1 [0-9a-f]* //p" /out/regions; }

# ---- types: one row for each region that was made ----
memmaps --bytes $pid >/out/table
row() { grep "^$(start $1)-" /out/table; }
type_is() {
	row $1 | awk -v t=$2 -v k=$3 '{ ok = $7 == t && $8 == k }
		END { exit !ok }' || { row $1; return 1; }
}
for want in known:anonymous:- jit:anonymous:jit shared:anonymous:shared_anon \
	memfd:anonymous:memfd shm:anonymous:shm stack:anonymous:thread_stack \
	guard:anonymous:guard hugetlb:anonymous:hugetlb \
	deleted:shared_lib:deleted hostile:mapped_file:-; do
	set -- $(echo $want | tr : ' ')
	check type-$1: type_is $1 $2 $3
done
# CONFIG_ANON_VMA_NAME
if grep -q 'anon:a name' /proc/$pid/maps; then
	check type-named: type_is named anonymous named_anon
fi
check type-main-stack: grep -q 'stack       -            \[stack\]' /out/table
check type-heap: grep -q 'heap        -            \[heap\]' /out/table
check no-raw-escape: sh -c '! grep -q "$(printf "\033")" /out/table'

# ---- totals ----
rollup() { awk -v k=$1: '$1 == k { print $2 * 1024 }' \
	/proc/$pid/smaps_rollup; }
total() { awk -v f=$1 '/^total:/ { print $(NF - f) }' /out/table; }
near() { # PSS is rounded region by region
	test $1 -le $2 -a $((($2 - $1) / 1024)) -le 64
}
check rss: test "$(total 3)" = "$(rollup Rss)"
check swap: test "$(total 1)" = "$(rollup Swap)"
check swap-is-there: test "$(total 1)" -ge 2097152
check pss: near "$(total 2)" "$(rollup Pss)"
same() { test "$1" = "$2" || { echo "$1, not $2"; return 1; }; }
check known-rss: same "8388608 8388608 0" "$(row known |
	awk '{ print $3, $4, $6 }')"

# ---- pages ----
memmaps --pages --json $pid >/out/pages.json || notok pages: $?
memmaps --pages $pid >/out/pages
for r in known sparse swapped thp hugetlb; do
	first=$((0x$(start $r) / 4096)) last=$((0x$(end $r) / 4096))
	dd if=/proc/$pid/pagemap bs=8 skip=$first count=$((last - first)) \
		of=/out/pagemap.$r 2>/dev/null
done
swapped_pages() {
	test "$(awk '$4 == "swapped" { n += $3 } END { print n * 4096 }' \
		/out/pages)" = "$(rollup Swap)"
}
check swapped-pages: swapped_pages
check huge-flags: grep -q 'thp' /out/pages
check hugetlb-flags: grep -q 'huge,' /out/pages

# ---- pictures ----
cat /proc/iomem >/out/iomem
for c in mapped process user cgroup flags order; do
	check picture-$c: memmaps --png /out/$c.png --color $c
done
check picture-pid: memmaps --png /out/pid.png --pid $pid --scale 1
# hugetlb pages are not in RSS
echo $(($(total 3) / 4096 + 512)) >/out/resident
check picture-virtual: memmaps --virtual $pid --png /out/virtual.png --scale 1
check term: memmaps --term
check term-virtual: memmaps --virtual $pid --term

# ---- snapshots: itself and the shell aside nothing here changes ----
memstats --bytes >/out/memstats 2>/dev/null
shmat >/out/shmat
check snapshot: memmaps --snapshot /out/s.tar --all
memmaps -x --bytes $pid >/out/extended

# ---- 32 bits: no vsyscall page ends its list ----
memmaps-32 >/out/said &
small=$!
while ! grep -q ready /out/said && kill -0 $small; do sleep 0.1; done
bits32() {
	memmaps --bytes $small >/out/32
	grep -q '^804.* 1048576 *8192 *8192 .*anonymous   bss ' /out/32 &&
		grep -q '\[vdso\]' /out/32 && ! grep vsyscall /out/32
}
check bits32: bits32
check bits32-pages: sh -c "memmaps --pages $small | grep -q '254 absent'"

# ---- all, as JSON; another user; one that ends ----
memmaps --all --json --smaps >/out/all.json || notok all: $?
memmaps --all --json --full --compact >/out/full.json || notok full: $?
memmaps --all --ndjson >/out/lines.json || notok lines: $?
memc --all --smaps --skip-kernel -o /out/memc.json || notok memc: $?
chmod 755 / /host
memmaps-victim as 65534 ./memmaps --all --json >/out/denied.json 2>/out/why
[ $? = 3 ] && grep -q CAP_SYS_PTRACE /out/why && ok denied: "status 3" ||
	notok denied: "$(cat /out/why)"
memmaps-victim as 65534 ./memmaps 1 2>/out/why
[ $? = 1 ] && grep -q denied /out/why && ok denied-one: "status 1" ||
	notok denied-one: "$(cat /out/why)"
hidden() {
	memmaps-victim as 65534 ./memmaps --png /tmp/x.png 2>&1 |
		grep -q CAP_SYS_ADMIN && ! ls /tmp/x.png* 2>/dev/null
}
check picture-denied: hidden
memmaps-lib | grep -E '^(PASS|FAIL|#)'
[ $? = 0 ] || notok lib: "said nothing"
sleep 1 &
check ends: sh -c "./memc $! --interval 200 --count 0 >/out/ends.json"
EOF2

strict() { $PYTHON -c '
import json, sys
text = open(sys.argv[1], "rb").read().decode("utf-8", "strict")
docs = [json.loads(t) for t in
        (text.splitlines() if sys.argv[1].endswith("ends.json") or
         sys.argv[1].endswith("lines.json") else [text])]
d = docs[0]
exec(sys.argv[2])' "$@"; }

# every process that can be read is there, totals are sums
sums='
assert d["process_count"] == len(d["processes"]) > 0
assert d["skipped_count"] == len(d["skipped_processes"])
for p in d["processes"]:
    s = p["snapshot"]
    assert s["region_count"] == len(s["regions"])
    assert s["total_vsize_kb"] == sum(r["size_kb"] for r in s["regions"])
    if s["regions"] and "rss_kb" in s["regions"][0]:
        assert s["total_rss_kb"] == sum(r["rss_kb"] for r in s["regions"])'
hostile='
p, = [p for p in d["processes"] if p["name"].startswith("vic")]
assert bytes.fromhex(p["name_hex"]) == b"vic\xfftim)"
r, = [r for r in p["snapshot"]["regions"] if "/tmp/a " in r.get("pathname", "")]
assert bytes.fromhex(r["pathname_hex"]) == b"/tmp/a \"name\"\\012of\x1b[31m\xff"
f, = [r for r in p["snapshot"]["regions"] if r["subtype"] == "hugetlb"]
assert f["private_hugetlb_kb"] == 2048 and "ht" in f["vm_flags"]
p, = [p for p in d["processes"] if p["name"] == "memmaps-32"]
assert [r["size_kb"] for r in p["snapshot"]["regions"]
        if r["subtype"] == "bss"] == [1024]'
all_sums() { strict "$o/out/all.json" "$sums"; }
full_names() { strict "$o/out/full.json" "$sums$hostile"; }
memc_sums() { strict "$o/out/memc.json" "$sums"; }
kernel_threads() { strict "$o/out/memc.json" '
why = [p["reason"] for p in d["skipped_processes"]]
assert len(why) > 10 and set(why) == {"kernel"}'; }
denied_reason() { strict "$o/out/denied.json" '
assert "denied" in [p["reason"] for p in d["skipped_processes"]]'; }
a_line_each() { strict "$o/out/lines.json" '
assert len(docs) == docs[-1]["process_count"] + 1'; }
ended() { strict "$o/out/ends.json" 'assert len(docs) >= 2'; }

same_memstats()
{
	"$MEMBOX" memstats --bytes --root "$1/tree" >"$1/memstats" 2>/dev/null
	# what ran meanwhile is not the same: the shell, memstats, memmaps
	for f in "$1/memstats" "$1/out/memstats"; do
		grep -vE 'memstats|memmaps |sh$|sh /|busybox|\[k|TOTAL' \
			"$f" | awk '{ $1 = $1; print }' | sort >"$f.own"
	done
	grep -q memmaps-victim "$1/memstats.own" &&
		diff "$1/memstats.own" "$1/out/memstats.own"
}
same_table()
{
	"$MEMBOX" memmaps -x --bytes --root "$1/tree" "$(cat "$1/out/pid")" |
		diff - "$1/out/extended"
}
same_shmat()
{
	"$MEMBOX" shmat --root "$1/tree" >"$1/shmat"
	grep -q " 1.0 MiB " "$1/shmat" && diff "$1/shmat" "$1/out/shmat"
}
unpack() { mkdir "$1/tree" && tar xf "$1/out/s.tar" -C "$1/tree"; }
pixels()
{
	pngtopnm "$1/out/pid.png" >"$1/pid.ppm" &&
		$PYTHON "$top/tests/cli/memmaps/picture.py" "$1/pid.ppm" \
		"$1/out/iomem" "$1/out/pagemap.known" \
		"$(cat "$1/out/resident")"
}
pages_agree()
{
	$PYTHON - "$1/out" <<-'X'
	import json, struct, sys
	out = sys.argv[1]
	d = json.load(open(out + "/pages.json"))
	regions = dict((n, (int(a, 16), int(b, 16))) for n, a, b in
	    (l.split() for l in open(out + "/regions") if " " in l))
	pages = {}
	for r in d["pages"]:
	    for i in range(r["pages"] if r["state"] != "absent" else 0):
	        pages[r["start"] + 4096 * i] = (r, i)
	for name in "known", "sparse", "swapped", "thp", "hugetlb":
	    start, end = regions[name]
	    entries = open("%s/pagemap.%s" % (out, name), "rb").read()
	    there = 0
	    for n, (e,) in enumerate(struct.iter_unpack("Q", entries)):
	        got = pages.get(start + 4096 * n)
	        if not e >> 62:
	            assert got is None, (name, n)
	            continue
	        there += 1
	        r, i = got
	        if e >> 63:
	            assert r["state"] == "present", (name, n, r)
	            assert r["pfn"] + i == e & (1 << 55) - 1
	            assert r["mapcount"] == 1
	        else:
	            assert r["state"] == "swapped", (name, n, r)
	            assert r["swap_type"] == e & 31
	            assert r["swap_offset"] + i == e >> 5 & (1 << 50) - 1
	    print(name, there)
	    if name == "sparse":
	        assert there == 3
	X
}

as --32 "$VM/memmaps-32.s" -o "$OUT/32.o" &&
	ld -m elf_i386 "$OUT/32.o" -o "$OUT/memmaps-32" ||
	{ notok assemble: "as and ld: no 32-bit programs"; exit; }

# the library, by its own build with musl
make -s -C "$top" lib CC=musl-gcc O=build/lib-musl-gcc >"$OUT/said" 2>&1 ||
	{ notok lib-build: "$(tail -n 3 "$OUT/said")"; exit; }
lib=$top/build/lib-musl-gcc/lib
lib=$("$VM/cc" "$VM/memmaps-lib.c" -DSUM="$(cksum <"$lib/libmembox.a" |
	cut -d' ' -f1)" -I"$lib" "$lib/libmembox.a" -pthread)

for k in 6.1 6.12; do
	vm $k -t 300 -m 512 -f "$("$VM/cc" "$VM/memmaps-victim.c")" \
		-f "$lib" -f "$OUT/memmaps-32" "$OUT/guest"
	o=$OUT/$k
	[ -e "$o/out/all.json" ] || { notok $k/results: none; continue; }
	for what in all_sums full_names memc_sums kernel_threads \
		denied_reason a_line_each ended; do
		check $k/$what: $what
	done
	check $k/pages: pages_agree "$o"
	for png in "$o"/out/*.png; do
		check $k/reader-$(basename "$png"): sh -c \
			"pngtopnm '$png' >/dev/null"
	done
	check $k/known-pixels: pixels "$o"
	check $k/gnu-tar: unpack "$o"
	check $k/memstats-root: same_memstats "$o"
	check $k/table-root: same_table "$o"
	check $k/shmat-root: same_shmat "$o"
	rm -rf "${OUT:?}/$k"
done
