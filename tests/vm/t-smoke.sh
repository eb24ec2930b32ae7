#!/bin/sh
# vm: the runner itself: kernels boot, files go in and come back, limits hold

. "$(dirname "$0")/lib.sh"

cat >"$OUT/guest" <<'EOF2'
. ./guest.sh

mounted()
{
	for d; do
		grep -q " $d " /proc/mounts || { echo "no $d"; return 1; }
	done
}
check mounts: mounted /proc /sys /dev /tmp /sys/kernel/tracing /sys/fs/cgroup
check disk: mounted /disk
if [ -d /lib/modules ]; then
	check modules: modprobe -a ext4 loop zram brd virtio_mem
fi
check given-file: test "$(cat /etc/given)" = "as said"
check given-mode: test -x ./tool -a ! -x /etc/given

if [ -x ./membox ]; then
	check membox: ./membox --list
else
	skip membox: "not built"
fi

mkdir -p "/out/a b" "/disk/a b"
head -c 300000 /dev/urandom >"/out/a b/small"
head -c 30000000 /dev/urandom >"/disk/a b/big"
# 40 GB of hole with a page at its end, in pieces that make the extents many
dd if=/dev/urandom of=/disk/holes bs=4k seek=10000000 count=1 2>/dev/null
for i in 1 3 5 7 9 11 13 15 17 19; do
	dd if=/dev/urandom of=/disk/holes bs=4k seek=$i count=1 conv=notrunc
done 2>/dev/null
md5sum "/out/a b/small" "/disk/a b/big" >/out/sums
dd if=/disk/holes bs=4k count=20 2>/dev/null | md5sum >/out/holes
tail -c 4096 /disk/holes | md5sum >>/out/holes
uname -r >/out/release
sleep 1000 & # must not keep the machine up
EOF2

echo "as said" >"$OUT/given"
printf '#!/bin/sh\n' >"$OUT/tool"
chmod 755 "$OUT/tool"

same_sums() { (cd "$1" && sed 's| /| |' out/sums | md5sum -c); }
same_holes()
{
	{
		dd if="$1" bs=4k count=20 2>/dev/null | md5sum
		tail -c 4096 "$1" | md5sum
	} | cmp - "$2" && [ "$(du -k "$1" | cut -f1)" -lt 1000 ]
}
status_is() { want=$1; shift; "$@"; [ $? = "$want" ]; }

for k in 6.1 6.12 test; do
	began=$(date +%s)
	vm $k -D 65536 -f "$OUT/given:/etc/given" -f "$OUT/tool" "$OUT/guest" ||
		continue
	ok "$k/boot:" "$(cat "$OUT/$k/out/release")," \
		"$(($(date +%s) - began)) s in all"
	check "$k/files:" same_sums "$OUT/$k"
	check "$k/sparse:" same_holes "$OUT/$k/disk/holes" "$OUT/$k/out/holes"
	rm -rf "${OUT:?}/$k"
done

"$VM/run" -p || { skip limits: "no test kernel"; exit; }
echo 'echo said; exit 7' >"$OUT/seven"
check status: status_is 7 "$VM/run" -d "$OUT/o" "$OUT/seven"
check log: grep -qx said "$OUT/o/log"
echo 'echo up; sleep 1000' >"$OUT/slow"
check time-limit: status_is 124 "$VM/run" -t 5 "$OUT/slow"
echo 'echo last words; sleep 1; echo c >/proc/sysrq-trigger' >"$OUT/crash"
check crash: status_is 125 "$VM/run" -d "$OUT/o" "$OUT/crash"
check crash-log: grep -qx 'last words' "$OUT/o/log"

# A panic with a capture kernel: what that one saves is the old memory.
cat >"$OUT/capture" <<'EOF2'
echo "captured $(od -An -c -N4 /proc/vmcore)"
dd if=/proc/vmcore of=/disk/head bs=1M count=1 2>/dev/null
exit 5
EOF2
echo 'echo c >/proc/sysrq-trigger' >"$OUT/panic"
elf_head() { [ "$(head -c 4 "$1")" = "$(printf '\177ELF')" ]; }
for k in 6.1 6.12 test; do
	"$VM/run" -k $k -p || continue
	check $k/kdump: status_is 5 "$VM/run" -k $k -d "$OUT/o" -D 1024 \
		-K "$OUT/capture" "$OUT/panic"
	check $k/vmcore: elf_head "$OUT/o/disk/head"
done

# Ended by a signal, the runner leaves no machine behind.
no_machine() { ! pgrep -f "file:$OUT/killed/log" >/dev/null; }
"$VM/run" -d "$OUT/killed" "$OUT/slow" 2>/dev/null &
runner=$!
while [ ! -s "$OUT/killed/log" ] && kill -0 $runner 2>/dev/null; do sleep 0.2; done
kill $runner
wait $runner
check no-orphan: no_machine
