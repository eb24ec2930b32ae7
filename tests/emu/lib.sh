# lib.sh - for tests over emulated machines; sourced after tests/lib.sh
#
# tree VARIANT		makes it once, sets $T to its directory
# image OPTIONS FILE	compares an image of $T to the truth
# manifest WHAT FILE	one thing of a manifest
# dump OPTIONS		memdump on $T
# dumps TEXT CODE OPTIONS..	a test: dump exits with CODE; what it said is in
#			$work/said
# said TEXT PATTERN	a test: that holds the pattern (grep -E -i)
# nothing_left TEXT	a test: the directory $disk is empty; and empties it
# faulty OPTIONS	see faulty.c; "" when it cannot work here
#
# $disk is a directory on a file system that is no RAM disk.

EMU=$top/tests/emu
mkdir -p "$top/build"
disk=$(mktemp -d "$top/build/memdump.XXXXXX") || exit 1
trees=$(mktemp -d /dev/shm/membox.XXXXXX 2>/dev/null) ||
	trees=$(mktemp -d "$work/trees.XXXXXX") || exit 1
trap 'rm -rf "$work" "$trees" "$disk"' EXIT
trap 'exit 1' INT TERM PIPE

tree() {
	T=$trees/$1
	[ -d "$T" ] || /usr/bin/python3 "$EMU/tree" "$1" "$T"
}
at() { /usr/bin/python3 "$EMU/tree" --offset "$T" "$1"; }

# image OPTIONS FILE
image() {
	image_opts=
	while [ $# -gt 1 ]; do image_opts="$image_opts $1"; shift; done
	# shellcheck disable=SC2086
	/usr/bin/python3 "$EMU/image" $image_opts "$T" "$1"
}

manifest() { /usr/bin/python3 "$EMU/manifest" "$@"; }
dump() { "$MEMBOX" memdump --root "$T" "$@"; }
dumps() {
	what=$1 code=$2; shift 2
	dump "$@" >"$work/out" 2>"$work/said" </dev/null
	got=$?
	if [ $got -eq "$code" ]; then
		pass "$what"
	else
		fail "$what (exit $got, not $code)"
		sed 's/^/	/' "$work/said" | head -n 20
	fi
}
said() {
	if grep -qEi -e "$2" "$work/said"; then
		pass "$1"
	else
		fail "$1 (no $2)"
		sed 's/^/	/' "$work/said" | head -n 20
	fi
}
nothing_left() {
	same "$1" "" "$(ls -A "$disk")"
	rm -rf "${disk:?}"/* "$disk"/.[!.]*
}

faulty_there() {
	gcc -O1 -o "$work/faulty" "$EMU/faulty.c" 2>/dev/null &&
		"$work/faulty" -f /etc/passwd -o 0 true 2>/dev/null
}
