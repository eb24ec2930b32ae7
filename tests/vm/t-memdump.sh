#!/bin/sh
# memdump on real kernels: a page planted in RAM stands in the image at its
# physical address, the image's ranges are iomem's, and the field's readers
# open it; memory that was plugged in is there; what lockdown forbids is told

. "$(dirname "$0")/lib.sh"
PATH=$PATH:/usr/sbin:/sbin
IMAGE=$VM/../emu/image
marker=$("$VM/cc" "$VM/marker.c") || exit

# ---- the guests -------------------------------------------------------------

# $1 = MiB among which the planted page is chosen
cat >"$OUT/common" <<'EOF2'
. ./guest.sh
applets
cat /proc/iomem >/out/iomem
cat /proc/modules >/out/modules
uname -r >/out/release
plant()
{
	marker "$1" /out/page >/out/phys &
	until [ -s /out/phys ]; do sleep 0.1; done
}
EOF2

# dump FILE OPTIONS...: an image on the disk, its manifest beside it
cat >"$OUT/images" <<'EOF2'
. ./common
plant 8
dump() { f=$1; shift; check "$f:" memdump -o "/disk/$f" "$@"; }
dump a.lime
dump a.raw -f raw --digest none
dump a.elf -f elf --digest none --symbols /disk/symbols.tar.gz
dump a.lime.lz4 -f lime -t 2
dump a.elf.gz -f elf --range 0-0x1ffffff

# a pipe takes it as well, with the sum on stderr
memdump -o - -f lime --range 0x100000-0x8fffff 2>/out/pipe.err |
	sha256sum >/out/pipe.sum
check pipe: grep -q "$(cut -c 1-64 /out/pipe.sum)" /out/pipe.err

# told COMMAND..: its message goes to /out/told
told() { "$@" >/dev/null 2>/out/told; }
# a RAM disk would take the memory that is dumped
told memdump -o /tmp/a.lime --range 0x100000-0x1fffff
check tmpfs: test $? = 1 -a -s /out/told -a -z "$(ls /tmp)"
check tmpfs-why: grep -qi 'tmpfs' /out/told
# STRICT_DEVMEM of a stock kernel
told memdump -s /dev/mem -o /disk/m.lime
check devmem: test $? = 1 -a ! -e /disk/m.lime -a ! -e /disk/m.lime.part
check devmem-why: grep -q 'STRICT_DEVMEM' /out/told
# not root
echo 'nobody:x:65534:65534::/:/bin/sh' >/etc/passwd
mkdir /disk/open && chmod 777 /disk/open
told su nobody -s /bin/sh -c '/host/membox memdump -o /disk/open/n.lime'
check nobody: test $? = 1 -a -z "$(ls /disk/open)"
check nobody-why: grep -q 'CAP_SYS_RAWIO\|CAP_SYS_ADMIN\|CAP_DAC\|root' /out/told
# stopped in the middle: nothing under the name, no part
memdump -o /disk/stop.lime --limit-rate 1M --digest none & pid=$!
sleep 2
kill -INT $pid
wait $pid
check stopped: test $? = 1 -a -z "$(ls /disk/stop* 2>/dev/null)"
EOF2

cat >"$OUT/plugged" <<'EOF2'
. ./common
# plugging takes its time
for i in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do
	[ "$(grep -c 'System RAM (virtio_mem)' /proc/iomem)" = 0 ] || break
	sleep 0.5
done
sleep 2
cat /proc/iomem >/out/iomem
plant 64
check plugged-page: test "$(($(cat /out/phys)))" -ge $((0x100000000))
check plugged: memdump -o /disk/v.lime.lz4 -t 2 --digest none
check plugged-elf: memdump -o /disk/v.elf -f elf --digest none --range 0x100000000-0x13fffffff
EOF2

cat >"$OUT/locked" <<'EOF2'
. ./common
memdump -o /disk/l.lime 2>/out/told
check lockdown: test $? = 1 -a -z "$(ls /disk | grep -v lost)"
check lockdown-why: grep -q /sys/kernel/security/lockdown /out/told
memdump --dry-run >/out/dry 2>&1
echo $? >>/out/dry
EOF2

# ---- what the host makes of it ----------------------------------------------

