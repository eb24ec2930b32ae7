#!/bin/sh
# memtrack: pages are charged to who took them, on real kernels, from boot on

. "$(dirname "$0")/lib.sh"

PROG=$("$VM/cc" "$VM/memtrack-prog.c" -O1 -fno-omit-frame-pointer) || exit
ALL=summary,module_summary,module_top,task_summary,task_top,task_top_json
ALL=$ALL,proc_slab_static,vmalloc

cat >"$OUT/guest" <<'EOF2'
. ./guest.sh
applets
prog=./memtrack-prog
tracing=/sys/kernel/tracing
ko=/lib/modules/$(uname -r)

# Waits until the tracer $1 traces.
traces()
{
	i=0
	until [ "$(cat $tracing/instances/membox.$1/tracing_on 2>&1)" = 1 ]; do
		i=$((i + 1))
		[ $i -lt 300 ] || return 1
		sleep 0.1
	done
}
# Ends the tracer by signal $1: it must exit 0.
end() { kill -$1 $tracer; wait $tracer; ended=$?; }
status_is() { want=$1; shift; "$@"; got=$?; [ $got = "$want" ]; }
no_instance() { [ -z "$(ls $tracing/instances)" ]; }
both() { grep -q "$1" "$3" && grep -q "$2" "$3"; }

# ---- what the kernel traced while it booted ----
if [ -d $tracing/instances/memtrack ]; then boot=memtrack; else boot=global; fi
check adopt: ./memtrack --adopt $boot --duration 1 \
	-r summary,module_summary,task_top:throttle=90 -o /out/adopt
check adopt-boot: both kernel_init ret_from_fork /out/adopt
check adopt-modules: grep -q 'Module virtio_blk using' /out/adopt
check adopt-gone: no_instance
check adopt-global: test "$(cat $tracing/tracing_on)" = 1 -a \
	"$(cat $tracing/options/stacktrace)" = 0 -a \
	"$(cat $tracing/events/kmem/mm_page_alloc/enable)" = 0
check boot-params: test "$(./memtrack --boot-params 2>/dev/null)" = \
	"$(cat params)"

# ---- a long run ----
head -c 40000000 /dev/urandom >/disk/file
sync
echo 3 >/proc/sys/vm/drop_caches
echo 0 >/sys/devices/system/cpu/cpu1/online
./memtrack --notui --kmsg -r $(cat reports) -o /out/term 2>/out/term.err &
tracer=$!
check start: traces $tracer
echo 1 >/sys/devices/system/cpu/cpu1/online
$prog churn 9 &
$prog churn 9 &
$prog hold 200 30 >/out/hold &
holder=$!
taskset 2 $prog hold 8 30 >/out/hold8 &
$prog load $ko/brd.ko 'rd_nr=1 rd_size=65536' 24 12 &
echo "$!" >/out/loader
sleep 1
$prog load $ko/loop.ko max_loop=2 12 8 &
modprobe zram
/bin/dd if=/dev/zero of=/dev/ram0 bs=1M count=16 conv=fsync 2>/dev/null
/bin/dd if=/disk/file of=/dev/null bs=64k 2>/dev/null
sleep 6
kill -USR1 $tracer
sleep 4
wc -c </out/term.part >/out/usr1
rmmod brd zram
echo 3 >/proc/sys/vm/drop_caches
sleep 1
end TERM
check term: test $ended = 0
check instance-gone: no_instance
check kmsg: sh -c 'dmesg | grep -q "memtrack: Total using"'
kill $holder

# ---- ways to run and to end ----
./memtrack --notui -r $(cat reports) -o /out/int 2>/dev/null &
tracer=$!
traces $tracer
end INT
check int: test $ended = 0
check status: status_is 7 ./memtrack -r summary -o /out/o1 -- sh -c 'exit 7'
check status-signal: status_is 137 ./memtrack -r summary -o /out/o2 -- \
	sh -c 'kill -9 $$'
