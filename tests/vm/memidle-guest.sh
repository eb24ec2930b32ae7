# shellcheck shell=sh disable=SC2154
# memidle-guest.sh - what t-memidle*.sh run on their kernels: helpers, then
# tests for any kernel (any) and for those with DAMON (with_damon)
. ./guest.sh
applets
PATH=/host:$PATH
n=0

# victim OPTION...: starts one and waits until it has touched all; its pid is $P
victim()
{
	n=$((n + 1))
	./memidle-victim "$@" /tmp/ready.$n &
	P=$!
	while [ ! -e /tmp/ready.$n ]; do sleep 0.05; done
}

# in_cgroup NAME OPTION...: the same in a cgroup
in_cgroup()
{
	mkdir -p "/sys/fs/cgroup/$1"
	n=$((n + 1))
	(
		echo 0 >"/sys/fs/cgroup/$1/cgroup.procs"
		shift
		exec ./memidle-victim "$@" /tmp/ready.$n
	) &
	P=$!
	while [ ! -e /tmp/ready.$n ]; do sleep 0.05; done
}

end() { { kill -9 $P; wait $P; } 2>/dev/null; return 0; }

# totals JSON: "present active idle untracked unknown swap" of a sample
totals()
{
	echo "$1" | sed -n 's/^{"sample".*"denied":[0-9]*,"pages":{"present":\([0-9]*\),"active":\([0-9]*\),"idle":\([0-9]*\),"untracked":\([0-9]*\),"unknown":\([0-9]*\),"swap":\([0-9]*\).*/\1 \2 \3 \4 \5 \6/p' | head -n 1
}

lim=1 maps=1
# measured NAME "PRESENT ACTIVE IDLE UNTRACKED" MEMIDLE-OPTION...: the sample's
# totals are those within $lim % of what is present, and add up; a page frame is
# mapped $maps times at most
measured()
{
	name=$1 want=$2
	shift 2
	json=$(memidle -q --json "$@" 2>&1)
	got=$(totals "$json")
	if echo "$want $got" | awk -v percent=$lim -v maps=$maps '{
			lim = $1 * percent / 100 + 2
			for (i = 1; i <= 4; i++) {
				d = $i - $(i + 4)
				if (d > lim || -d > lim) exit 1
			}
			# unknown is the part of the last word
			if ($9 > 63 * maps || $5 != $6 + $7 + $8 + $9) exit 1
			exit NF != 10
		}'; then
		ok "$name:" "$got"
	else
		notok "$name:" "want $want, got $got"
		echo "$json" | cut -c1-300 | sed 's/^/# /'
	fi
}

# Waits until the memidle just started, then $M, has marked the process.
marked()
{
	M=$!
	while set -- $(./memidle-flags $P); [ "$1" -lt 4096 ]; do
		sleep 0.02
	done
}

tainted() { echo "$json" | grep -q "\"taint\":\[[^]]*\"$1\""; }
big='longer(32M)'

# after_signal NAME SIGNAL DELAY FILE WANT COMMAND...: FILE reads WANT again
# after COMMAND got SIGNAL
after_signal()
{
	name=$1 sig=$2 delay=$3 file=$4 want=$5
	shift 5
	"$@" >/tmp/killed 2>&1 &
	K=$!
	sleep "$delay"
	for i in 1 2 3 4 5 6 7 8 9 10; do
		during=$(cat "$file")
		[ "$during" = "$want" ] || break
		sleep 0.1
	done
	kill "-$sig" $K
	wait $K 2>/dev/null
	for i in 1 2 3 4 5 6 7 8 9 10; do
		[ "$(cat "$file")" != "$want" ] || break
		sleep 0.2
	done
	if [ "$(cat "$file")" = "$want" ] && [ "$during" != "$want" ]; then
		ok "$name-$sig:" "$during, then $want"
	else
		notok "$name-$sig:" "was $during, is $(cat "$file"), want $want"
		sed 's/^/# /' /tmp/killed
	fi
}

