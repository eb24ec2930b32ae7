#!/bin/sh
# memtrack in the place of memstrack: an image that dracut itself made, booted
# with rd.memdebug=5. systemd starts it before udev loads modules; its report is
# in /.memstrack and in the journal, and the boot goes on to the root disk.

. "$(dirname "$0")/lib.sh"

CACHE=$("$VM/../../config/deps.sh" --cache)
kernel=$CACHE/kernel/6.1
{ [ -e "$CACHE/dracut/usr/bin/dracut" ] || command -v dracut >/dev/null; } &&
	[ -e "$kernel/vmlinuz" ] ||
	{ skip dracut: "no kernel 6.1 or no dracut; config/deps.sh test"; exit; }
cp "$MEMBOX" "$OUT/memstrack"
image=$("$VM/memtrack-image" 6.1 "$OUT/memstrack" 2>"$OUT/why")
if [ -z "$image" ] && [ "$(id -u)" != 0 ]; then
	skip dracut: "making the image needs root once"
	exit
fi
check image: test -s "$image" || { sed 's/^/# /' "$OUT/why"; exit; }

# ---- the image with our memstrack, and a root disk that tells ----
mkdir -p "$OUT/add/usr/bin"
cp "$OUT/memstrack" "$OUT/add/usr/bin/memstrack"
(cd "$OUT/add" && find . | cpio -o -H newc -R 0:0 --quiet) | gzip |
	cat "$image" - >"$OUT/initrd"

root=$OUT/root
mkdir -p "$root/sbin" "$root/bin" "$root/usr/lib" "$root/etc"
for d in proc sys dev run tmp lib; do mkdir -p "$root/$d"; done
cp "$CACHE/busybox/bin/busybox" "$root/bin"
ln -s busybox "$root/bin/sh"
echo ID=test | tee "$root/etc/os-release" >"$root/usr/lib/os-release"
cat >"$root/sbin/init" <<'EOF2'
#!/bin/sh
b=/bin/busybox
exec >/dev/ttyS1 2>&1
$b stty -F /dev/ttyS1 raw -echo
$b cat /run/memstrack.copy
echo "==== journal"
for j in /run/log/journal/*/*.journal; do
	$b grep -a -o 'Module [a-z_0-9]* using [^)]*)' $j
	$b grep -a -o '======== Report format [a-z_ A-Z]*: ========' $j
done
echo "==== left"
$b ls /sys/kernel/tracing/instances
$b ps | $b grep '[m]emstrack'
echo "==== end"
$b poweroff -f
EOF2
chmod 755 "$root/sbin/init"
truncate -s 32M "$OUT/disk"
mkfs.ext4 -q -F -O ^has_journal -d "$root" "$OUT/disk"

. "$VM/slot.sh"
take_slot
setpriv --pdeathsig TERM timeout -k 5 240 setpriv --pdeathsig KILL \
	qemu-system-x86_64 -accel tcg,thread=single -cpu max -m 768 -smp 2 \
	-nic none -no-reboot -display none -monitor none \
	-serial "file:$OUT/console" -serial "file:$OUT/log" \
	-kernel "$kernel/vmlinuz" -initrd "$OUT/initrd" \
	-append "console=ttyS0 panic=-1 root=/dev/vda rw rd.memdebug=5 \
	rd.shell=0 rd.emergency=poweroff" \
	-drive "file=$OUT/disk,format=raw,if=virtio" </dev/null
exec 8>&-

# ---- what it said ----
[ -s "$OUT/log" ] || { notok boot: "nothing came from the root disk"
	tail -n 30 "$OUT/console" | sed 's/^/# /'; exit; }
check boot-goes-on: grep -q '^==== end' "$OUT/log"
sed '/^==== journal/,$d' "$OUT/log" >"$OUT/report"
sed -n '/^==== journal/,/^==== left/p' "$OUT/log" >"$OUT/journal"
check report: sh -c "'$VM/memtrack-parse' '$OUT/report' >'$OUT/flat'"
check both-reports: test "$(grep -c '^report module_' "$OUT/flat")" = 2
for m in virtio_blk ext4; do
	check report-$m: grep -qE "^module $m [1-9]" "$OUT/flat"
	check journal-$m: grep -q "^Module $m using" "$OUT/journal"
done
check top: grep -q '^top -1 0 0 virtio_blk' "$OUT/flat"
check journal: test "$(grep -c '^==== *Report\|Report format' \
	"$OUT/journal")" = 2
check none-left: test "$(sed -n '/^==== left/,/^==== end/p' "$OUT/log" |
	wc -l)" = 2
check service: grep -q 'Stopped.*memstrack' "$OUT/console"
