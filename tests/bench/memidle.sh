#!/bin/sh
# memidle: CPU time of a sample against the kernel's own, in one machine under
# qemu (ratios only: emulation is not hardware).
vm=$(cd "$(dirname "$0")/../vm" && pwd)
MEMBOX=$(realpath "${MEMBOX:-$vm/../../membox}")
out=$(mktemp -d) || exit 1
trap 'rm -rf "$out"' EXIT
"$vm/run" -k test -p || { echo "no test kernel"; exit 0; }
cat >"$out/guest" <<'EOF2'
echo always >/sys/kernel/mm/transparent_hugepage/enabled
for how in "" "-H"; do
	rm -f /tmp/ready
	./memidle-victim -m 256 $how /tmp/ready & P=$!
	while [ ! -e /tmp/ready ]; do sleep 0.1; done
	for i in $(seq "${BENCH_RUNS:-5}"); do
		echo "${how:-4K}" $(./memidle-floor $P ./membox)
	done
	kill -9 $P
done
EOF2
"$vm/run" -k test -m 1024 -t 300 -d "$out/vm" -f "$MEMBOX:/host/membox" \
	-f "$("$vm/cc" "$vm/memidle-victim.c")" \
	-f "$("$vm/cc" "$(dirname "$0")/memidle-floor.c")" \
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
			printf "%s: %s pages in %s words of the bitmap, ns/page\n", k == "-H" ? "THP" : k, pages[k], words[k]
			printf "  kernel: set %d + read %d = %d; pagemap %d; the per-page way %d\n", min[k "set"], min[k "read"], kernel, min[k "pagemap"], min[k "perpage"]
			printf "  memidle, a sample: %d, of it user %d\n", min[k "memidle"], min[k "user"]
			printf "  memidle / (set + read) %.2f; with its two readings of pagemap %.2f; per page / memidle %.0f\n", \
				min[k "memidle"] / kernel, min[k "memidle"] / (kernel + 2 * min[k "pagemap"]), min[k "perpage"] / min[k "memidle"]
		}
	}' "$out/said"
