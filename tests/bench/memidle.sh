#!/bin/sh
# memidle: its own time for a page, here; CPU time of a sample against the
# kernel's own and against the per-page way, and memory against what it says
# beforehand, in machines under qemu (ratios only: emulation is not hardware).
cd "$(dirname "$0")/../.." || exit 1
vm=tests/vm
MEMBOX=$(realpath "${MEMBOX:-membox}")
out=$(mktemp -d) || exit 1
trap 'rm -rf "$out"' EXIT
trap 'exit 130' INT TERM

# The user side natively: there is no idle bitmap on most machines, so the
# kernel's answers are made up, and the time for that is taken off.
obj=$(dirname "$MEMBOX")/obj
if [ -d "$obj/applets/memidle" ] && [ "$(uname -m)" = x86_64 ]; then
	gen=$(dirname "$obj")/gen
	musl-gcc -std=gnu11 -Os -static -D_GNU_SOURCE -I. -Ilibcore -I"$gen" \
		-include "$gen/config.h" -isystem "$gen/include" \
		-Wl,--wrap=pread,--wrap=pwrite,--wrap=openat,--wrap=ioctl \
		-Wl,--gc-sections -o "$out/user" tests/bench/memidle-user.c \
		"$obj"/libcore/*/*.o "$obj"/applets/memidle/*.o || exit 1
	echo "user side, 4 GiB of 4K pages, the median of ${BENCH_RUNS:-5} (<= 30 ns/page):"
	for layout in packed mixed; do
		for i in $(seq "${BENCH_RUNS:-5}"); do
			rm -rf "$out/root"
			mkdir "$out/root"
			"$out/user" "$out/root" 4096 $layout
		done | awk '{ print $0 "\t" $(NF - 2) }' | sort -t"	" -k2n |
			awk -F'\t' '{ v[NR] = $1 } END { print "  " v[int((NR + 1) / 2)] }'
	done
fi

"$vm/run" -k test -p || { echo "no test kernel"; exit 0; }
cat >"$out/guest" <<'EOF2'
echo always >/sys/kernel/mm/transparent_hugepage/enabled
for how in "" "-H"; do
	rm -f /tmp/ready
	./memidle-victim -m 256 $how /tmp/ready & P=$!
	while [ ! -e /tmp/ready ]; do sleep 0.1; done
	for i in $(seq RUNS); do
		echo "${how:-4K}" $(./memidle-floor $P ./membox)
	done
	kill -9 $P
done
EOF2
sed -i "s/RUNS/${BENCH_RUNS:-5}/" "$out/guest"
"$vm/run" -k test -m 1024 -t 300 -f "$MEMBOX:/host/membox" \
	-f "$("$vm/cc" "$vm/memidle-victim.c")" \
	-f "$("$vm/cc" tests/bench/memidle-floor.c)" \
	"$out/guest" >"$out/said" || { cat "$out/said"; exit 1; }
# The least of the runs: what others do meanwhile only adds.
awk '
	function least(key, v) { if (!(key in min) || v + 0 < min[key]) min[key] = v + 0 }
	{
		if (!($1 in min)) { names[++n] = $1; min[$1] = 0 }
		pages[$1] = $3; words[$1] = $5
		for (i = 6; i < NF; i += 2) least($1 $i, $(i + 1))
	}
	END {
		for (i = 1; i <= n; i++) {
			k = names[i]
			kernel = min[k "set"] + min[k "read"]
			printf "%s: %s pages in %s words of the bitmap, half of them touched, ns/page\n", k == "-H" ? "THP" : k, pages[k], words[k]
			printf "  kernel: set %d + read %d = %d; pagemap %d; the per-page way %d\n", min[k "set"], min[k "read"], kernel, min[k "pagemap"], min[k "perpage"]
			printf "  memidle: a sample of a series %d (user %d), one alone, with the start of the program, %d\n", min[k "memidle"], min[k "user"], min[k "first"]
			printf "  / (set + read): of a series %.2f (<= 1.15), alone %.2f; with two readings of pagemap %.2f and %.2f\n", \
				min[k "memidle"] / kernel, min[k "first"] / kernel, \
				min[k "memidle"] / (kernel + 2 * min[k "pagemap"]), min[k "first"] / (kernel + 2 * min[k "pagemap"])
			printf "  per page / memidle %.0f, alone %.0f (>= 20)\n", min[k "perpage"] / min[k "memidle"], min[k "perpage"] / min[k "first"]
		}
	}' "$out/said"

# Memory: what is said before the first sample, and the most that was resident.
cat >"$out/guest" <<'EOF2'
echo always >/sys/kernel/mm/transparent_hugepage/enabled
./memidle-victim -m 4096 -H /tmp/ready &
while [ ! -e /tmp/ready ]; do sleep 0.1; done
P=$(pidof memidle-victim)
for o in "" "--tree" "--heat" "--ages 0,1s" "--ages 0,1s --reuse --heat -v"; do
	./membox memidle -s 300ms -n 1000 $o $P >/tmp/o 2>/tmp/e & M=$!
	while [ $(grep -c '^ *[0-9]*\.[0-9]' /tmp/o) -lt 3 ]; do sleep 0.1; done
	echo "${o:-plain}" "$(sed -n 's/.*up to \(.*\) of memory.*/\t\1\t/p' /tmp/e)" \
		$(sed -n 's/^VmHWM:[^0-9]*//p' /proc/$M/status)
	kill -9 $M
done
EOF2
"$vm/run" -k test -m 4608 -t 300 -f "$MEMBOX:/host/membox" \
	-f "$("$vm/cc" "$vm/memidle-victim.c")" \
	"$out/guest" >"$out/said" || { cat "$out/said"; exit 1; }
echo "memory for a process of 4 GiB (within 5 %):"
awk -F'\t' '{
	split($2, said, " ")
	kib = said[1] * (said[2] == "MiB" ? 1024 : 1)
	printf "  %s: said %s, was %d KiB: %.2f\n", $1, $2, $3, kib / $3
}' "$out/said"
