#!/bin/sh
# shmat's command line, and list over a captured tree; what needs the live
# system is in tests/vm/t-shmat.sh.
t=shmat
. "$(dirname "$0")/../lib.sh"
ln -s "$MEMBOX" "$work/shmat"; shmat=$work/shmat

# ---- a captured tree: a plain segment, one of huge pages, one removed ----
r=$work/root
mkdir -p "$r/proc/sysvipc" "$r/proc/77" "$r/proc/78" "$r/etc"
cat >"$r/proc/sysvipc/shm" <<'X'
       key      shmid perms                  size  cpid  lpid nattch   uid   gid  cuid  cgid      atime      dtime      ctime                   rss                  swap
      5678          3   600             268435456    70    77      1  1000   100     0     0 1700000000          0 1700000000                 8192                  4096
         0          4  1640               4194304    70    78      2     0     0     0     0 1700000000 1700000001 1700000002            1073741824                     0
-559038737          5  2666                  4096    70     0      0    42    42    42    42          0          0 1700000002                     0                     0
X
echo 'db:x:1000:100::/:/bin/sh' >"$r/etc/passwd"
echo '7f0000000000-7f0010000000 rw-s 00000000 00:01 3                          /SYSV0000162e (deleted)' >"$r/proc/77/maps"
printf 'evil\033[31m\377\n' >"$r/proc/77/comm"
cat >"$r/proc/78/maps" <<'X'
7f0000000000-7f0000400000 rw-s 00000000 00:0f 4                          /SYSV00000000 (deleted)
7f1000000000-7f1000400000 r--s 00000000 00:0f 4                          /SYSV00000000 (deleted)
7f2000000000-7f2000001000 rw-s 00000000 08:01 9                          /SYSV00000000
X
{
	head -n 1 "$r/proc/78/maps"
	printf 'Size: 4096 kB\nKernelPageSize: 2048 kB\nMMUPageSize: 2048 kB\nShared_Hugetlb: 2048 kB\nPrivate_Hugetlb: 0 kB\nVmFlags: rd wr sh ht\n'
} >"$r/proc/78/smaps"
echo postgres >"$r/proc/78/comm"

list() { "$shmat" list --root "$r" "$@"; }
csv() { list --format csv | tr -d '\r' | grep -a "^sysv,[^,]*,$1,"; }
same "a plain segment" \
	'sysv,0x0000162e,3,268435456,8192,4096,0,0,1,db,600,,0,70,77' \
	"$(csv 3 | cut -d, -f1-15)"
same "of huge pages: rss of smaps, not 512 times too much" \
	'4194304,2097152,0,2097152,1,2,0,640,dest' \
	"$(csv 4 | cut -d, -f4-12)"
same "nobody attached: huge pages unknown, key and mode right" \
	'sysv,0xdeadbeef,5,4096,0,0,,,0,42,666,locked,42' \
	"$(csv 5 | cut -d, -f1-13)"
rm "$r/proc/78/smaps"; : >"$r/proc/78/maps"
same "of huge pages, nobody attached: the divided figure" \
	'4194304,2097152,0,2097152,1' "$(csv 4 | cut -d, -f4-8)"
check "JSON is valid, with every key" python3 -c '
import json, subprocess, sys
d = json.loads(subprocess.check_output(sys.argv[1:]))
assert d["complete"] is True and len(d["segments"]) == 3, d
s = d["segments"][0]
assert s["attached"] == [{"pid": 77, "comm": "evil\x1b[31m\ufffd",
	"comm_hex": "6576696c1b5b33316dff", "mapped": True}], s
assert s["ctime"] == "2023-11-14T22:13:20Z" and s["dtime"] is None
' "$shmat" --root "$r" --json
list >"$work/table"
check "names are escaped in the table" grep -qF '77 evil\x1b[31m\xff' "$work/table"
check "sizes for people" grep -q '256.0 MiB *8.0 KiB *4.0 KiB' "$work/table"
check "--bytes" sh -c "$shmat --root $r --bytes | grep -q 268435456"
same "memstats shm is the same listing" "$(list --format csv)" \
	"$("$MEMBOX" memstats shm --root "$r" --format csv)"

# ---- bad input ----
refuse 2 "unknown verb" "$shmat" frob
refuse 2 "unknown option" "$shmat" --frob
refuse 2 "unknown format" "$shmat" --format xml
refuse 2 "attach what?" "$shmat" attach
refuse 2 "attach --all and an id" "$shmat" attach --all 3
refuse 2 "a command without attach" "$shmat" list -- true
refuse 2 "attach is not for a captured tree" "$shmat" attach 3 --root "$r"
refuse 2 "nor is dump" "$shmat" dump 3 --root "$r"
refuse 2 "nor create" "$shmat" create 4K --root "$r"
refuse 2 "advise: unknown advice" "$shmat" advise 3 frob
refuse 2 "create: bad mode" "$shmat" create 4K --mode 8
refuse 2 "create: bad size" "$shmat" create lots
refuse 2 "create: bad huge page" "$shmat" create 4M --huge 3M
refuse 1 "create: size 0" "$shmat" create 0
refuse 1 "no such id" "$shmat" dump 2147480000
refuse 1 "an id with letters" "$shmat" hex 12abc
refuse 1 "a full device" sh -c "$shmat list --root $r >/dev/full"
check "a closed pipe is silent" sh -c "$shmat list --root $r 2>$work/err |
	true; test ! -s $work/err"
echo 'one two' >"$r/proc/sysvipc/shm"
refuse 1 "a malformed list" "$shmat" --root "$r"
rm -r "$r/proc/sysvipc"
refuse 1 "no list" "$shmat" --root "$r"

# ---- live, where segments can be made ----
if id=$("$shmat" create 64K 2>/dev/null); then
	head -c 10000 /dev/urandom >"$work/data"
	rss() { awk -v id="$id" '$2 == id { print $15 }' /proc/sysvipc/shm; }
	check "write" sh -c "$shmat write $id 8K <$work/data"
	check "dump" "$shmat" dump "$id" -o "$work/img" --force
	same "dump has the size" 65536 "$(stat -c %s "$work/img")"
	check "dump has the bytes" sh -c "tail -c +8193 $work/img |
		head -c 10000 | cmp - $work/data"
	check "hex" "$shmat" hex "$id" 0 64K
	same "no page more" 12288 "$(rss)"
	"$shmat" attach "$id" >"$work/out" & pid=$!
	while [ ! -s "$work/out" ] && kill -0 $pid 2>/dev/null; do sleep 0.1; done
	check "attached" grep -q "SYSV.*" /proc/$pid/maps
	kill $pid
	wait $pid
	same "detached by SIGTERM" 0 $?
	refuse 7 "a command's status" "$shmat" attach "$id" -- sh -c 'exit 7'
	refuse 127 "a command that is not there" "$shmat" attach "$id" -- \
		/nonexistent
	check "rm" "$shmat" rm -y "$id"
	refuse 1 "gone" "$shmat" rm "$id"
else
	skip "live segments" "cannot make one here"
fi
done_testing
