#!/bin/sh
# memstats over captured trees: sharing that is known to the page, hostile
# names, files that are cut, every format. Live memory is in tests/vm.
t=memstats
. "$(dirname "$0")/../lib.sh"
ln -s "$MEMBOX" "$work/memstats"; m=$work/memstats
r=$work/root
python3 - "$r" <<'X'
import os, struct, sys
root = sys.argv[1]
P = 4096

def put(name, data):
    path = os.path.join(root, name)
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "wb") as f:
        f.write(data if isinstance(data, bytes) else data.encode())

def process(pid, ppid, comm, uid, vmas, cmdline=b"prog\0", env=b"",
            cgroup="/", session=0, flags=0x400000, rss=None, cut=None):
    d = "proc/%d/" % pid
    pages = sum(1 for v in vmas for e in v[3] if e >> 63)
    stat = b"%d (%s) S %d %d %d 0 -1 %d 0 0 0 0 0 0 0 0 20 0 1 0 %d %d %d 0" % (
        pid, comm, ppid, pid, session, flags, 1000 + pid, 1 << 20,
        pages if rss is None else rss)
    put(d + "stat", stat + b"\n")
    put(d + "status", "Name:\tx\nUid:\t%d\t%d\t%d\t%d\n" % ((uid,) * 4))
    put(d + "cmdline", cmdline)
    put(d + "environ", env)
    put(d + "cgroup", "0::" + cgroup + "\n")
    put(d + "oom_score", "%d\n" % (pid % 7))
    put(d + "oom_score_adj", "-500\n" if pid == 10 else "0\n")
    put(d + "mountinfo", "30 20 0:37 / /dev/shm rw - tmpfs tmpfs rw\n"
        "31 20 0:64 / /huge rw - hugetlbfs none rw\n")
    maps, pm = b"", bytearray()
    for start, perm, tail, entries in vmas:
        maps += b"%x-%x %s %s\n" % (start, start + len(entries) * P, perm, tail)
        at = start // P * 8
        pm.extend(b"\0" * (at - len(pm)))
        for e in entries:
            pm += struct.pack("<Q", e)
    put(d + "maps", maps)
    put(d + "pagemap", bytes(pm) if cut is None else bytes(pm)[:-cut])

PRES, SWAP, FILE, EXCL, GUARD = 1 << 63, 1 << 62, 1 << 61, 1 << 56, 1 << 58
def anon(*pfns): return [PRES | EXCL | p for p in pfns]
def file(*pfns): return [PRES | FILE | p for p in pfns]
def swap(*slots): return [SWAP | s << 5 for s in slots]
A = 0x10000
NOFILE = b"00000000 00:00 0"
LIB = b"00000000 08:01 77 /lib/libc.so"
SHM = b"00000000 00:25 9 /dev/shm/x"
SEG = b"00000000 00:01 3 /SYSV0000162e (deleted)"
HUGE = b"00000000 00:40 5 /huge/f"
ID = "0123456789abcdef" * 4

# 10 and 11 share 4 file pages and 2 tmpfs pages; 12 shares 2 of the file's
process(10, 1, b"alpha", 1000, [
    (A, b"rw-p", NOFILE, anon(100, 101, 102)),
    (A + 3 * P, b"r-xp", LIB, file(200, 201, 202, 203)),
    (A + 20 * P, b"rw-s", SHM, file(300, 301)),
    (A + 40 * P, b"rw-s", SEG, file(400, 401)),
    (A + 60 * P, b"rw-p", NOFILE, swap(5, 6) + [0, SWAP | GUARD | 9 << 5,
        SWAP | 7 << 5 | 30]),
], cmdline=b"alpha\0--with\0args\0", env=b"SID=one\0X=\0", session=10,
   cgroup="/app/docker-%s.scope" % ID)
