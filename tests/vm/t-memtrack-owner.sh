#!/bin/sh
# memtrack where page_owner tells, and where the kernel is locked down

. "$(dirname "$0")/lib.sh"

PROG=$("$VM/cc" "$VM/memtrack-prog.c" -O1 -fno-omit-frame-pointer) || exit

cat >"$OUT/owner" <<'EOF2'
. ./guest.sh
applets
./memtrack-prog hold 64 60 >/out/hold &
holder=$!
while [ ! -s /out/hold ]; do sleep 0.1; done
modprobe brd rd_nr=1 rd_size=65536 2>/dev/null
cat /sys/kernel/debug/page_owner >/out/page_owner
check owner: ./memtrack -b pageowner \
	-r summary,module_summary,task_summary,task_top:top=2,task_top_json:top=2 \
	-o /out/report
check owner-file: ./memstrack --notui --backend pageowner \
	--pageowner-file /out/page_owner --report task_summary -o /out/filed
check owner-json: sh -c './memtrack -b pageowner --json -r task_summary >/out/json'
echo $holder >/out/holder
umount /sys/kernel/debug
./memtrack -b pageowner 2>/out/why
check owner-none: test $? = 1
check owner-why: grep -q 'mount -t debugfs' /out/why
EOF2

cat >"$OUT/locked" <<'EOF2'
. ./guest.sh
applets
mount -t securityfs s /sys/kernel/security 2>/dev/null
check locked: grep -q '\[confidentiality\]' /sys/kernel/security/lockdown
check no-tracefs: sh -c '! test -e /sys/kernel/tracing/trace'
./memtrack --duration 1 -o /out/x 2>/out/why
check refused: test $? = 1
check why: grep -q 'locked down.*lockdown=confidentiality' /out/why
check nothing-left: test ! -e /out/x -a ! -e /out/x.part
cat /out/why | sed 's/^/# /'
EOF2

field() { awk -v k="$2" -v n="$3" -v f="$4" '$1 == k && $2 == n { v = $f }
	END { print v + 0 }' "$1"; }
near() { [ $((($1 - $2) * 1000)) -le "$2" ] && [ $((($2 - $1) * 1000)) -le "$2" ]; }

if vm test -m 512 -f "$PROG" -a page_owner=on "$OUT/owner"; then
	o=$OUT/test/out
	# what the text itself says that all, and the holder, have
	awk -v h="$(cat "$o/holder")" '/^Page allocated/ {
		match($0, /order [0-9]+/)
		n = 2 ^ substr($0, RSTART + 6, RLENGTH - 6)
		if (index($0, ", tgid " h " "))
			held += n
		all += n } END { print held, all }' "$o/page_owner" >"$o/truth"
	read -r held all <"$o/truth"
	for f in report filed; do
		check "test/parse-$f:" sh -c \
			"'$VM/memtrack-parse' '$o/$f' >'$o/$f.flat'"
	done
	got=$(field "$o/filed.flat" task "$(cat "$o/holder")" 3)
	check "test/holder: $held pages, $got reported," test "$got" = "$held"
	check "test/known: 16384 pages at least," test "$got" -ge 16384
	got=$(awk '/^task / { n += $3 } END { print n }' "$o/filed.flat")
	check "test/all: $all pages, $got reported," near "$got" "$all"
	check "test/json:" "$VM/memtrack-parse" --json "$o/json"
fi
vm 6.12 -m 512 -a lockdown=confidentiality "$OUT/locked"
