#!/bin/sh
# gates.sh - what must hold of the tree and of the binary, whatever it does.
t=gates
top=$(cd "$(dirname "$0")/.." && pwd)
. "$top/tests/lib.sh"
cd "$top" || exit 1

# ---- floors: libcore/base < kern, flow, view < applets ----
none() { ! grep "$@"; }
check "base includes libc and itself only" none -nE \
	'#include "(\.\./)?(kern|flow|view)\.h"' libcore/base.h libcore/base -r
for floor in kern flow view; do
	others=$(echo kern flow view | tr ' ' '\n' | grep -v $floor | tr '\n' '|')
	[ -e libcore/$floor ] || continue
	check "$floor includes base and itself only" none -nE \
		"#include \"(\.\./)?(${others%|})\.h\"|applets/" \
		libcore/$floor -r
done
check "list includes kern, view and base only" none -nE \
	'#include "(\.\./)?flow\.h"|applets/' libcore/list.h libcore/list -r
other_applets() {
	for a in applets/*/; do
		a=$(basename "$a")
		grep -nE '#include ".*\.h"' applets/$a/*.[ch] |
			grep -vE '"(base|kern|flow|view|lz4|zlib|[a-z_]+)\.h"'
	done | grep . && return 1
	return 0
}
check "an applet includes no other applet" other_applets

# ---- the hand ----
check "no malloc in our code" none -nwE \
	'(malloc|calloc|realloc|strdup|asprintf|alloca)' applets libcore -r \
	--include=*.c
check "no #ifdef in .c files" none -nE '^ *# *ifn?def' applets libcore -r \
	--include=*.c
long_functions() {
	awk 'FNR == 1 { start = 0 }
		/^{/ { start = FNR }
		/^}/ { if (start && FNR - start > 100) {
			print FILENAME ":" start ": " FNR - start " lines"
			bad = 1 } start = 0 }
		END { exit bad }' $(find applets libcore -name '*.c')
}
check "no function over 100 lines" long_functions

# ---- the binary ----
static() {
	! readelf -lW "$MEMBOX" | grep -E 'INTERP|DYNAMIC'
}
check "the binary is static: no INTERP, no DYNAMIC" static
no_exec_stack() {
	readelf -lW "$MEMBOX" | grep GNU_STACK | grep -qv 'RWE'
}
check "no executable stack" no_exec_stack
check "the full build is within 448 KiB" \
	test "$(stat -c %s "$MEMBOX")" -le $((448 * 1024))

done_testing
