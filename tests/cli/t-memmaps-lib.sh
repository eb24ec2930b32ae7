#!/bin/sh
# libmembox: built with glibc's and with musl's compiler, its example linked and
# run by both; it exports membox_* alone and can neither print nor exit.
t=memmaps-lib
. "$(dirname "$0")/../lib.sh"
cd "$top" || exit 1

build() { make -s lib CC="$1" O="build/lib-$1" >"$work/log" 2>&1 ||
	{ cat "$work/log"; return 1; }; }
example() {
	cc=$1; shift
	# shellcheck disable=SC2046
	$cc -Wall -Wextra -Werror "$@" docs/example.c $(PKG_CONFIG_PATH=$lib \
		pkg-config --cflags --libs membox) -o "$work/example-$cc"
}
symbols() { nm "$lib/libmembox.a" | awk "$1"; }
exports() { test -z "$(symbols '$2 ~ /[A-TV-Z]/ && $3 !~ /^membox_/')"; }
quiet() {
	! symbols '$1 == "U" { print $2 }' | grep -E \
	'^(_?_?exit|abort|_Exit|write|writev|printf|puts|fprintf|malloc|signal|sigaction)$'
}
held() { # a process with a known amount of memory
	/usr/bin/python3 -c '
import sys, time
m = bytearray(b"x") * (24 << 20)
print("ready", flush=True)
time.sleep(3600)' >"$work/ready" &
	pid=$!
	while [ ! -s "$work/ready" ]; do sleep 0.05; done
}
agrees() {
	"$work/example-$1" regions $pid >"$work/regions" &&
		test "$(sed -n 's/^rss //p' "$work/regions")" = \
		"$($MEMBOX memmaps --bytes $pid | awk '/^total/ { print $5 }')" &&
		awk '$3 >= 24 * 1048576 && $4 == "anonymous" { f = 1 }
			END { exit !f }' "$work/regions"
}
samples() {
	"$work/example-$1" sample $pid >"$work/samples" &&
		test "$(grep -c "^pid $pid: [0-9]* regions" "$work/samples")" \
			-ge 4 && grep -q '^grown by 0$' "$work/samples"
}
held
trap 'kill $pid 2>/dev/null; rm -rf "$work"' EXIT
for cc in gcc musl-gcc; do
	lib=build/lib-$cc/lib
	check "$cc: make lib" build $cc || continue
	check "$cc: exports membox_* alone" exports
	check "$cc: cannot print, exit or touch signals" quiet
	static=; [ $cc = gcc ] || static=-static
	check "$cc: the example links" example $cc $static
	check "$cc: regions are memmaps's" agrees $cc
	check "$cc: four samples" samples $cc
	refuse 1 "$cc: regions of no process" "$work/example-$cc" \
		regions 999999999
	refuse 1 "$cc: samples of no process" "$work/example-$cc" \
		sample 999999999
done
if gcc -x c++ -fsyntax-only /dev/null 2>/dev/null; then
	check "C++ can include it" gcc -x c++ -fsyntax-only lib/membox.h
fi
installed() {
	make -s install-lib CC=gcc O=build/lib-gcc DESTDIR="$work/root" \
		PREFIX=/usr && PKG_CONFIG_SYSROOT_DIR=$work/root \
		PKG_CONFIG_PATH=$work/root/usr/lib/pkgconfig \
		pkg-config --libs membox | grep -q -- "-L.*/usr/lib -lmembox" &&
		test -s "$work/root/usr/include/membox.h"
}
check "install-lib" installed

done_testing
