#!/bin/sh
# shmat: segments of every kind on real kernels, seen and left as they were

. "$(dirname "$0")/lib.sh"

cat >"$OUT/guest" <<'EOF2'
. ./guest.sh
applets
is() { if [ "$2" = "$3" ]; then ok "$1" "$2"; else notok "$1" "$2, not $3"; fi; }
field() { awk -v id="$1" -v f="$2" '$2 == id { print $f }' /proc/sysvipc/shm; }
rss() { field "$1" 15; }
status_is() { want=$1; shift; "$@"; got=$?; [ $got = "$want" ] || { echo "status $got"; return 1; }; }

# made, written, dumped: equal, and no page more than was written
S=$(shmat create 8M --key 0x4d42 --mode 640)
is created "$(field "$S" 1) $(field "$S" 3) $(field "$S" 4)" "19778 640 8388608"
check key-taken: status_is 1 shmat create 1M --key 0x4d42
head -c 100000 /dev/urandom >/tmp/a
head -c 5000 /dev/urandom >/tmp/b
check write: sh -c "shmat write 0x4d42 1M </tmp/a && shmat write $S 5M </tmp/b"
before=$(rss "$S")
is written "$before" $(((25 + 2) * 4096))
check dump: shmat dump "$S" -o /disk/img
check dump-sparse: shmat dump "$S" -o /disk/sparse --sparse
shmat dump "$S" >/disk/pipe
dd if=/dev/zero of=/disk/want bs=1M count=8 2>/dev/null
dd if=/tmp/a of=/disk/want bs=1M seek=1 conv=notrunc 2>/dev/null
dd if=/tmp/b of=/disk/want bs=1M seek=5 conv=notrunc 2>/dev/null
check dump-equal: cmp /disk/img /disk/want
check sparse-equal: cmp /disk/sparse /disk/want
check pipe-equal: cmp /disk/pipe /disk/want
check holes-kept: test "$(du -k /disk/img | cut -f1)" -lt 200
check dump-exists: status_is 1 shmat dump "$S" -o /disk/img
check dump-tmpfs: status_is 1 shmat dump "$S" -o /tmp/img
check hex: sh -c "shmat hex $S 1M 100000 | head -n 1 | grep -q '^00100000 '"
pages=$(shmat pfns "$S" --json | grep -o '"pages":[0-9]*}$' | tr -dc 0-9)
is pfns "$pages" 27
shmat list >/tmp/list
is untouched "$(rss "$S")" "$before"
is detached "$(field "$S" 7)" 0
check list: grep -q "0x00004d42 *$S .*8.0 MiB *108.0 KiB" /tmp/list

# pages in swap are read, holes stay
dd if=/dev/zero of=/disk/swap bs=1M count=32 2>/dev/null
mkswap /disk/swap >/dev/null 2>&1; swapon /disk/swap
shmat advise "$S" pageout
swapped=$(field "$S" 16)
check swapped: test "$swapped" -gt 0
shmat dump "$S" -o /disk/swapped
check swapped-equal: cmp /disk/swapped /disk/want
is swapped-sum "$(($(rss "$S") + $(field "$S" 16)))" "$before"

# attached while it holds, read-only unless asked, gone after SIGTERM
shmat attach "$S" >/tmp/at & pid=$!
sleep 0.5
is attach-nattch "$(field "$S" 7)" 1
check attach-maps: grep -q "r--s .*/SYSV00004d42" /proc/$pid/maps
check attach-says: grep -q "^0x00004d42 $S 8388608 0x7" /tmp/at
check attach-listed: sh -c "shmat | grep -q '$pid shmat'"
kill $pid; wait $pid
is attach-status $? 0
is attach-gone "$(field "$S" 7)" 0
shmat attach --all --rw --hold 60 >/tmp/at & pid=$!
sleep 0.5
check attach-rw: grep -q "rw-s .*/SYSV00004d42" /proc/$pid/maps
kill $pid; wait $pid
check hold-ends: shmat attach "$S" --hold 200ms
check command: status_is 9 shmat attach "$S" -- sh -c "exit 9"
check command-signal: status_is 137 shmat attach "$S" -- sh -c 'kill -9 $$'

