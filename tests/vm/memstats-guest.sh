# memstats-guest.sh - the guest's part of t-memstats.sh: memory of known amount
# is made step by step, and the numbers must follow to the page.
. ./guest.sh
applets
P=4096

# tell NAME COMMAND: 0 when the process says ok
tell()
{
	echo "$2" >/tmp/$1
	read -r said </tmp/$1.out
	[ "$said" = ok ] || { echo "# $1: $2: $said"; return 1; }
}
fifos() { for f; do mkfifo /tmp/$f /tmp/$f.out; done; }

# col FIELD PIDS: pages of one column of the group of these processes
col()
{
	memstats groups -p "$2" --format csv --filter 'true()' | tr -d '\r' |
		awk -F, -v want="$1" -v g="$2" '
		NR == 1 { for (i = 1; i <= NF; i++) at[$i] = i; next }
		{ n = $0; gsub(/"[^"]*"/, "G", n); split(n, f, ",") }
		NR == 2 || 1 { if (f[2] == "G" || f[2] == g)
			print f[at[want]] / 4096 }' | head -n 1
}
# grew NAME: COLUMN PIDS BY COMMAND...: by how many pages a column grows
grew()
{
	_n=$1 _c=$2 _p=$3 _by=$4; shift 4
	_before=$(col $_c $_p)
	"$@" || { notok "$_n" "could not be made"; return; }
	_now=$(col $_c $_p)
	if [ $((_now - _before)) = "$_by" ]; then
		ok "$_n" "$_c + $_by pages"
	else
		notok "$_n" "$_c: $_before -> $_now, not + $_by"
	fi
}
is() { if [ "$2" = "$3" ]; then ok "$1" "$2"; else notok "$1" "$2, not $3"; fi; }

fifos a b c
memstats-make /tmp/a & A=$!
tell a ""
grew anon: anon $A 2048 tell a "anon 2048"
grew anon-uss: uss $A 300 tell a "anon 300"
grew zero-page: rss $A 0 tell a "zero 500"

# fork: shared, then copied on write
tell a "fork /tmp/b"
tell b ""
B=$(cat /tmp/b.pid)
grew fork-cow: rss $A,$B 256 tell b "cow 256"
grew cow-uss: uss $B 100 tell b "anon 100"
# shared objects of all kinds
grew file: shmem $A 512 tell a "file /tmp/shared 512"
grew file-shared: rss $A,$B 0 tell b "file /tmp/shared 512"
grew disk-file: file $A 64 tell a "file /disk/shared 64"
grew memfd: shmem $A 300 tell a "memfd 300"
S=$(shmat create 4M)
grew sysv: shmem $A 100 tell a "shm $S 100"
grew sysv-shared: rss $A,$B 0 tell b "shm $S 50"
is shm-column: "$(col shm $A,$B)" 100

# huge pages of both kinds
if grep -q '\[madvise\]\|\[always\]' /sys/kernel/mm/transparent_hugepage/enabled
then
	grew thp: anon $B 1024 tell b "thp 1024"
else
	echo madvise >/sys/kernel/mm/transparent_hugepage/enabled
	grew thp: anon $B 1024 tell b "thp 1024"
fi
is thp-is-huge: "$(awk '/^AnonHugePages/ { s += $2 } END { print s }' \
	/proc/$B/smaps)" 4096
echo 8 >/proc/sys/vm/nr_hugepages
grew hugetlb: hugetlb $A 1024 tell a "huge 2"
H=$(memstats-segment 4194304 huge)
grew hugetlb-sysv: hugetlb $B 512 tell b "shmhuge $H 1"
grew hugetlb-shared: rss $A,$B 0 tell a "shmhuge $H 1"

# huge pages that the kernel gives to shared memory, small ones beside them
T=$(shmat create 5M)
echo always >/sys/kernel/mm/transparent_hugepage/shmem_enabled
grew shmem-thp: shmem $A 1100 tell a "shm $T 1100"
echo never >/sys/kernel/mm/transparent_hugepage/shmem_enabled
huge_of() { "$@" --format csv | tr -d '\r' | awk -F, -v id=$T '
	NR == 1 { for (i = 1; i <= NF; i++) at[$i] = i }
	$at["id"] == id { print $at["huge_size"], $at["huge_pages"] }'; }
is shmem-thp-listed: "$(huge_of memstats shm)" "2097152 2"
is shmem-thp-shmat: "$(huge_of shmat list)" "2097152 2"

# swap
dd if=/dev/zero of=/disk/swap bs=1M count=64 2>/dev/null
mkswap /disk/swap >/dev/null 2>&1 && swapon /disk/swap
check swapon: grep -q /disk/swap /proc/swaps
tell a "anon 20000"
tell a "anon 400"
grew swap: swap $A 400 tell a pageout
tell a "fork /tmp/c"
tell c ""
C=$(cat /tmp/c.pid)
is swap-shared: "$(col swap $A,$C)" "$(col swap $A)"
is swap-shared-uss: "$(col swap_uss $A)" 0
is swappss: "$(memstats --format csv | tr -d '\r' | awk -F, -v p=$A '
	NR == 1 { for (i = 1; i <= NF; i++) at[$i] = i }
	$1 == p { print $at["swappss"] / 4096 }')" 200
# the reference, and the kernel's own sums
memstats groups -p $A -p $B,$C -p 1 --format csv >/tmp/ours
set -- $(memstats-ref $A $B,$C 1 | tr '\n' ' ')
ours=$(tr -d '\r' </tmp/ours | awk '
	NR == 1 { n = split($0, h, ","); for (i = 1; i <= n; i++) at[h[i]] = i; next }
	{ gsub(/"[^"]*"/, "G"); split($0, f, ",")
	  if (f[2] != "Other") row[f[2] == "G" ? 2 : f[2] == "1" ? 3 : 1] =
		f[at["rss"]] / 4096 " " f[at["uss"]] / 4096 " " \
		f[at["swap"]] / 4096 " " f[at["swap_uss"]] / 4096 }
	END { print row[1], row[2], row[3] }')
is reference: "$ours" "$*"

# PSS of each process against smaps_rollup: hugetlb is left out there
compare_rollup()
{
	bad=0 n=0
	memstats --format csv | tr -d '\r' | awk -F, '
		NR == 1 { for (i = 1; i <= NF; i++) at[$i] = i; next }
		{ print $1, $at["pss"], $at["rss"], $at["hugetlb"], $at["uss"] }
		' >/tmp/rows
	while read -r pid pss rss huge uss; do
		[ -r /proc/$pid/smaps_rollup ] || continue
		set -- $(awk '/^Rss:/ { r = $2 } /^Pss:/ { p = $2 }
			/^Private_(Clean|Dirty)/ { u += $2 }
			/^(Shared|Private)_Hugetlb/ { h += $2 }
			END { print r + h, p, u }' /proc/$pid/smaps_rollup)
		n=$((n + 1))
		d=$((pss / 1024 - $2))
		[ "$huge" = 0 ] || d=0
		# a static program's file page that is mapped twice counts
		# once here, twice there
		r=$(($1 - rss / 1024))
		if [ $r -lt 0 ] || [ $r -gt 8 ] || [ $d -gt 1 ] ||
		    [ $d -lt -1 ]; then
			bad=$((bad + 1))
			echo "# $pid: rss $((rss / 1024)) $1, pss $((pss / 1024)) $2"
		fi
	done </tmp/rows
	echo "# $n processes compared"
	[ $n -gt 4 ] && [ $bad = 0 ]
}
# this shell and its children change while they are compared
compare_quiet()
{
	compare_rollup >/tmp/cmp
	grep '^# [0-9]*:' /tmp/cmp | grep -e "^# $A:" -e "^# $B:" -e "^# $C:"
	tail -n 1 /tmp/cmp
	! grep -q -e "^# $A:" -e "^# $B:" -e "^# $C:" /tmp/cmp
}
check pss-is-the-kernels: compare_quiet

# classes of 16 bits that run out are widened; two bits a page say the same
memstats groups -p $A -p $B,$C --format csv >/tmp/full
if memstats --help | grep -q two-bits; then
	memstats groups -p $A -p $B,$C --two-bits --format csv >/tmp/bits
	same_but_pss()
	{
		for f in full bits; do
			tr -d '\r' </tmp/$f | awk '
			NR == 1 { n = split($0, h, ","); for (i = 1; i <= n; i++) at[h[i]] = i }
			{ gsub(/"[^"]*"/, "G"); split($0, f, ",")
			  if (f[2] != "Other") print f[2], f[at["rss"]], f[at["uss"]],
				f[at["anon"]], f[at["swap"]], f[at["swap_uss"]] }' \
				>/tmp/$f.cols
		done
		diff /tmp/full.cols /tmp/bits.cols
	}
	check two-bits: same_but_pss
fi

# several threads read what one reads: A, B and C share more than a chunk
threads_agree()
{
	for t in 1 4; do
		memstats groups -p $A -p $B,$C --threads $t --format csv |
			grep -v ,Other, >/tmp/groups.$t
		memstats --threads $t --format csv | cut -d, -f1-7 |
			grep -e "^$A," -e "^$B," -e "^$C," | sort >/tmp/procs.$t
	done
	[ $(wc -l </tmp/groups.1) = 3 ] && [ $(wc -l </tmp/procs.1) = 3 ] &&
		diff /tmp/groups.1 /tmp/groups.4 &&
		diff /tmp/procs.1 /tmp/procs.4
}
memstats --help | grep -q -- --threads && check threads: threads_agree

# a wide address space with little in it; from 6.7 on the kernel tells where
case $(uname -r) in 6.1.*) gib=4 ;; *) gib=1024 ;; esac
fifos s
memstats-make /tmp/s & S_PID=$!
tell s ""
grew sparse: anon $S_PID 446 tell s "sparse $gib 446"
if [ $gib = 1024 ]; then
	# what the shell's children have read: the page map would be 2 GiB
	chars() { awk '/^rchar/ { print $2 }' /proc/$$/io; }
	before=$(chars)
	memstats >/dev/null
	after=$(chars)
	check sparse-scan: test $((after - before)) -gt 100000 -a \
		$((after - before)) -lt 64000000

	# many mappings, and the usual few descriptors
	echo 300000 >/proc/sys/vm/max_map_count
	ulimit -n 1024
	grew maps: anon $S_PID 2000 tell s "maps 200000"
	check maps-200000: test $(wc -l </proc/$S_PID/maps) -gt 200000
fi
kill $S_PID

# hostile names, hidden argv, many mappings
fifos h
memstats-make /tmp/h & H_PID=$!
tell h "name evil"
tell h "anon 700"
row=$(memstats --format csv | grep "^$H_PID,")
check hidden-argv: test -n "$row"

# an untouched segment stays untouched
U=$(memstats-segment 268435456)
memstats shm >/dev/null
memstats groups -u >/dev/null
shmat list >/dev/null
is untouched: "$(awk -v id=$U '$2 == id { print $15 }' /proc/sysvipc/shm)" 0
memstats shm --format csv >/tmp/shm
check shm-lists: grep -q "sysv,0x00000000,$U,268435456,0," /tmp/shm
check shm-huge: sh -c "grep 'sysv,0x00000000,$H,4194304,2097152,0,2097152,1,' /tmp/shm"
check shm-attached: grep -q "$A memstats-make" /tmp/shm

# every page of RAM is something
ram_sums()
{
	memstats ram --json >/tmp/ram || return
	sed 's/"total".*//' /tmp/ram | grep -o '"size":[0-9]*' | cut -d: -f2 |
		awk '{ s += $1 } END { printf "%d\n", s }' >/tmp/sum
	grep -o '"total":[0-9]*' /tmp/ram | cut -d: -f2 >/tmp/total
	cat /tmp/sum /tmp/total
	[ "$(cat /tmp/sum)" = "$(cat /tmp/total)" ]
}
check ram-sums: ram_sums
memstats ram | sed 's/^/# /'
is ram-hugetlb: "$(memstats ram --format csv | awk -F, '$1 == "hugetlb" { print $3 }')" 4096

# tmpfs: a file that is there is found
dd if=/dev/zero of=/tmp/big bs=1M count=5 2>/dev/null
check tmpfs: sh -c "memstats tmpfs --format csv | grep '^file,/tmp,5242880,5242880,.*big'"
mkdir -p /run/x; mount -t tmpfs over /run/x; mount --bind /run/x /mnt 2>/dev/null
is tmpfs-once: "$(memstats tmpfs --format csv | grep -c '^mount,/run/x')" 1

# cgroup rows
mkdir /sys/fs/cgroup/box 2>/dev/null
if echo +memory >/sys/fs/cgroup/cgroup.subtree_control 2>/dev/null; then
	echo $H_PID >/sys/fs/cgroup/box/cgroup.procs
	memstats groups --split-cgroup --format csv >/tmp/cg
	check cgroup: grep -q '^cgroup,/box,1,' /tmp/cg
	check cgroup-current: sh -c "tr -d '\r' </tmp/cg | awk -F, '\$2 == \"/box\" && \$16 != \"\" { ok = 1 } END { exit !ok }'"
fi

# not root: what can be had, and exit 3
cp membox /tmp/memstats; chmod 755 /tmp /tmp/memstats
su_nobody() { setuidgid nobody "$@" 2>/dev/null || chpst -u nobody "$@"; }
echo 'nobody:x:65534:65534::/:/bin/sh' >>/etc/passwd
su nobody -s /bin/sh -c '/tmp/memstats --json' >/tmp/nb 2>/tmp/nb.err </dev/null
is not-root: $? 3
check not-root-says: grep -q 'no CAP_SYS_ADMIN' /tmp/nb.err
check not-root-partial: grep -q '"complete":false,"mode":"rollup"' /tmp/nb
