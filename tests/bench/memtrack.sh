#!/bin/sh
# memtrack: the reader's CPU time an event, what is lost at a high rate, time to
# start and to report, memory; memstrack beside it where it is installed
#
# The floor is the same load without a tracer: pages faulted and freed a second.
cd "$(dirname "$0")/../.." || exit 1
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT
[ "$(id -u)" = 0 ] || { echo "needs root"; exit 1; }
ln -s "$MEMBOX" "$work/memtrack"
prog=$(tests/vm/cc tests/vm/memtrack-prog.c -O1 -fno-omit-frame-pointer) || exit

cat >"$work/report.py" <<'EOF2'
import json, sys
lines = [json.loads(l) for l in open(sys.argv[1])]
best = None
for a, b in zip(lines, lines[1:]):
    events = b['allocations'] + b['frees'] - a['allocations'] - a['frees']
    span = b['duration'] - a['duration']
    if events and span and (best is None or events / span > best[0]):
        cpu = lambda k: (b['tracer'][k] - a['tracer'][k]) / events * 1e6
        best = (events / span, cpu('cpu_seconds'), cpu('reader_cpu_seconds'))
end = lines[-1]
print('  events a second        %d' % best[0])
print('  CPU an event           %.3f us (reading and counting %.3f us)' % best[1:])
print('  records lost           %d of %d' % (end['lost_records'],
    end['records'] + end['lost_records']))
t = end['tracer']
print('  resident               %.1f MiB, the table of pages %.1f of them'
    % (t['resident_bytes'] / 2**20, t['page_table_bytes'] / 2**20))
print('  rings                  %.1f MiB, the instance\'s slab about %.1f MiB'
    % (t['ring_bytes'] / 2**20, t['kernel_bytes'] / 2**20))
EOF2

# Pages faulted by both churning programs in 3 s.
load() {
	"$prog" churn 3 >"$work/n1" & one=$!
	"$prog" churn 3 >"$work/n2" & two=$!
	wait $one $two
	cat "$work/n1" "$work/n2" | awk '{ n += $1 } END { print n }'
}

echo "load: two processes map, touch and unmap 4 MiB for 3 s"
base=$(load)
echo "  without a tracer       $base pages"
"$work/memtrack" --json --interval 0.5 --duration 5 -r module_summary \
	>"$work/out" 2>/dev/null &
tracer=$!
sleep 0.7
traced=$(load)
wait $tracer
echo "memtrack:"
echo "  with it                $traced pages," \
	"$(awk -v a="$base" -v b="$traced" 'BEGIN { printf "%.2f", a / b }')" \
	"times the load's time"
python3 "$work/report.py" "$work/out"

# From exec to tracing_on, and from the signal to the end; kallsyms apart.
cat >"$work/times.py" <<'EOF2'
import ctypes, glob, os, signal, subprocess, sys, time
prog, out = sys.argv[1:3]
libc = ctypes.CDLL(None, use_errno=True)
tracing = '/sys/kernel/tracing'
mounted = not os.path.exists(tracing + '/trace')
if mounted:
    subprocess.run(['mount', '-t', 'tracefs', 'tracefs', tracing], check=True)
t = time.monotonic
def kallsyms():
    begin = t(); open('/proc/kallsyms').read(); return t() - begin
starts, ends = [], []
for i in range(int(os.environ.get('BENCH_RUNS', 5))):
    begin = t()
    p = subprocess.Popen([prog, '--notui', '--force', '-o', out, '-r',
        'summary,module_summary,task_summary'], stderr=subprocess.DEVNULL)
    on = '%s/instances/membox.%d/tracing_on' % (tracing, p.pid)
    while True:
        try:
            if open(on).read() == '1\n':
                break
        except OSError:
            pass
        time.sleep(0.0005)
    starts.append(t() - begin)
    time.sleep(0.5)
    begin = t()
    p.send_signal(signal.SIGTERM)
    while os.path.exists(out) is False:
        time.sleep(0.0005)
    ends.append(t() - begin)
    p.wait()
    os.unlink(out)
mid = lambda v: sorted(v)[len(v) // 2] * 1000
print('  exec to tracing        %.0f ms' % mid(starts))
print('  SIGTERM to the report  %.0f ms' % mid(ends))
print('  (a pass over kallsyms  %.0f ms)' % (kallsyms() * 1000))
if mounted:
    subprocess.run(['umount', tracing])
EOF2
python3 "$work/times.py" "$work/memtrack" "$work/report"

peer=$(command -v memstrack || ls "${MEMBOX_PEERS:-/nonexistent}/memstrack" \
	2>/dev/null)
case $(readlink -f "${peer:-/}") in
/|*membox*) echo "memstrack: not installed here"; exit 0 ;;
esac
mount -t tracefs tracefs /sys/kernel/tracing 2>/dev/null
"$peer" --notui --report task_summary -o "$work/peer" 2>/dev/null &
tracer=$!
sleep 0.7
before=$(awk '{ print $14 + $15 }' /proc/$tracer/stat)
traced=$(load)
after=$(awk '{ print $14 + $15 }' /proc/$tracer/stat)
echo "memstrack:"
echo "  with it                $traced pages," \
	"$(awk -v a="$base" -v b="$traced" 'BEGIN { printf "%.2f", a / b }')" \
	"times the load's time"
awk -v c=$((after - before)) -v n="$traced" -v hz="$(getconf CLK_TCK)" 'BEGIN {
	printf "  CPU an event           %.3f us\n", c / hz / n / 2 * 1e6 }'
echo "  resident               $(awk '/VmRSS/ { print $2 / 1024 }' \
	/proc/$tracer/status) MiB"
kill -INT $tracer
wait $tracer