# image OPTIONS FILE
image()
{
	set -- --page "$(cat "$D/out/phys"):$D/out/page" "$@"
	_opts=
	while [ $# -gt 1 ]; do _opts="$_opts $1"; shift; done
	# shellcheck disable=SC2086
	/usr/bin/python3 "$IMAGE" $_opts "$D/out/iomem" "$1"
}
manifest() { /usr/bin/python3 "$VM/../emu/manifest" "$@"; }

crash_release() { [ "$(crash --osrelease "$1")" = "$release" ]; }
dmesg_of()
{
	rm -f "$D/dmesg.txt"
	makedumpfile --dump-dmesg "$1" "$D/dmesg.txt" &&
		grep -q "Linux version $release " "$D/dmesg.txt"
}
# Without debug information: a kernel, its release read at init_uts_ns through
# the text segment, and a module's first bytes through the page tables.
drgn_reads()
{
	/usr/bin/python3 - "$1" "$release" "$D/out/modules" <<'EOF2'
import drgn, re, sys
p = drgn.Program()
p.set_core_dump(sys.argv[1])
assert p.flags & drgn.ProgramFlags.IS_LINUX_KERNEL, p.flags
with open(sys.argv[1], "rb") as f:
    info = f.read(65536).decode("latin1")
at = int(re.search(r"SYMBOL\(init_uts_ns\)=([0-9a-f]+)", info)[1], 16)
at += int(re.search(r"OFFSET\(uts_namespace.name\)=(\d+)", info)[1])
release = p.read(at + 130, 65).split(b"\0")[0].decode()
assert release == sys.argv[2], release
module = int(open(sys.argv[3]).readline().split()[5], 16)
assert any(p.read(module, 256)), "module text is zero"
EOF2
}
symbols()
{
	tar tvzf "$D/disk/symbols.tar.gz" >"$D/symbols" || return
	for f in kallsyms modules version cmdline iomem vmcoreinfo; do
		grep -q "$f" "$D/symbols" || { cat "$D/symbols"; return 1; }
	done
}

# sums FILE TOOL..: what the tool gives back, and the file itself, have the sums
# that the manifest tells
sums()
{
	_m=$D/disk/$1.json _f=$D/disk/$1
	shift
	manifest check "$_m" &&
		[ "$("$@" <"$_f" | sha256sum | cut -c 1-64)" = \
			"$(manifest image_sum "$_m")" ] &&
		[ "$(sha256sum <"$_f" | cut -c 1-64)" = \
			"$(manifest file_sum "$_m")" ]
}
same_ranges()
{
	manifest ranges "$D/disk/a.lime.json" >"$D/ranges" &&
		[ "$(manifest ram "$D/disk/a.lime.json")" = \
			"$(stat -c %s "$D/disk/a.lime" | awk -v n="$(wc -l <"$D/ranges")" \
			'{ print $1 - 32 * n }')" ]
}

for k in 6.1 6.12; do
	vm $k -m 160 -D 1500 -t 300 -f "$marker" -f "$OUT/common" "$OUT/images" ||
		[ -e "$OUT/$k/out/phys" ] || continue
	D=$OUT/$k
	release=$(cat "$D/out/release")
	check "$k/lime:" image -f lime "$D/disk/a.lime"
	check "$k/lime-total:" same_ranges
	check "$k/raw:" image -f raw --sparse "$D/disk/a.raw"
	check "$k/elf:" image -f elf "$D/disk/a.elf"
	check "$k/lz4:" image -f lime -z lz4 "$D/disk/a.lime.lz4"
	check "$k/lime-sums:" sums a.lime cat

	check "$k/lz4-sums:" sums a.lime.lz4 lz4 -dcq
	check "$k/gzip-sums:" sums a.elf.gz gzip -dc
	check "$k/crash:" crash_release "$D/disk/a.elf"
	check "$k/makedumpfile:" dmesg_of "$D/disk/a.elf"
	check "$k/drgn:" drgn_reads "$D/disk/a.elf"
	check "$k/symbols:" symbols
	rm -rf "${D:?}/disk"
done

# Memory that was plugged in: above 4 GiB, below its device in iomem.
if vm 6.12 -m 160,maxmem=3G -D 1000 -t 240 \
	-a memhp_default_state=online -M +virtio_mem \
	-q '-object memory-backend-ram,id=v,size=1G -device virtio-mem-pci,id=d,memdev=v,requested-size=128M' \
	-f "$marker" -f "$OUT/common" "$OUT/plugged" ||
	[ -e "$OUT/6.12/out/phys" ]
then
	D=$OUT/6.12
	check virtio-mem/iomem: grep -q 'System RAM (virtio_mem)' "$D/out/iomem"
	check virtio-mem/lime: image -f lime -z lz4 "$D/disk/v.lime.lz4"
	check virtio-mem/elf: image -f elf --only 0x100000000-0x140000000 "$D/disk/v.elf"
	rm -rf "${D:?}/disk"
fi

vm 6.1 -m 160 -D 500 -a lockdown=confidentiality -f "$OUT/common" "$OUT/locked"