# removed while attached: still listed, dumped and pfns; gone at the end
R=$(shmat create 1M)
shmat write "$R" </tmp/b 2>/dev/null
shmat attach "$R" >/dev/null & pid=$!
sleep 0.5
shmat rm "$R"
check removed-listed: sh -c "shmat list --json | grep -q '\"id\":$R,.*\"status\":\"dest\"'"
check removed-dump: shmat dump "$R" -o /disk/removed
check removed-equal: sh -c "head -c 5000 /disk/removed | cmp - /tmp/b"
kill $pid; wait $pid
check removed-gone: status_is 1 shmat dump "$R"

# huge pages: what list says while attached, and when not
echo 4 >/proc/sys/vm/nr_hugepages
H=$(shmat create 4M --huge 2M)
shmat write "$H" </tmp/a 2>/dev/null
# kind key id size rss swap huge_size huge_pages
huge_row() { grep "^sysv,0x00000000,$H," | cut -d, -f4-8; }
is huge-unattached "$(shmat list --format csv | huge_row)" 4194304,2097152,0,,
shmat attach "$H" --rw -- sh -c "shmat list --format csv" >/tmp/huge
is huge-attached "$(huge_row </tmp/huge)" 4194304,2097152,0,2097152,1
check huge-dump: shmat dump "$H" -o /disk/huge
check huge-equal: sh -c "head -c 100000 /disk/huge | cmp - /tmp/a"
check huge-too-many: status_is 1 shmat create 64M --huge 2M

# other users: refused, told why, the others still done
echo 'nobody:x:65534:65534::/:/bin/sh' >>/etc/passwd
cp membox /tmp/shmat; chmod 755 /tmp/shmat
as_nobody() { su nobody -s /bin/sh -c "$1"; }
O=$(as_nobody "/tmp/shmat create 64K")
P=$(shmat create 64K --mode 600)
as_nobody "/tmp/shmat attach $P $O --hold 100ms" >/tmp/out 2>/tmp/err
is other-status $? 1
check other-done: grep -q " $O 65536 0x7" /tmp/out
check other-why: grep -q "segment $P: its mode forbids this" /tmp/err
check never-minus-one: sh -c '! grep -q ffffffffffff /tmp/out'
is other-owner "$(shmat list --format csv | grep "^sysv,0x00000000,$O," | cut -d, -f10)" nobody
# without root nothing but mincore tells what is there
as_nobody "/tmp/shmat write $O 4K" </tmp/b 2>/dev/null
as_nobody "/tmp/shmat dump $O" >/tmp/o
check nobody-dump: sh -c "tail -c +4097 /tmp/o | head -c 5000 | cmp - /tmp/b"
is nobody-untouched "$(rss "$O")" 8192
check nobody-pfns: status_is 1 as_nobody "/tmp/shmat pfns $O"

# a page broken by the memory: zeroes, told, exit 1
shmat advise "$P" populate_write
if shmat advise "$P" hwpoison 2>/tmp/err; then
	shmat dump "$P" -o /disk/poison 2>/tmp/err
	is poison-status $? 1
	check poison-told: grep -q 'could not be read' /tmp/err
	is poison-size "$(stat -c %s /disk/poison)" 65536
else
	skip poison: "$(cat /tmp/err)"
fi

check bad-id: status_is 1 shmat dump 4711
check bad-key: status_is 1 shmat hex 0xbad
check bad-word: status_is 1 shmat dump nonsense
check bad-offset: status_is 1 shmat hex "$S" 8M
check bad-write: status_is 1 sh -c "shmat write $S 8M </tmp/a"
check too-long: status_is 1 sh -c "shmat write $S 8388600 </tmp/a"
check size-0: status_is 1 shmat create 0
check no-verb: status_is 2 shmat frobnicate
check rm-some: status_is 1 shmat rm "$S" 4711
is rm-did "$(field "$S" 2)" ""
EOF2

for k in ${VM_KERNELS:-6.1 6.12}; do
	vm $k -D 256 "$OUT/guest"
done
