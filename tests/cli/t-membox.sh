#!/bin/sh
# The binary itself: names, links, listing, configuration, exit codes.
t=membox
. "$(dirname "$0")/../lib.sh"

grep_out() { pattern=$1; shift; "$@" 2>&1 | grep -q -- "$pattern"; }

check "alone it lists itself" grep_out '^membox [0-9.]*, .*KiB' "$MEMBOX"
check "--version" grep_out '^membox [0-9]' "$MEMBOX" --version
check "--config is the build's .config" grep_out 'CONFIG_CODEC' \
	"$MEMBOX" --config
refuse 127 "unknown applet" "$MEMBOX" nosuch
check "unknown applet is named" grep_out 'unknown applet nosuch' \
	"$MEMBOX" nosuch
refuse 2 "unknown option" "$MEMBOX" --nosuch
ln -s "$MEMBOX" "$work/nosuch"
refuse 127 "link by an unknown name" "$work/nosuch"
refuse 1 "--version to a full disk" sh -c "\"$MEMBOX\" --version >/dev/full"
refuse 2 "--install without directory" "$MEMBOX" --install
refuse 1 "--install into nothing" "$MEMBOX" --install "$work/none"

mkdir "$work/soft" "$work/hard"
check "--install -s" "$MEMBOX" --install -s "$work/soft"
check "--install -s again" "$MEMBOX" --install -s "$work/soft"
cp "$MEMBOX" "$work/hard/membox"
check "--install" "$work/hard/membox" --install "$work/hard"

applets=$("$MEMBOX" --list)
for a in $applets; do
	check "$a --help begins with usage" grep_out '^usage: ' \
		"$work/soft/$a" --help
	refuse 0 "$a --help exits 0" "$work/soft/$a" --help
	refuse 2 "$a refuses an unknown option" \
		"$work/soft/$a" --no-such-option
	check "$a names the unknown option" grep_out '--no-such-option' \
		"$MEMBOX" "$a" --no-such-option
	check "$a --version" grep_out 'membox' "$MEMBOX" "$a" --version
	refuse 1 "$a --help to a full disk" \
		sh -c "\"$MEMBOX\" $a --help >/dev/full"
	check "$a is a hard link" test "$work/hard/$a" -ef "$work/hard/membox"
done
mkdir "$work/taken"
for a in $applets; do : >"$work/taken/$a"; done
[ -n "$applets" ] && refuse 1 "--install does not replace a file" \
	"$MEMBOX" --install -s "$work/taken"

done_testing