any()
{
memidle --probe >/out/probe
echo $? >/out/probe.status
check clear_refs: grep -q '^clear_refs yes' /out/probe
check soft_dirty: grep -q '^soft_dirty yes' /out/probe

victim -m 64
measured half-clear_refs "16384 8192 8192 0" -b clear_refs -f --filter "$big" $P 1
measured half-soft_dirty "16384 8192 8192 0" -b soft_dirty --filter "$big" $P 1
measured auto "16384 8192 8192 0" -f --filter "$big" $P 1
memidle -q -f --csv -s 300ms -n 3 -m timestamp,uptime,statm,smaps,swap,processio,diskio,faults,wss,psi $P >/tmp/csv
if tr -d '\r' </tmp/csv | awk -F, '
		NR == 1 { for (i = 1; i <= NF; i++) c[$i] = i; n = NF; next }
		NF != n || $c["rss"] < 67108864 || $c["rss"] > 70000000 ||
		$c["wss"] != $c["active"] || $c["vm_resident"] < 67108864 ||
		$c["timestamp"] < 1.6e9 || $c["minflt"] < 16384 || $c["uptime"] <= 0 { bad = 1 }
		END { exit bad || NR != 4 || n < 9 + 25 || n > 10 + 25 }'; then
	ok measure: "every measurement has its columns"
else
	notok measure: "columns or values"
	sed 's/^/# /' /tmp/csv
fi
end

# phases: another 8 MiB every 600 ms
victim -m 64 -k 8192 -p 600 -i 5
json=$(memidle -q --json -f -C -s 600ms -n 4 --filter "$big" $P)
if echo "$json" | sed -n 's/.*"denied":0,"pages":{"present":[0-9]*,"active":\([0-9]*\).*/\1/p' |
		awk '$1 < last { bad = 1 } { last = $1 } END { exit bad || NR != 4 || last < 3 * 2048 }'; then
	ok cumulative: "grows with every phase"
else
	notok cumulative: "does not grow"
	echo "$json" | cut -c1-250 | sed 's/^/# /'
fi
json=$(memidle -q --json -f -P 4 --filter "$big" $P 300ms)
if echo "$json" | sed -n 's/.*"time":\([0-9.]*\).*"denied":0,"pages":{"present":[0-9]*,"active":\([0-9]*\).*/\1 \2/p' |
		awk '$2 < last { bad = 1 } { last = $2; t[NR] = $1 }
		END { exit bad || NR != 4 || t[4] < 2.3 || t[4] > 2.9 || t[2] < 0.55 || t[2] > 1 }'; then
	ok curve: "1, 2, 4, 8 intervals"
else
	notok curve: "not 1, 2, 4, 8 intervals, or not growing"
	echo "$json" | cut -c1-250 | sed 's/^/# /'
fi
end

# spread: of the time that it takes, not much more than 5 % is ours
victim -m 64 -i 200
began=$(cut -d' ' -f1 /proc/uptime)
memidle --max-cpu 5 -b soft_dirty -s 100ms -n 2 $P >/tmp/o 2>/tmp/e
if sed -n 's/.*samples, \([0-9.]*\) ms of CPU.*/\1/p' /tmp/e |
		awk -v a=$began -v b="$(cut -d' ' -f1 /proc/uptime)" '
		{ spent = (b - a) * 1000; print $1 " of " spent " ms"; exit $1 > spent / 10 || $1 < 10 }' >/tmp/cpu; then
	ok max-cpu: "$(cat /tmp/cpu)"
else
	notok max-cpu: "$(cat /tmp/cpu)"
	sed 's/^/# /' /tmp/e
fi
end

# commands
memidle -q -s 200ms -- sh -c 'sleep 0.5; exit 7' >/tmp/o
check command-status: test $? = 7
memidle -q -s 200ms -- sh -c 'kill -9 $$' >/tmp/o
check command-signal: test $? = 137
memidle -q 1 -- /nonexistent >/tmp/o 2>&1
check command-missing: test $? = 127

# a target that ends in the middle
./memidle-victim -m 8 /tmp/r & P=$!
sleep 0.5
(sleep 0.7; kill -9 $P) &
memidle -s 300ms -n 20 $P >/tmp/o 2>&1
check ended-status: test $? = 0
check ended-samples: test "$(grep -c '^ *[0-9]*\.[0-9]' /tmp/o)" -lt 6
# its number goes to another one meanwhile
if [ -w /proc/sys/kernel/ns_last_pid ]; then
	victim -m 8
	old=$P
	memidle -q -s 300ms -n 8 $P >/tmp/o 2>&1 &
	M=$!
	sleep 0.7
	end
	echo $((old - 1)) >/proc/sys/kernel/ns_last_pid
	./memidle-victim -m 8 /tmp/r2 & P=$!
	wait $M
	if [ $P = $old ]; then
		check reused: test "$(grep -c '^ *[0-9]*\.[0-9]' /tmp/o)" -lt 5
	else
		skip reused: "could not have the same pid again"
	fi
	kill -9 $P
fi

# exec, and stopped, in the middle
victim -m 8 -x /bin/sleep
(sleep 0.5; : >/tmp/ready.$n.exec) &
json=$(memidle -q --json $P 1)
check exec: tainted exec
end
victim -m 8
(sleep 0.5; kill -STOP $P) &
json=$(memidle -q --json $P 1)
check stopped: tainted stopped
end

# not root
victim -m 8
chmod 755 /host /host/* / 2>/dev/null
echo 'user:x:1000:1000::/:/bin/sh' >/etc/passwd
su user -c "/host/memidle $P 1" >/tmp/o 2>&1
check not-root-status: test $? = 1
check not-root-reason: grep -q 'permitted' /tmp/o
end
su user -c '/host/memidle --probe' >/tmp/o 2>&1
check not-root-probe: test $? = 1

# paused: each sample finds it still, and leaves it running
victim -m 32
measured pause-stop "8192 4096 4096 0" -f --pause stop -b clear_refs --filter 'longer(16M)' $P 500ms
state() { sed -n 's/^State:.\(.\).*/\1/p' /proc/$P/status; }
check pause-stop-runs: test "$(state)" != T
end
in_cgroup frozen -m 32
measured pause-freeze "8192 4096 4096 0" -f --pause freeze -b clear_refs --filter 'longer(16M)' $P 500ms
check pause-freeze-thawed: test "$(cat /sys/fs/cgroup/frozen/cgroup.freeze)" = 0
memidle -q --pause freeze --cgroup /sys/fs/cgroup 1 >/tmp/o 2>&1
check pause-freeze-self: test $? = 1
# slow enough to be killed while it holds the target
for s in INT TERM KILL; do
	after_signal freeze $s 1 /sys/fs/cgroup/frozen/cgroup.freeze 0 \
		memidle -q --max-cpu 1 --pause freeze -b soft_dirty -s 10ms -n 1000 $P
done
end
victim -m 64
memidle -q --max-cpu 1 --pause stop -b soft_dirty -s 10ms -n 1000 $P >/dev/null 2>&1 &
K=$!
sleep 0.3
for i in 1 2 3 4 5 6 7 8 9 10; do
	[ "$(state)" = T ] && break
	sleep 0.1
done
during=$(state)
kill -9 $K
sleep 0.5
if [ "$during" = T ] && [ "$(state)" != T ]; then
	ok stop-KILL: "stopped, then running"
else
	notok stop-KILL: "was $during, is $(state)"
fi
end

# MGLRU: the cgroup's and the machine's sums
echo +memory >/sys/fs/cgroup/cgroup.subtree_control
on=$(cat /sys/kernel/mm/lru_gen/enabled)
in_cgroup a/b -m 64
measured cgroup-lru_gen "16384 8192 8192 0" -f -b lru_gen --enable-lru-gen --cgroup /sys/fs/cgroup/a 1
check lru_gen-restored: test "$(cat /sys/kernel/mm/lru_gen/enabled)" = "$on"
measured cgroup-clear_refs "16384 8192 8192 0" -b clear_refs -f --filter "$big" --cgroup /a 1
if [ "$on" = 0x0000 ]; then
	memidle --system 1 >/tmp/o 2>&1
	check system-refused: test $? = 1
	check system-reason: grep -q 'enable-lru-gen' /tmp/o
	for s in INT TERM KILL; do
		after_signal lru_gen $s 1 /sys/kernel/mm/lru_gen/enabled 0x0000 \
			memidle -q --enable-lru-gen --system 30
	done
else
	json=$(memidle -q --json -f -b lru_gen --system 1)
	set -- $(totals "$json")
	check system: test "${1:-0}" -gt 16384 -a "${2:-0}" -gt 8000
fi
end
}

