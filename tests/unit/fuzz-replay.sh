#!/bin/sh
# Every fuzz target over its committed corpus and over mutations of it, built
# by the host's compiler with ASan and UBSan: no clang needed.
t=fuzz-replay
. "$(dirname "$0")/../lib.sh"
cd "$top" || exit 1

for target in tests/fuzz/fuzz-*.c; do
	name=$(basename "$target" .c)
	corpus=tests/fuzz/corpus/${name#fuzz-}
	check "${name#fuzz-}: $(find "$corpus" -type f | wc -l) inputs, and mutations" \
		timeout 60 "build/unit/$name" "$corpus"
done
same "every target has a corpus" "$(ls tests/fuzz/fuzz-*.c |
	sed 's/.*fuzz-\(.*\)\.c/\1/' | while read -r n; do
	[ -n "$(ls "tests/fuzz/corpus/$n")" ] || echo "$n"; done)" ""
done_testing
