#!/bin/sh
# memidle: a kernel with DAMON and MGLRU, without page_idle

. "$(dirname "$0")/lib.sh"

cat >"$OUT/guest" <<'EOF2'
. ./memidle-guest.sh
any
check probe-status: test "$(cat /out/probe.status)" = 1
check no-page_idle: grep -q '^page_idle  no .*CONFIG_IDLE_PAGE_TRACKING' /out/probe
check lru_gen: grep -q '^lru_gen    yes' /out/probe
check damon: grep -q '^damon      yes' /out/probe
with_damon
EOF2

vm 6.12 -t 300 -f "$VM/memidle-guest.sh" \
	-f "$("$VM/cc" "$VM/memidle-victim.c")" \
	-f "$("$VM/cc" "$VM/memidle-flags.c")" "$OUT/guest"