process(11, 10, b"al)pha (b", 1000, [
    (A, b"rw-p", NOFILE, anon(110)),
    (A + 3 * P, b"r-xp", LIB, file(200, 201, 202, 203)),
    (A + 20 * P, b"rw-s", SHM, file(300, 301)),
    (A + 60 * P, b"rw-p", NOFILE, swap(6)),
], cmdline=b"\0\0\0", env=b"SID=two\0", session=10, cgroup="/app")
process(12, 1, b"evil\n\x1b[31m\xff", 42, [
    (A, b"rw-p", NOFILE, anon(120, 121)),
    (A + 3 * P, b"r-xp", LIB, file(202, 203)),
    (A + 40 * P, b"rw-s", HUGE, file(600, 601, 602)),
    # a device's page behind the end of RAM, and a page mapped twice
    (A + 60 * P, b"rw-s", b"00000000 00:06 4 /dev/mem", [PRES | 1 << 30,
        PRES | 900]),
    (A + 80 * P, b"rw-p", NOFILE, anon(120)),
], cmdline=b"bad \xff\x1b]0;x\x07\0", env=b"SIDE=no\0")
process(2, 0, b"kthreadd", 0, [], cmdline=b"", flags=0x208040)
put("proc/zoneinfo", "Node 0, zone Normal\n  pages free 1\n        spanned  4096\n"
    "        present  4096\n  start_pfn:           0\n")
put("proc/meminfo", "MemTotal: 16384 kB\nMemFree: 100 kB\nMemAvailable: 65536 kB\n")
put("proc/swaps", "Filename Type Size Used Priority\n/dev/sda2 partition 1024 12 -2\n")
put("proc/mounts", "none /sys/fs/cgroup cgroup2 rw 0 0\n")
put("proc/sysvipc/shm", "key shmid perms size cpid lpid nattch uid gid cuid cgid "
    "atime dtime ctime rss swap\n5678 3 600 65536 10 10 1 1000 100 0 0 0 0 0 16384 4096\n")
put("etc/passwd", "db:x:1000:1000::/:/bin/sh\n")
put("sys/fs/cgroup/app/memory.current", "123456\n")
put("sys/fs/cgroup/app/memory.max", "1048576\n")
put("sys/fs/cgroup/app/memory.events", "oom 3\noom_kill 2\n")
X

