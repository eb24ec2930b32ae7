#!/bin/sh
# config/kconf.awk on spoiled Kconfig files: it must end by itself, with 0, or
# with 1 and a message, and then have written nothing.
#
# KCONF_FUZZ=N   spoiled files made of each of the corpus (default 15)

top=$(cd "$(dirname "$0")/../.." && pwd)
t=kconf-fuzz
. "$top/tests/lib.sh"
cd "$work" || exit 1

# Copy number c of a file: one line in ten gets a byte, a word or a line that
# does not belong there, or loses something. The same for the same c.
cat >spoil.awk <<'END'
function rnd(n)
{
	seed = seed * 16807 % 2147483647
	return int(seed / 64) % n
}
function spoil(s,	at, how)
{
	at = 1 + rnd(length(s) + 1)
	how = rnd(5)
	if (how == 0)
		return line[1 + rnd(NR)]
	if (how == 1)
		return substr(s, 1, at - 1)
	if (how == 2)
		return s "\n" line[1 + rnd(NR)]
	return substr(s, 1, at - 1) bit[1 + rnd(nbits)] substr(s, at + how - 3)
}
{ line[NR] = $0 }
END {
	nbits = split("( ) ! && || = != \" \\ # \t - / $ y config menu endmenu " \
		"if endif source help 99999999999 %s * A \001 \377", bit, " ")
	seed = 7919 * c + NR
	rnd(2)
	for (i = 1; i <= NR; i++)
		print rnd(10) ? line[i] : spoil(line[i])
}
END

# spoiled AWK FILE C: did kconf.awk end as it must?
spoiled() {
	LC_ALL=C awk -v c="$3" -f spoil.awk "$2" >Kconfig
	rm -f .config
	timeout 10 $1 -v mode=defconfig -v srcdir="${2%/*}" \
		-f "$top/config/kconf.awk" Kconfig >out 2>err
	case $? in
	0) [ -f .config ] ;;
	1) [ -s err ] && ! [ -e .config ] ;;
	*) false ;;
	esac
}

for awk in gawk mawk 'busybox awk'; do
	command -v ${awk%% *} >/dev/null || continue
	for file in "$top"/tests/fuzz/corpus/kconfig/*; do
		c=0 bad=
		while [ $c -lt "${KCONF_FUZZ:-15}" ]; do
			spoiled "$awk" "$file" $c || bad="$bad $c"
			c=$((c + 1))
		done
		same "$awk: ${file##*/}, spoiled copies that end badly" "" "$bad"
	done
done
done_testing