check status-none: status_is 127 ./memtrack -r summary -o /out/o3 -- ./nothing
check user-stacks: ./memtrack --user-stacks -r task_top -o /out/user -- \
	$prog leak 8 1
check user-names: both 'leak_here memtrack-prog (0x' \
	'leak_caller memtrack-prog (0x' /out/user
$prog name 30 2>/dev/null &
check json: sh -c './memtrack --json --interval 1 --duration 3.5 \
	-r module_top,task_top,vmalloc,proc_slab_static -- \
	./memtrack-prog name 4 >/out/json'
./memtrack -r task_top_json,task_summary -o /out/names -- $prog name 1

# ---- the terminal view ----
$prog churn 200 >/dev/null &
churn=$!
$prog pty 'vm/lo
m /churn
 sp=q' ./memtrack -r summary,task_summary >/out/tty
check tui: test $? = 0
kill $churn
$prog pty '~' ./memtrack -r summary >/out/tty-interrupt
check tui-interrupt: test $? = 0

# ---- called by dracut ----
trap '' HUP
./memstrack --report module_summary,module_top --notui --throttle 80 \
	-o /out/memstrack >/dev/null 2>&1 &
tracer=$!
traces $tracer
kill -HUP $tracer
check comm: test "$(cat /proc/$tracer/comm)" = memstrack
modprobe -r zram
modprobe zram
end INT
check memstrack: test $ended = 0

# ---- faults ----
./memtrack --notui -r summary --buf-size 64K -o /out/lost 2>/dev/null &
tracer=$!
traces $tracer
kill -STOP $tracer
$prog churn 3
kill -CONT $tracer
end TERM
check lost: test $ended = 0
check lost-told: grep -qE '^Lost [1-9][0-9]* of' /out/lost

./memtrack --notui -o /out/killed 2>/dev/null &
tracer=$!
traces $tracer
kill -9 $tracer
wait $tracer
i=$tracing/instances/membox.$tracer
check killed-off: test "$(cat $i/tracing_on)" = 0
check killed-freed: test "$(cat $i/buffer_total_size_kb)" -lt 100
./memtrack --notui -o /out/sweeper 2>/dev/null &
tracer=$!
traces $tracer
check swept: test "$(ls $tracing/instances)" = membox.$tracer
kill $tracer
wait $tracer
check bad-output: status_is 1 ./memtrack --notui -o /nowhere/x
check bad-report: status_is 2 ./memtrack -r module_sum
check bad-adopt: status_is 1 ./memtrack --adopt none --duration 1
check nothing-left: no_instance
umount $tracing
umount /sys/kernel/debug
check unmounted: ./memtrack -r summary -o /out/unmounted -- $prog hold 4 0
check not-mounted: sh -c '! mount | grep -q tracefs'
EOF2

# ---- what the reports must say ----