# csv FILTER..: the columns asked for, of the row that begins with $1
row() { key=$1 cols=$2; shift 2; "$m" --root "$r" "$@" --format csv 2>/dev/null |
	python3 -c '
import csv, sys
key, cols = sys.argv[1], sys.argv[2].split(",")
data = sys.stdin.buffer.read().decode("utf-8", "replace")
for x in csv.DictReader(data.splitlines()):
    if key in (x.get("pid"), x.get("group")):
        print(" ".join(str(int(x[c]) // 4096) if x[c].isdigit() and
            int(x[c]) >= 4096 else x[c] for c in cols))
' "$key" "$cols"; }

# ---- processes ----
u=pss,uss,rss,anon,file,shmem,hugetlb,swap,swappss
# 3 anon + 2/2 + 2/3 file + 2/2 tmpfs + 2 segment = 7.67 pages
same "one process" "7 5 11 3 4 4 0 2 1" "$(row 10 $u)"
same "what is shared" "3 1 7 1 4 2 0 1 2048" "$(row 11 $u)"
same "hugetlb, device memory, a page twice" "5 5 7 2 2 0 3 0 0" "$(row 12 $u)"
same "no kernel threads" "" "$(row 2 pid)"
same "oom and its adjustment" "3 -500" "$(row 10 oom,oom_adj)"
same "user by name" "db" "$(row 10 user)"
same "an empty command line is no kernel thread" "[al)pha (b]" \
	"$(row 11 command)"
same "a command with its arguments" "alpha --with args" "$(row 10 command)"
same "--filter leaves USS and PSS against all" "5 7" \
	"$(row 10 uss,pss -f 'pid(10)')"
same "only what the filter lets through" "" "$(row 11 uss -f 'pid(10)')"
"$m" --root "$r" >"$work/table" 2>"$work/err"
check "the total is by union" grep -Eq \
	'^ +- - +68\.0 KiB +68\.0 KiB +68\.0 KiB .*TOTAL of 3' "$work/table"
check "hostile names are escaped" grep -qF 'bad \xff\x1b]0;x\x07' "$work/table"
check "nothing on stderr when all was read" test ! -s "$work/err"
check "--sort" sh -c "$m --root $r --sort rss | sed -n 2p | grep -q ' 10 '"
check "--top" sh -c "test \$($m --root $r --top 1 | wc -l) = 3"

# ---- groups ----
g=procs,rss,uss,pss,anon,file,shmem,swap,swap_uss,shm
same "by user" "2 12 10 11 4 4 4 2 2 4" "$(row db $g groups -u)"
same "the other user" "1 7 5 5 2 2 0 0 0 0" "$(row 42 $g groups -u)"
same "by variable" "1 11 5" "$(row one procs,rss,uss groups -e SID)"
same "a name that only begins so is not it" "1 7" \
	"$(row '' procs,rss groups -e SID)"
same "by PIDs: one group" "2 12 10" "$(row 10,11 procs,rss,uss groups -p 10,11)"
same "the rest is Other" "1 7 5" "$(row Other procs,rss,uss groups -p 10,11)"
same "by expression" "1 7" "$(row 'uid(42)' procs,rss groups -c 'uid(42),true()')"
same "the first match wins" "2 12" \
	"$(row 'true()' procs,rss groups -c 'uid(42),true()')"
same "the same twice loses nothing" "1 7" \
	"$(row 'uid(42)' procs,rss groups -c 'uid(42),uid(42)' | sed -n 1p)"
same "by cgroup, with its limits" "1 30 256 3 2" \
	"$(row /app procs,memory_current,memory_max,oom,oom_kill groups --split-cgroup)"
same "by container" "1 11" "$(row 0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef procs,rss groups --split-container)"
same "by session" "2" "$(row '10 alpha' procs groups --split-session)"
same "by tree" "2" "$(row '10 alpha' procs groups --split-tree)"
same "by command name" "1" "$(row 'al)pha (b' procs groups --split-comm)"
same "filters with a group by user name" "2" \
	"$(row db procs groups -u -f 'and(uid(db),not(cmdline(zz*)))')"
same "cgroup(GLOB)" "1 11" "$(row db procs,rss groups -u -f 'cgroup(/app/*)')"
same "env_kv" "1 7" "$(row db procs,rss groups -u -f 'env_kv(SID,two)')"
same "several splits from one scan" "3" \
	"$("$m" groups --root "$r" -u --split-comm -e SID --json |
	python3 -c 'import json, sys; print(len({x["split"] for x in
	json.load(sys.stdin)["groups"]}))')"
"$m" groups --root "$r" -u --compat >"$work/compat"
check "--compat: the peer's headings" grep -Eqi '^group_name +procs +mem_rss +mem_anon +mem_uss +swap_anon +swap_rss +swap_uss +shm_mem +shm_swap' "$work/compat"
check "--compat: MB of 10^6, segments apart" grep -Eq \
	'^db +2 +0\.04 +0\.02 +0\.03 +0\.01 +0\.01 +0\.01 +0\.02 +0\.00 ' "$work/compat"
if "$m" --help | grep -q two-bits; then
	same "two bits say the same" "2 12 10  4 4 4 2 2 4" \
		"$(row db $g groups -u --two-bits)"
	same "two bits, a process" " 5 11 3 4 4 0 2 " "$(row 10 $u --two-bits)"
else
	skip "two bits" "not built"
fi

# ---- threads: what one reads, several read ----
if "$m" --help | grep -q -- --threads; then
	python3 - "$work/big" <<'X'
import os, random, struct, sys
root, P, PAGES = sys.argv[1], 4096, 40000
random.seed(1)
def put(name, data):
    path = os.path.join(root, name)
    os.makedirs(os.path.dirname(path), exist_ok=True)
    open(path, "wb").write(data if isinstance(data, bytes) else data.encode())