with_damon()
{
D=/sys/kernel/mm/damon/admin/kdamonds
victim -m 64
lim=5 # regions, not pages
measured damon "16384 8192 8192 0" -b damon --filter "$big" $P 2
lim=1
# the machine, by physical addresses: its regions settle late where it is busy
half_of_ram()
{
	memidle -q --json -b damon --system -s 2 -n 30 >/tmp/damon & m=$!
	found=1
	while [ $found = 1 ] && kill -0 $m 2>/dev/null; do
		sleep 1
		set -- $(totals "$(tail -n 1 /tmp/damon)")
		[ "${1:-0}" -gt 16384 ] && [ "$1" = $(($2 + $3 + $4 + $5)) ] &&
			[ "$2" -gt 6000 ] && [ "$3" -gt 6000 ] && found=0
	done
	kill -INT $m 2>/dev/null
	wait $m
	cat /tmp/damon
	return $found
}
check damon-system: half_of_ram
memidle --probe >/tmp/o
check damon-probe: grep -q '^damon  *yes  *regions found by sampling, not pages$' /tmp/o
check damon-restored: test "$(cat $D/nr_kdamonds)" = 0
for s in INT TERM KILL; do
	after_signal damon $s 1 $D/nr_kdamonds 0 memidle -q -b damon $P 30
done
# somebody else's stays as it is
echo 1 >$D/nr_kdamonds
memidle --probe | grep -q '^damon  *no .*set up'
check damon-foreign-idle: test $? = 0
echo 1 >$D/0/contexts/nr_contexts
echo vaddr >$D/0/contexts/0/operations
echo 1 >$D/0/contexts/0/targets/nr_targets
echo $P >$D/0/contexts/0/targets/0/pid_target
echo 2000 >$D/0/contexts/0/monitoring_attrs/intervals/sample_us
echo on >$D/0/state
owner=$(cat $D/0/pid)
memidle --probe | grep -q "^damon  *no .*kdamond $owner"
check damon-foreign-pid: test $? = 0
memidle -q -b damon $P 1 >/tmp/o 2>&1
check damon-refused: test $? = 1
check damon-untouched: test "$(cat $D/0/state) $(cat $D/0/pid) $(cat $D/0/contexts/0/monitoring_attrs/intervals/sample_us)" = "on $owner 2000"
json=$(memidle -q --json -f --filter "$big" $P 500ms)
check damon-taints: tainted damon
echo off >$D/0/state
echo 0 >$D/nr_kdamonds
end
}
