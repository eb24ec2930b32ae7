#!/bin/sh
# memdump in the kernel that a crash started: /proc/vmcore is what it reads
# unasked, in a few MiB of memory; the crashed kernel's RAM, log and registers
# are in the image, and the field's readers open it

. "$(dirname "$0")/lib.sh"
PATH=$PATH:/usr/sbin:/sbin
marker=$("$VM/cc" "$VM/marker.c") || exit

cat >"$OUT/crash" <<'EOF2'
marker 8 /disk/page >/disk/phys &
until [ -s /disk/phys ]; do sleep 0.1; done
grep ': System RAM\|: Crash kernel' /proc/iomem >/disk/iomem
sync
echo 'vmcore wanted' >/dev/kmsg
echo c >/proc/sysrq-trigger
EOF2

cat >"$OUT/capture" <<'EOF2'
. ./guest.sh
applets
check elf: memdump -f elf -o /disk/core.elf
memdump -q -t 2 /disk/core.lime.lz4 & dump=$!
# the peak so far, until it is done
while grep VmHWM /proc/$dump/status >/disk/now 2>/dev/null &&
	[ -s /disk/now ]; do mv /disk/now /disk/peak; sleep 0.3; done
wait $dump
check lime: test $? = 0
check peak: test "$(awk '{ print $2 }' /disk/peak)" -lt 6144
cat /disk/peak
EOF2

# The ranges of RAM that the crashed kernel had, without the crash kernel's and
# the first MiB, which its firmware and the capture kernel share.
ranges()
{
	/usr/bin/python3 - "$1/iomem" "$1/core.elf.json" <<'EOF2'
import json, sys
ram, crash = [], []
for line in open(sys.argv[1]):
    span, name = line.strip().split(" : ")
    a, b = (int(x, 16) for x in span.split("-"))
    (crash if name == "Crash kernel" else ram).append((a, b + 1))
want = []
for a, b in ram:
    for c, d in crash:
        want += [(a, min(b, c)), (max(a, d), b)]
want = [(a, b & ~4095) for a, b in want if a < b and b > 1 << 20]
got = [(r["start"], r["end"] + 1)
       for r in json.load(open(sys.argv[2]))["ranges"] if r["end"] >= 1 << 20]
assert got == want, (got, want)
EOF2
}
# Each LOAD that has the address has the page.
planted()
{
	/usr/bin/python3 - "$@" <<'EOF2'
import struct, sys
core, phys, page = open(sys.argv[1], "rb"), int(sys.argv[2], 0), sys.argv[3]
h = core.read(64)
at, n = struct.unpack_from("<Q", h, 32)[0], struct.unpack_from("<H", h, 56)[0]
found = 0
for i in range(n):
    core.seek(at + 56 * i)
    t, _, off, _, pa, size = struct.unpack("<IIQQQQ", core.read(40))
    if t == 1 and pa <= phys < pa + size:
        core.seek(off + phys - pa)
        assert core.read(4096) == open(page, "rb").read()
        found += 1
assert found
EOF2
}
lime_page()
{
	lz4 -dcq "$1/core.lime.lz4" | /usr/bin/python3 -c '
import struct, sys
phys, page = int(sys.argv[1], 0), open(sys.argv[2], "rb").read()
f, found = sys.stdin.buffer, 0
while h := f.read(32):
    magic, _, a, b, _ = struct.unpack("<IIQQQ", h)
    assert magic == 0x4c694d45
    data = f.read(b + 1 - a)
    assert len(data) == b + 1 - a
    if a <= phys <= b:
        assert data[phys - a:phys - a + 4096] == page
        found += 1
assert found == 1' "$(cat "$1/phys")" "$1/page"
}
log_has()
{
	rm -f "$OUT/dmesg"
	makedumpfile --dump-dmesg "$1" "$OUT/dmesg" &&
		grep -q 'vmcore wanted' "$OUT/dmesg" &&
		grep -q 'sysrq triggered crash' "$OUT/dmesg"
}
registers() { [ "$(readelf -n "$1" | grep -c NT_PRSTATUS)" = 2 ]; }
opens()
{
	/usr/bin/python3 -c '
import drgn, sys
p = drgn.Program()
p.set_core_dump(sys.argv[1])
assert p.flags & drgn.ProgramFlags.IS_LINUX_KERNEL' "$1"
}

for k in 6.1 6.12; do
	vm $k -m 400 -D 1024 -t 300 -f "$marker" -K "$OUT/capture" "$OUT/crash" ||
		[ -e "$OUT/$k/disk/core.elf" ] || continue
	D=$OUT/$k/disk
	check $k/source: grep -q '"source": "/proc/vmcore"' "$D/core.elf.json"
	check $k/ranges: ranges "$D"
	check $k/page: planted "$D/core.elf" "$(cat "$D/phys")" "$D/page"
	check $k/lime-page: lime_page "$D"
	check $k/registers: registers "$D/core.elf"
	check $k/log: log_has "$D/core.elf"
	check $k/crash: test "$(crash --osrelease "$D/core.elf")" = \
		"$(sed -n 's/.*"OSRELEASE": "\(.*\)".*/\1/p' "$D/core.elf.json")"
	check $k/drgn: opens "$D/core.elf"
	sed -n 's/^VmHWM:/# lime, lz4, 2 threads: peak/p' "$OUT/$k/log"
	rm -rf "$D"
done