put("proc/zoneinfo", "Node 0, zone Normal\n        spanned  65536\n  start_pfn: 0\n")
for pid in 20, 21, 22:
    d = "proc/%d/" % pid
    put(d + "stat", "%d (p%d) S 1 1 1 0 -1 4194304 0 0 0 0 0 0 0 0 20 0 1 0 9 0 %d 0\n"
        % (pid, pid, PAGES))
    put(d + "status", "Uid:\t%d\t%d\t%d\t%d\n" % ((pid // 2,) * 4))
    put(d + "cmdline", "p\0")
    put(d + "maps", "10000-%x rw-p 00000000 00:00 0\n" % (0x10000 + PAGES * P))
    pm = [0] * 16
    for i in range(PAGES):
        own = random.randrange(4) == 0
        pm.append(random.choice((0, 1, 1, 1)) and
            1 << 63 | (i + 1 if not own else 44000 + (pid - 20) * 7000 + i // 8))
    put(d + "pagemap", struct.pack("<%dQ" % len(pm), *pm))
X
	for o in "" "groups -u" "groups -u --two-bits"; do
		case $o in *two-bits*) "$m" --help | grep -q two-bits || continue ;; esac
		# shellcheck disable=SC2086
		"$m" --root "$work/big" $o --json >"$work/1" 2>&1
		check "pages of three: $o" grep -q '"rss":1[0-9]\{8\}' "$work/1"
		for n in 2 7 16; do
			# shellcheck disable=SC2086
			"$m" --root "$work/big" $o --json --threads $n \
				>"$work/n" 2>&1
			check "$n threads say what one says: $o" \
				cmp "$work/1" "$work/n"
		done
	done
else
	skip threads "not built"
fi

# ---- instances ----
if "$m" --help | grep -q 'memstats instances:'; then
	i=$work/instances
	# proc PID PPID COMM COMMAND ENVIRONMENT, the words joined by '|'
	proc() {
		d=$i/proc/$1
		mkdir -p "$d"
		echo "$1 ($3) S $2 $1 $1 0 -1 0 0 0 0 0 0 0 0 0 20 0 1 0 9 0 0 0" >"$d/stat"
		printf 'Uid:\t1000\t1000\t1000\t1000\n' >"$d/status"
		printf '%s|' "$4" | tr '|' '\0' >"$d/cmdline"
		printf '%s|' "$5" | tr '|' '\0' >"$d/environ"
		: >"$d/maps"; : >"$d/pagemap"
	}
	proc 50 1 ora_pmon_PRODUC ora_pmon_PRODUCTION 'ORACLE_SID=x|ORACLE_HOME=/u01/db'
	proc 51 1 ora_dbw0_PRODUC ora_dbw0_PRODUCTION ''
	proc 52 1 oracle_52_produ 'oraclePRODUCTION (LOCAL=NO)' ''
	proc 53 1 oracleX 'oraclePRODUCTION2 (LOCAL=NO)' ''
	proc 60 1 postgres 'postgres|-D|/pg/one' 'PGDATA=/other'
	proc 61 60 postgres 'postgres: checkpointer' ''
	proc 62 61 psql psql ''
	proc 70 1 postmaster postmaster 'PGDATA=/pg/two'
	proc 80 1 mariadbd 'mariadbd|--user=x|--datadir=/maria' ''
	ln -s /usr/sbin/mariadbd "$i/proc/80/exe"
	cp "$r/proc/zoneinfo" "$i/proc/"
	mkdir "$i/etc"; cp "$r/etc/passwd" "$i/etc/"
	"$m" instances --root "$i" --format csv | tr -d '\r' |
		cut -d, -f1-5,10 >"$work/got"
	cat >"$work/want" <<'X'
kind,name,owner,pid,procs,home
oracle,PRODUCTION,db,50,3,/u01/db
postgresql,/pg/one,db,60,3,
postgresql,/pg/two,db,70,1,
mariadb,/maria,db,80,1,/usr/sbin
X
	check "instances: what they are called, who belongs to them" \
		diff "$work/want" "$work/got"
	refuse 2 "--run needs the live system" "$m" instances --run true \
		--root "$i"
	refuse 2 "--run without instances" "$m" --run true
	refuse 2 "--run as prom" "$m" instances --run true --format prom
else
	skip instances "not built"
fi
if "$m" --help | grep -q -- '--run CMD' && [ "$(id -u)" = 0 ] &&
   command -v setpriv >/dev/null; then
	d=$work/pgdata-$$
	chmod 755 "$work"
	cp "$(command -v sleep)" "$work/postgres"
	setpriv --reuid 65534 --clear-groups env -i PGDATA="$d" MARK=known \
		"$work/postgres" 60 &
	pid=$!
	sleep 0.3
	run() { "$m" instances -f "pid($pid)" --format csv "$@" 2>"$work/err" |
		tr -d '\r' | grep -a "$d" | cut -d, -f5,7; }
	same "--run: as the owner, with its environment" '3,65534 known /' \
		"$(run --run 'echo first; echo $(id -u) $MARK $PWD; exit 3')"
	same "--run: ended in time" '137,begun' \
		"$(run --run 'echo begun; sleep 30' --timeout 300ms)"
	check "and that is said" grep -q 'ended after' "$work/err"
	kill $pid
else
	skip --run "not built, or not root"
fi

# ---- formats ----
json_valid() { "$m" --root "$r" "$@" | python3 -c '
import json, sys
d = json.loads(sys.stdin.buffer.read().decode("utf-8"))
assert d["complete"] is True and d["skipped"] == [], d
'; }
check "JSON of processes" json_valid --json
check "JSON of groups" json_valid groups -u --json
check "JSON: hex twin of a name that is not UTF-8" sh -c \
	"$m --root $r --json | grep -q '\"command_hex\":\"62616420ff1b'"
check "JSON: no value is null" sh -c \
	"$m groups -e SID --root $r --json | grep -q '\"group\":null,\"procs\":1'"
check "ndjson" sh -c "$m --root $r --format ndjson | python3 -c '
import json, sys
n = [json.loads(l) for l in sys.stdin.buffer.read().decode().splitlines()]
assert len(n) == 3'"
prom_ok() { python3 -c '
import re, sys
data = sys.stdin.buffer.read().decode("utf-8")
seen, metric = set(), None
for l in data.splitlines():
    if l.startswith("# "):
        if l.startswith("# TYPE "):
            metric = l.split()[2]
            assert metric not in seen, "metric twice: " + metric
            seen.add(metric)
        continue
    m = re.fullmatch(r"([a-zA-Z_:][a-zA-Z0-9_:]*)\{(.*)\} (NaN|-?[0-9.]+)", l)
    assert m and m[1] == metric, l
    assert re.fullmatch(r"""([a-z_]+="([^"\\]|\\[\\"n])*",?)*""", m[2]), l
assert seen
'; }
check "prom parses" sh -c "$m --root $r --format prom >$work/p"
check "prom is well formed" prom_ok <"$work/p"
# series PROM: what would make Prometheus refuse the file
twice() { grep -v '^#' "$1" | sed 's/ [^ ]*$//' | sort | uniq -d; }
promtool=$(command -v promtool) ||
	promtool=$("$(dirname "$0")/../../config/deps.sh" --cache)/prometheus/promtool
if [ -x "$promtool" ]; then
	prom_check() { "$promtool" check metrics <"$1"; }
else
	prom_check() { :; }
	skip promtool "not here: config/deps.sh test"
fi
printf 'SID=\0' >"$r/proc/12/environ"
printf 'SID=a\377b\0' >"$r/proc/10/environ"
printf 'SID=a\376b\\xff\0' >"$r/proc/11/environ"
for o in "" -x "groups -e SID -e SID -p 10 -p 10 -c uid(42),uid(42)"; do
	# shellcheck disable=SC2086
	"$m" --root "$r" $o --format prom >"$work/p"
	same "prom: no series twice: $o" "" "$(twice "$work/p")"
	check "prom: promtool: $o" prom_check "$work/p"
done
if [ "$(id -u)" = 0 ]; then
	for o in shm ram tmpfs; do
		"$m" $o --format prom >"$work/p" 2>/dev/null
		same "prom: no series twice: $o" "" "$(twice "$work/p")"
		check "prom: promtool: $o" prom_check "$work/p"
	done
fi

# ---- output ----
check "-o" "$m" --root "$r" --json -o "$work/o.json"
refuse 1 "-o does not replace" "$m" --root "$r" --json -o "$work/o.json"
check "--force does" "$m" --root "$r" --json -o "$work/o.json" --force
refuse 1 "a full device" sh -c "$m --root $r >/dev/full"
check "a closed pipe is silent" sh -c \
	"$m --root $r 2>$work/err | true; test ! -s $work/err"
same "samples: a document a line" 3 "$("$m" --root "$r" --json \
	--interval 10ms --count 3 | grep -c '^{.*}$')"
check "samples: what changed" sh -c "$m --root $r --interval 10ms --count 2 |
	grep -q DELTA"
check "--cost" sh -c "$m --root $r --cost | grep -q '^classes'"
refuse 1 "--mem-limit refuses before it scans" "$m" --root "$r" \
	--mem-limit 100K
check "--bytes" sh -c "$m --root $r --bytes | grep -q ' 45056 '"

# ---- live: few descriptors, many mappings, long paths, guard regions ----
check "16 descriptors are enough" sh -c 'ulimit -n 16; '"$m"' >/dev/null;
	test $? = 0 -o $? = 3'
if [ "$(id -u)" = 0 ]; then
	cat >"$work/live.py" <<'X'
import ctypes, mmap, os, sys, time
libc = ctypes.CDLL(None, use_errno=True)
libc.mmap.restype = ctypes.c_void_p
libc.mmap.argtypes = [ctypes.c_void_p, ctypes.c_size_t] + [ctypes.c_int] * 3 + [ctypes.c_long]
P = 4096
def area(pages, prot=3):
    return libc.mmap(None, pages * P, prot, 0x22, -1, 0)
a = area(500)
ctypes.memset(a, 1, 500 * P)
guard = libc.madvise(ctypes.c_void_p(a), ctypes.c_size_t(100 * P), 102)
c = area(30000)
ctypes.memset(c, 1, 30000 * P)
b = area(120000)
for i in range(0, 120000, 4):
    libc.mprotect(ctypes.c_void_p(b + i * P), ctypes.c_size_t(2 * P), 1)
os.chdir(sys.argv[1])
for i in range(15):
    os.mkdir("d" * 250)
    os.chdir("d" * 250)
with open("f", "wb+") as f:
    f.write(b"x" * P)
    f.flush()
    keep = mmap.mmap(f.fileno(), P)
    keep[0]
mappings = len(open("/proc/self/maps").readlines())
pids, (stay, go), (told, tell) = [], os.pipe(), os.pipe()
for i in range(3):
    pid = os.fork()
    if not pid:
        os.close(go)
        ctypes.memset(c, 2, (i + 1) * 100 * P)
        os.write(tell, b"x")
        os.read(stay, 1)    # until the parent is gone
        os._exit(0)
    pids.append(str(pid))
    os.read(told, 1)
print("ready", guard, mappings, *pids, flush=True)
time.sleep(60)
X
	mkdir "$work/deep"
	python3 "$work/live.py" "$work/deep" >"$work/live" &
	pid=$!
	while ! grep -qs ready "$work/live" && kill -0 $pid; do sleep 0.2; done
	read -r _ guarded mappings c1 c2 c3 <"$work/live"
	check "many mappings: 4 x $mappings" test "$mappings" -gt 50000
	anon() { "$m" "$@" --json 2>/dev/null | grep -o '"anon":[0-9]*'; }
	all="or(pid($pid),pid($c1),pid($c2),pid($c3))"
	check "1,024 descriptors, 200,000 mappings: RSS is the kernel's" sh -c "
		ulimit -n 1024
		[ \$(cat /proc/$pid/maps /proc/$c1/maps /proc/$c2/maps \
			/proc/$c3/maps | wc -l) -gt 200000 ] || exit
		for p in $pid $c1 $c2 $c3; do
			awk -v p=\$p '/^Rss:/ { print p \",\" \$2 * 1024 }' \
				/proc/\$p/smaps_rollup
		done | sort >$work/want
		$m -f '$all' --format csv 2>/dev/null | grep '^[0-9]' |
			cut -d, -f1,7 | sort | diff $work/want -"
	if "$m" --help | grep -q -- --threads; then
		same "live: threads say what one says" "$(anon -x -f "$all")" \
			"$(anon -x -f "$all" --threads 5)"
		same "live: of groups too" \
			"$(anon groups -p $pid -p $c1,$c2,$c3 -f "$all")" \
			"$(anon groups -p $pid -p $c1,$c2,$c3 -f "$all" -t 3)"
	fi
	"$m" -f "pid($pid)" --json >"$work/json" 2>/dev/null
	check "their process is read" grep -q '"processes":\[{' "$work/json"
	same "nothing of it is swap" 0 \
		"$(grep -o '"swap":[0-9]*' "$work/json" | head -n 1 | cut -d: -f2)"
	got=$(grep -o '"rss":[0-9]*' "$work/json" | head -n 1 | cut -d: -f2)
	want=$(awk '/^Rss:/ { print $2 * 1024 }' /proc/$pid/smaps_rollup)
	same "RSS is the kernel's" "$want" "$got"
	if [ "$guarded" = 0 ]; then
		check "100 guarded pages are not there" test "$got" -gt 0
	else
		skip "guard regions" "this kernel has none"
	fi
	kill $pid
	find "$work/deep" -depth -delete
else
	skip live "not root"
fi

# ---- bad input ----
refuse 2 "--filter with what lists no processes" "$m" ram -f 'true()'
for bad in 'foo(1)' true 'uid(nosuchuser)' 'and()' 'comm(x' 'true() x' ''; do
	refuse 2 "refused: $bad" "$m" --root "$r" --filter "$bad"
done
"$m" --root "$r" --filter 'and(true(), foo(1))' 2>"$work/err"
check "a caret stands under the fault" grep -q '^ \{14\}^' "$work/err"
refuse 2 "unknown verb" "$m" frob
refuse 2 "groups without a split" "$m" groups --root "$r"
refuse 2 "a split without groups" "$m" -u --root "$r"
refuse 2 "unknown column" "$m" --sort frob --root "$r"
refuse 2 "unknown format" "$m" --format xml --root "$r"
refuse 2 "a list of PIDs with a hole" "$m" groups -p 1,,2 --root "$r"
refuse 2 "--count without --interval" "$m" --count 3 --root "$r"

# ---- what is missing or cut ----
cp "$r/proc/10/pagemap" "$work/pagemap"
truncate -s -16 "$r/proc/10/pagemap"
refuse 3 "a page map that is cut" "$m" --root "$r"
check "is named" sh -c "$m --root $r 2>&1 >/dev/null | grep -q '10 alpha'"
rm "$r/proc/10/pagemap"
refuse 3 "no page map" "$m" --root "$r" --json
check "complete is false, the process named" sh -c "$m --root $r --json |
	grep -q '\"complete\":false.*\"pid\":10,\"name\":\"alpha\",\"why\":\"denied\"'"
printf 'Rss: 40 kB\nPss: 20 kB\nPrivate_Clean: 4 kB\nPrivate_Dirty: 8 kB\nAnonymous: 12 kB\nSwap: 4 kB\nSwapPss: 2 kB\n' >"$r/proc/10/smaps_rollup"
same "the kernel's sums instead" "5 3 10" "$(row 10 pss,uss,rss)"
cp "$work/pagemap" "$r/proc/10/pagemap"
echo garbage >"$r/proc/11/stat"
check "a broken stat: the process is counted as gone" sh -c \
	"$m --root $r --json | grep -q '\"vanished\":1'"
printf 'zz-yy\n' >"$r/proc/12/maps"
"$m" --root "$r" >"$work/out" 2>&1
check "broken maps end without harm" test $? -le 3
rm -r "$r/proc/zoneinfo"
refuse 3 "no zoneinfo" "$m" --root "$r"
done_testing