# The pages live (or at the peak) of a thing in a parsed report.
field() { awk -v k="$2" -v n="$3" -v f="$4" '$1 == k && $2 == n { v = $f }
	END { print v + 0 }' "$1"; }
near() { [ $((($1 - $2) * 1000)) -le "$2" ] && [ $((($2 - $1) * 1000)) -le "$2" ]; }
between() { [ "$1" -ge "$2" ] && [ "$1" -le "$3" ]; }
parse() { "$VM/memtrack-parse" "$1" >"$2"; }
forms() { sed -n 's/^report //p' "$1" | tr '\n' ,; }

# The two reports of the long run: at SIGUSR1, and at its end.
judge()
{
	o=$OUT/$1/out
	head -c "$(cat "$o/usr1")" "$o/term" >"$o/first"
	tail -c +$(($(cat "$o/usr1") + 1)) "$o/term" >"$o/last"
	for f in first last int; do
		check "$1/parse-$f:" parse "$o/$f" "$o/$f.flat" || return
	done
	check "$1/same-form:" test "$(forms "$o/last.flat")" = "$ALL," -a \
		"$(forms "$o/int.flat")" = "$ALL,"
	read -r pid pages <"$o/hold"
	got=$(field "$o/first.flat" task "$pid" 3)
	check "$1/known-pages: $pages held, $got reported," near "$got" "$pages"
	read -r pid pages <"$o/hold8"
	got=$(field "$o/first.flat" task "$pid" 3)
	check "$1/late-cpu: $pages held, $got reported," between "$got" \
		"$pages" $((pages + 40))
	got=$(field "$o/first.flat" module brd 3)
	check "$1/brd: 4096 pages and its own, $got reported," between "$got" \
		4100 4160
	got=$(field "$o/first.flat" module loop 3)
	check "$1/loop: its own only, $got reported," between "$got" 8 200
	got=$(field "$o/first.flat" module zram 3)
	check "$1/zram: its own only, $got reported," between "$got" 8 120
	got=$(field "$o/last.flat" module brd 3)
	check "$1/rmmod: $got pages of brd left," between "$got" 0 40
	check "$1/rmmod-peak:" between \
		"$(field "$o/last.flat" module brd 4)" 4100 4160
	check "$1/page-cache:" sh -c "awk '/^top 0 .*\/bin\/dd if.\/disk/ {
		on = 1; next } on && /^top 0/ { exit }
		on && /(filemap|page_cache)[a-z_]*folio|page_cache_ra/ { print }' \
		'$o/first.flat' | grep -q ."
	check "$1/lost-none:" test "$(awk '/^lost/ { print $2 }' \
		"$o/first.flat" | sort -u)" = 0
	for text in "'q': quit, 'r': reload symbols, 'm': switch" \
		'   PID   |    Pages   |    Peak    |' 'Pages being tracked: ' \
		'Pages/s | Module Name' "Filter '/': churn" '|+ asm_exc_page_fault' \
		'\[PAUSED\]' 'Sort .s.: peak' '= Report format summary END ='
	do
		check "$1/tui-shows:" grep -aq "$text" "$o/tty"
	done
	check "$1/tui-interrupt:" grep -aq 'format summary END' \
		"$o/tty-interrupt"
	check "$1/names:" parse "$o/names" "$o/names.flat"
	check "$1/hostile:" grep -qF "'q\"\\\\" "$o/names.flat"
	check "$1/json:" "$VM/memtrack-parse" --json "$o/json"
	check "$1/memstrack:" parse "$o/memstrack" "$o/memstrack.flat"
	check "$1/memstrack-form:" test \
		"$(forms "$o/memstrack.flat")" = module_summary,module_top,
	check "$1/memstrack-zram:" between \
		"$(field "$o/memstrack.flat" module zram 3)" 8 120
	grep -h '^Tracer' "$o/term" | tail -n 1 | sed 's/^/# /'
}

# The parameters that the kernel itself is told to print.
echo "$ALL" >"$OUT/reports"
events=kmem:mm_page_alloc,kmem:mm_page_free,module:module_load
events=$events,module:module_free,sched:sched_process_exec
events=$events,sched:sched_process_exit,task:task_newtask,task:task_rename
vmalloc=vmalloc:alloc_vmap_area,vmalloc:free_vmap_area_noflush
pool=page_pool:page_pool_state_hold
stacks=mm_page_alloc.stacktrace,alloc_vmap_area.stacktrace
stacks=$stacks,page_pool_state_hold.stacktrace
vm_run()
{
	k=$1; shift
	echo "$*" >"$OUT/params"
	vm "$k" -m 640 -D 512 -t 600 -f "$PROG" -f "$OUT/reports" \
		-f "$OUT/params" -a "$*" "$OUT/guest"
	[ ! -e "$OUT/$k/out/usr1" ] || judge "$k"
}
vm_run 6.1 trace_event=$events,$pool trace_options=stacktrace \
	trace_clock=global trace_buf_size=64M
vm_run 6.12 trace_instance=memtrack,$events,$vmalloc,$pool \
	trace_trigger=$stacks trace_buf_size=16M
