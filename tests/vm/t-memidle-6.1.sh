#!/bin/sh
# memidle: a kernel with clear_refs, soft-dirty and MGLRU switched off

. "$(dirname "$0")/lib.sh"

cat >"$OUT/guest" <<'EOF2'
. ./memidle-guest.sh
any
check probe-status: test "$(cat /out/probe.status)" = 1
check no-page_idle: grep -q '^page_idle  no .*CONFIG_IDLE_PAGE_TRACKING' /out/probe
check no-lru_gen: grep -q '^lru_gen    no .*--enable-lru-gen' /out/probe
check no-damon: grep -q '^damon      no .*CONFIG_DAMON' /out/probe
EOF2

vm 6.1 -t 300 -f "$VM/memidle-guest.sh" \
	-f "$("$VM/cc" "$VM/memidle-victim.c")" \
	-f "$("$VM/cc" "$VM/memidle-flags.c")" "$OUT/guest"
