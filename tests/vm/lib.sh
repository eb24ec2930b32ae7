# shellcheck shell=sh disable=SC2154
# lib.sh - for tests/vm/t-NAME.sh, which begin with . "$(dirname "$0")/lib.sh"
#
# ok, notok, skip, check: see guest.sh; all names get NAME/ put before them
# vm KERNEL [OPTION]... SCRIPT   one run (options: see run) whose PASS, FAIL and
#     SKIP lines are passed on as NAME/KERNEL/...; the guest has guest.sh and,
#     when there is one, membox in its working directory; the results are in
#     $OUT/KERNEL. Returns 0 when the script ended with 0; a kernel that is not
#     there is skipped.
#
# MEMBOX  the binary under test (default: membox at the repository's top)
# OUT     a directory for the test's files, removed at its end

VM=$(cd "$(dirname "$0")" && pwd)
MEMBOX=$(realpath "${MEMBOX:-$VM/../../membox}")
PREFIX=$(basename "$0" .sh)
PREFIX=${PREFIX#t-}/
. "$VM/guest.sh"

OUT=$(mktemp -d) || exit
trap 'rc=$?; rm -rf "$OUT"; [ $rc != 0 ] || rc=$failed; exit $rc' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

vm()
{
	_kernel=$1
	shift
	if ! "$VM/run" -k "$_kernel" -p; then
		skip "$_kernel:" "no such kernel here; config/deps.sh test"
		return 1
	fi
	set -- -k "$_kernel" -d "$OUT/$_kernel" -f "$VM/guest.sh" "$@"
	[ ! -x "$MEMBOX" ] || set -- -f "$MEMBOX:/host/membox" "$@"
	"$VM/run" "$@" >"$OUT/said" 2>"$OUT/why"
	_rc=$?
	sed -n "s,^\(PASS\|FAIL\|SKIP\) ,&$PREFIX$_kernel/,p; /^#/p" "$OUT/said"
	if grep -q '^FAIL ' "$OUT/said"; then
		failed=1
	elif [ $_rc != 0 ]; then
		notok "$_kernel/run:" "status $_rc"
		cat "$OUT/said" "$OUT/why" | tail -n 30 | sed 's/^/# /'
	fi
	return $_rc
}
