# lib.sh - what a test script sources: one line a test, PASS, FAIL or SKIP.
#
# t=NAME			the prefix of the lines
# check TEXT COMMAND...		passes when COMMAND succeeds
# refuse CODE TEXT COMMAND...	passes when COMMAND exits with CODE
# same TEXT EXPECTED GOT	passes when the strings are equal
# skip TEXT REASON
# done_testing			last line: the script's exit status
#
# $MEMBOX is the binary under test, $work a directory that goes away.

top=${top:-$(cd "$(dirname "$0")/../.." && pwd)}
MEMBOX=${MEMBOX:-$top/membox}
work=$(mktemp -d "${TMPDIR:-/tmp}/membox.XXXXXX") || exit 1
trap 'rm -rf "$work"' EXIT
trap 'exit 1' INT TERM
failed=0

pass() { echo "PASS $t: $*"; }
fail() { echo "FAIL $t: $*"; failed=1; }
skip() { echo "SKIP $t: $1 ($2)"; }

# What a failed command printed is shown below its FAIL line.
check() {
	what=$1; shift
	if "$@" >"$work/.out" 2>&1; then
		pass "$what"
	else
		fail "$what (exit $?)"
		sed 's/^/	/' "$work/.out" | head -20
	fi
}

refuse() {
	code=$1 what=$2; shift 2
	"$@" >"$work/.out" 2>&1
	got=$?
	if [ $got -eq "$code" ]; then
		pass "$what"
	else
		fail "$what (exit $got, not $code)"
		sed 's/^/	/' "$work/.out" | head -20
	fi
}

same() {
	if [ "$2" = "$3" ]; then
		pass "$1"
	else
		fail "$1"
		printf '	expected: %s\n	got:      %s\n' "$2" "$3"
	fi
}

done_testing() { exit $failed; }
