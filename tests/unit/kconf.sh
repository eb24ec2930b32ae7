#!/bin/sh
# config/kconf.awk against a sample with known results, against kconfig-conf
# on random trees, and against broken input.
#
# AWK="busybox awk"  the one awk to test; otherwise the default awk is tested,
#                 and a tenth of the random part with each other one there is
# KCONF_RANDOM=N  how many random trees to compare (default 400)
# KCONF_FUZZ=N    how many mutations of each corpus file (default 20)
#
# One line per test on stdout; exits 0 iff none failed.

here=$(cd "$(dirname "$0")/../.." && pwd)
kconf=$here/config/kconf.awk
corpus=$here/tests/fuzz/corpus/kconfig
tmp=$(mktemp -d) || exit 1
trap 'rm -rf "$tmp"' EXIT
trap 'exit 1' INT TERM
failed=0

pass() { echo "PASS kconf: $awk: $1"; }
skip() { echo "SKIP kconf: $awk: $1"; }
fail() { echo "FAIL kconf: $awk: $1"; failed=1; }

# is NAME WANT-FILE GOT-FILE
is()
{
	if diff -u "$2" "$3" >"$tmp/diff" 2>&1; then
		pass "$1"
	else
		fail "$1"
		sed 's/^/    /' "$tmp/diff" | head -n 40
	fi
}

# run MODE FILE [-v ...]: kconf.awk, its stderr in err, its status in $rc
run()
{
	mode=$1 input=$2
	shift 2
	$awk -v mode="$mode" "$@" -f "$kconf" "$input" >stdout 2>err
	rc=$?
}

# ---- a sample tree ----------------------------------------------------------

sample()
{
	mkdir -p gen applets
	cat >applets/cat.c <<'EOF'
/* cat - read "all" of it
 *
 * alias: dog CAT_LOUD
 * alias: cow CAT_MOO
 *
 * config CAT
 * 	bool "cat (21 kb)"
 * 	default y
 * 	help
 * 	  usage: cat [OPTIONS] FILE
 *
 * 	  Reads a \ and "quotes".
 * 	    What??!
 *
 * config CAT_LOUD
 * 	bool "be loud (2 kb)"
 * 	default y
 * 	depends on CAT
 * 	help
 * 	  --loud       be loud
 *
 * config CAT_MOO
 * 	bool "moo"
 * 	depends on CAT && LOUDER
 * 	help
 * 	  --moo        moo
 *
 * config CAT_LIVES
 * 	int "lives"
 * 	range 1 9
 * 	default 9
 */
int config_cat; /* config NOT
 * this */
EOF
	cat >applets/ant.c <<'EOF'
/* ant - small
 *
 * config ANT
 * 	bool "ant"
 * 	select LOUDER if ANT_BIG
 * 	---help---
 * 	usage: ant
 *
 * config ANT_BIG
 * 	bool "big"
 * 	depends on ANT
 */
EOF
	: >gen/Kconfig.owl
	cat >Kconfig <<'EOF'
mainmenu "sample"
source "gen/Kconfig.cat"
source "gen/Kconfig.ant"
source "gen/Kconfig.owl"
menu "Shared"
config LOUDER
	bool "louder"
config NAME
	string "name"
	default "a \"b\" \\c"
config ADDR
	hex "address"
	default 0x10 if LOUDER
	default ff
comment "the louder"
	depends on LOUDER
endmenu
EOF
	for a in cat ant; do
		run extract applets/$a.c
		mv stdout gen/Kconfig.$a
	done
}

test_extract()
{
	cat >want <<'EOF'
# summary: small
config ANT
	bool "ant"
	select LOUDER if ANT_BIG
	---help---
	usage: ant

config ANT_BIG
	bool "big"
	depends on ANT
EOF
	is "extract prints the stanza" want gen/Kconfig.ant
}

test_golden()
{
	rm -f .config
	run oldconfig Kconfig
	[ $rc = 0 ] && [ ! -s err ] && pass "no .config: defaults" ||
		fail "no .config: defaults"
	cat >want <<'EOF'
#
# Automatically generated file; DO NOT EDIT.
# sample
#
CONFIG_CAT=y
CONFIG_CAT_LOUD=y
CONFIG_CAT_LIVES=9
# CONFIG_ANT is not set

#
# Shared
#
# CONFIG_LOUDER is not set
CONFIG_NAME="a \"b\" \\c"
CONFIG_ADDR=ff
EOF
	is "golden .config" want .config
	cat >want <<'EOF'
/* made from .config by kconf.awk: do not edit */
#define CFG_CAT 1
#define CFG_CAT_LOUD 1
#define CFG_CAT_MOO 0
#define CFG_CAT_LIVES 9
#define CFG_ANT 0
#define CFG_ANT_BIG 0
#define CFG_LOUDER 0
#define CFG_NAME "a \"b\" \\c"
#define CFG_ADDR 0xff
EOF
	is "golden config.h" want gen/config.h
	cat >want <<'EOF'
/* made from Kconfig and .config by kconf.awk: do not edit */
#define USAGE_CAT \
	"usage: cat [OPTIONS] FILE\n" \
	"\n" \
	"Reads a \\ and \"quotes\".\n" \
	"  What?\?!\n" \
	"--loud       be loud\n"
#define USAGE_ANT \
	"usage: ant\n"
EOF
	is "golden usage.h: no --moo" want gen/usage.h
	cat >want <<'EOF'
/* made from Kconfig and .config by kconf.awk: do not edit */
APPLET(cat, CAT, "read \"all\" of it", "21 kb")
ALIAS(dog, cat)
EOF
	is "golden applets.h" want gen/applets.h

	cp .config before
	run oldconfig Kconfig
	is "a second run changes nothing" before .config

	run allyes Kconfig -v conf=yes -v out=.
	cat >want <<'EOF'
/* made from Kconfig and .config by kconf.awk: do not edit */
APPLET(ant, ANT, "small", "")
APPLET(cat, CAT, "read \"all\" of it", "21 kb")
ALIAS(cow, cat)
ALIAS(dog, cat)
EOF
	is "allyes: applets sorted, aliases too" want gen/applets.h
	grep -q -e --moo gen/usage.h && grep -qx CONFIG_ADDR=0x10 yes &&
		grep -q '^# the louder$' yes && pass "allyes: all of it" ||
		fail "allyes: all of it"

	run savedefconfig Kconfig -v conf=yes -v defs=mini
	run defconfig Kconfig -v conf=again -v defs=mini
	is "savedefconfig and back" yes again
	run allno Kconfig -v conf=no
	if [ ! -s no ] || grep 'CONFIG.*=y' no; then
		fail "allno: nothing on"
	else
		pass "allno: nothing on"
	fi
}

test_untouched()
{
	run oldconfig Kconfig
	touch -t 200001010000 .config gen/*.h
	touch -t 200101010000 mark
	run oldconfig Kconfig
	if [ -n "$(find .config gen -name '*.h' -newer mark)" ]; then
		fail "a file that stays the same is not touched"
	else
		pass "a file that stays the same is not touched"
	fi
}

# warns NAME SEED-LINE WARNING
warns()
{
	printf '%s\n' "$2" >seeded
	printf '%s\n' "$3" >want
	run oldconfig Kconfig -v conf=seeded
	is "warning: $1" want err
}

test_warnings()
{
	warns "unknown symbol" 'CONFIG_CATS=y' \
		'seeded:1: warning: unknown symbol CONFIG_CATS'
	warns "unknown symbol, off" '# CONFIG_CATS is not set' \
		'seeded:1: warning: unknown symbol CONFIG_CATS'
	warns "dependency" 'CONFIG_CAT_MOO=y' \
	'seeded:1: warning: CONFIG_CAT_MOO=y ignored: depends on CAT && LOUDER'
	warns "range" 'CONFIG_CAT_LIVES=12' \
	'seeded:1: warning: CONFIG_CAT_LIVES=12 ignored: range 1 9'
	warns "no number" 'CONFIG_CAT_LIVES=many' \
	'seeded:1: warning: not an int: CONFIG_CAT_LIVES=many'
	warns "no bool" 'CONFIG_CAT=m' \
	'seeded:1: warning: not a bool: CONFIG_CAT=m'
	warns "no string" 'CONFIG_NAME="x' \
	'seeded:1: warning: not a string: CONFIG_NAME="x'
	warns "junk" 'CAT=y' 'seeded:1: warning: ignored: CAT=y'
	warns "selected" "$(printf '%s\n' CONFIG_ANT=y CONFIG_ANT_BIG=y \
		'# CONFIG_LOUDER is not set')" \
'seeded:3: warning: CONFIG_LOUDER=n ignored: selected by ANT && ANT_BIG'
	cat >Kselect <<'EOF'
config A
	bool "a"
	select B
config B
	bool "b"
	depends on C || !(D && E)
config C
	bool "c"
config D
	def_bool y
config E
	def_bool TYPO || D
EOF
	echo CONFIG_A=y >seeded
	run oldconfig Kselect -v conf=seeded
	cat >want <<'EOF'
Kselect:12: warning: undefined symbol TYPO
Kselect:3: warning: A selects B, which depends on C || !(D && E)
EOF
	is "warning: select, undefined symbol" want err
}

# errs NAME WANT KCONFIG-TEXT: it fails, says so, and writes nothing
errs()
{
	printf '%b' "$3" >Kbad
	printf '%s\n' "$2" >want
	rm -rf bad.config bad
	run oldconfig Kbad -v conf=bad.config -v out=bad
	if [ $rc != 1 ] || [ -e bad.config ] || [ -e bad ]; then
		fail "error: $1: status $rc"
	else
		is "error: $1" want err
	fi
}

test_errors()
{
	a='config A\n\tbool "a"\n'
	errs "keyword" "Kbad:1: unknown keyword foo" 'foo\n'
	errs "attribute" "Kbad:3: unknown keyword option" "$a\toption x\n"
	errs "choice" "Kbad:1: unknown keyword choice" 'choice\nendchoice\n'
	errs "tristate" "Kbad:2: unknown keyword tristate" \
		'config A\n\ttristate "a"\n'
	errs "no type" "Kbad:1: A has no type" 'config A\n'
	errs "twice" "Kbad:3: A is defined at Kbad:1 already" "$a$a"
	errs "string" "Kbad:2: string without end" 'config A\n\tbool "a\n'
	errs "expression" "Kbad:3: want a symbol or value" \
		"$a\tdepends on B &&\n"
	errs "parenthesis" "Kbad:3: want )" "$a\tdepends on (B\n"
	errs "rest of line" "Kbad:3: unexpected C" "$a\tdepends on B C\n"
	errs "character" 'Kbad:3: unexpected $' "$a\tdefault "'$(shell,x)\n'
	errs "source" "Kbad:1: cannot read nope" 'source "nope"\n'
	errs "source of itself" "Kbad:1: Kbad is sourced already" \
		'source "Kbad"\n'
	errs "menu" "Kbad:2: menu at Kbad:1 does not end" 'menu "m"\n\n'
	errs "endif" "Kbad:1: endif without if" 'endif\n'
	errs "circle" "Kbad:1: circle: A -> B -> A" \
		"$a\tdepends on B\nconfig B\n\tbool \"b\"\n\tdepends on A\n"
	errs "nothing to help" "Kbad:4: no help text" \
		"$a\thelp\nconfig B\n\tbool\n"
	errs "type" "Kbad:3: A is bool already" "$a\tint\n"
	errs "select of an int" "Kbad:3: select is for bool only" \
		"$a\tselect N\nconfig N\n\tint \"n\"\n"
	run oldconfig Knone
	echo "Knone: cannot read" >want
	is "error: no Kconfig" want err
	printf '/* x - y\n * config Y\n */\n' >x.c
	run extract x.c
	echo "x.c:2: want config X, the applet's name" >want
	is "error: extract, another's symbol" want err
}

# ---- random trees -----------------------------------------------------------

# Writes K.1 .. K.N with their sub-files and seeds.  A symbol refers only to
# those of a lower rank, and ranks are shuffled: no circles, but references
# forward and backward.
generate()
{
	cat >generate.awk <<'EOF'
function rnd(n)
{
	seed = seed * 16807 % 2147483647
	return int(seed / 64) % n
}

function lower(s,   i, t)
{
	for (i = 0; i < 8; i++)
		if (rank[t = rnd(n)] < rank[s])
			return t
	return -1
}

function literal(t)
{
	if (t == "int")
		return rnd(30) - 3
	if (t == "hex")
		return sprintf(rnd(3) ? "0x%x" : "%X", rnd(64))
	if (t == "string")
		return "\"" (rnd(3) ? "s" rnd(4) : \
			"a \\\"q\\\" \\\\ " rnd(4)) "\""
	return rnd(2) ? "y" : "n"
}

# Not one with a range: kconfig-conf computes what depends on it before
# it resets a value out of range, and keeps that.
function atom(s,   t)
{
	t = lower(s)
	if (ranged[t])
		t = -1
	if (t < 0)
		return rnd(9) ? (rnd(2) ? "y" : "n") : "UNDEF"
	if (type[t] == "bool")
		return rnd(5) ? "S" t : "S" t (rnd(2) ? "=" : "!=") \
			(rnd(2) ? "y" : "n")
	return "S" t (rnd(2) ? "=" : " != ") (type[t] == "string" ? \
		literal("string") : rnd(2) ? rnd(12) : literal("hex"))
}

function expr(s, d)
{
	if (d > 2 || rnd(3) == 0)
		return atom(s)
	if (rnd(4) == 0)
		return "!" (rnd(2) ? atom(s) : "(" expr(s, d + 1) ")")
	if (rnd(3) == 0)
		return "(" expr(s, d + 1) ")"
	return expr(s, d + 1) (rnd(2) ? " && " : " || ") \
		expr(s, d + 1)
}

function cond(s)
{
	return rnd(2) ? "" : " if " expr(s, 0)
}

function higher(s,   i, t)
{
	for (i = 0; i < 8; i++) {
		t = rnd(n)
		if (rank[t] > rank[s] && type[t] == "bool")
			return t
	}
	return -1
}

function config(s,   i, t, ty)
{
	ty = type[s]
	put(rnd(9) ? "config S" s : "menuconfig S" s)
	if (ty == "bool" && rnd(6) == 0)
		put("\tdef_bool " expr(s, 1) cond(s))
	else if (rnd(8) == 0) {
		put("\t" ty)
		if (rnd(2))
			put("\tprompt \"late " s "\"" cond(s))
	} else
		put("\t" ty " \"option " s "\"" cond(s))
	if (ranged[s]) {
		t = rnd(10)
		i = t + rnd(20)
		put("\trange " (ty == "int" ? t " " i : \
			sprintf("0x%x 0x%x", t, i)) cond(s))
	}
	if (rnd(3) == 0)
		put("\tdepends on " expr(s, 0))
	for (i = rnd(3); i; i--)
		put("\tdefault " (ty == "bool" ? expr(s, 1) : \
			literal(ty)) cond(s))
	if (rnd(5) == 0)
		put("\tdepends on " expr(s, 1) " # why")
	for (i = ty == "bool" ? rnd(3) : 0; i; i--)
		if ((t = higher(s)) >= 0)
			put((rnd(3) ? "\tselect S" : "\timply S") t \
				cond(s))
	if (rnd(4) == 0) {
		put(rnd(2) ? "\thelp" : "\t---help---")
		put("\t  text\n\n\t    config NOT\n\t  more")
	}
	if (rnd(2))
		put("")
}

function put(line)
{
	print line > f
}

# An `if` may refer only to what all that follow may refer to.
function floor_of(i,   s, low)
{
	low = i
	for (s = i; s < n; s++)
		if (rank[s] < rank[low])
			low = s
	return low
}

function tree(c,   i, k, t, d, stack)
{
	n = 4 + rnd(20)
	for (i = 0; i < n; i++) {
		rank[i] = i
		k = rnd(8)
		type[i] = k < 5 ? "bool" : k == 5 ? "int" : \
			k == 6 ? "hex" : "string"
		ranged[i] = type[i] ~ /int|hex/ && rnd(2)
	}
	for (i = n - 1; rnd(3) && i > 0; i--) {
		k = rnd(i + 1)
		t = rank[i]
		rank[i] = rank[k]
		rank[k] = t
	}
	f = "K." c
	put("# random\nmainmenu \"random " c "\"\n")
	for (i = 0; i < n; i++) {
		k = rnd(12)
		if (k == 0) {
			stack[++d] = "endmenu"
			put("menu \"Menu " i "\"")
			if (rnd(2))
				put("\tdepends on " \
					expr(floor_of(i), 1))
		} else if (k == 1) {
			stack[++d] = "endif"
			put("if " expr(floor_of(i), 0))
		} else if (k == 2) {
			put("comment \"Comment " i "\"")
			if (rnd(2))
				put("\tdepends on " expr(i, 1))
		} else if (k == 3 && f == "K." c) {
			put("source \"sub." c "." i "\"")
			f = "sub." c "." i
			config(i)
			close(f)
			f = "K." c
			continue
		}
		config(i)
		while (d && rnd(3) == 0)
			put(stack[d--])
	}
	while (d)
		put(stack[d--])
	close(f)
	f = "seeds/" c
	put("# a seed")
	for (i = 0; i < n; i++) {
		k = rnd(12)
		if (k < 5)
			continue
		if (k == 5)
			put("CONFIG_S" i "=" literal("string"))
		else if (k == 6)
			put("# CONFIG_S" i " is not set")
		else if (type[i] == "bool" && rnd(3) == 0)
			put("# CONFIG_S" i " is not set")
		else
			put("CONFIG_S" i "=" literal(type[i]))
	}
	close(f)
}

BEGIN {
	for (c = 1; c <= count; c++) {
		seed = first + c * 7919
		rnd(2)
		tree(c)
	}
}
EOF
	$awk -v count="$1" -v first="${KCONF_SEED:-20240}" -f generate.awk
}

# both OPTION MODE FIRST STEP: run the two tools on every STEPth tree
both()
{
	i=$3
	while [ $i -le $count ]; do
		KCONFIG_CONFIG=theirs/$i kconfig-conf $1 K.$i >/dev/null 2>&1 ||
			echo "kconfig-conf fails on $i"
		$awk -v mode=$2 -v conf=ours/$i -v out=o.$3 -f "$kconf" K.$i \
			2>/dev/null || echo "kconf.awk fails on $i"
		i=$((i + $4))
	done
}

# same OPTION MODE STEP: two at a time, as each is a process per tree
same()
{
	rm -rf theirs ours
	cp -r seeds theirs
	cp -r seeds ours
	both $1 $2 $3 $(($3 * 2)) >fails &
	both $1 $2 $(($3 * 2)) $(($3 * 2)) >fails2
	wait
	rm -f theirs/*.old
	diff -ru theirs ours >diffs
	if [ -s fails ] || [ -s fails2 ] || [ -s diffs ]; then
		fail "as $1"
		cat fails fails2 diffs | sed 's/^/    /' | head -n 40
	else
		pass "as $1: $((count / $3)) random trees"
	fi
}

# The same for savedefconfig, from the files the last same() left.
same_minimal()
{
	i=$1
	mkdir -p mini.theirs mini.ours
	while [ $i -le $count ]; do
		KCONFIG_CONFIG=theirs/$i kconfig-conf \
			--savedefconfig=mini.theirs/$i K.$i >/dev/null 2>&1
		$awk -v mode=savedefconfig -v conf=theirs/$i \
			-v defs=mini.ours/$i -f "$kconf" K.$i 2>/dev/null ||
			echo "kconf.awk fails" >mini.ours/$i
		i=$((i + $1))
	done
	is "as --savedefconfig: $((count / $1)) random trees" \
		mini.theirs mini.ours
}

test_random()
{
	if ! command -v kconfig-conf >/dev/null; then
		skip "random trees: no kconfig-conf (kconfig-frontends-nox)"
		return
	fi
	count=$((${KCONF_RANDOM:-400} / share))
	unset srctree KCONFIG_ALLCONFIG
	mkdir -p seeds
	generate $count
	same --allyesconfig allyes 10
	same --allnoconfig allno 10
	same --olddefconfig oldconfig 1
	same_minimal 10
}

# ---- broken input -----------------------------------------------------------

# Writes bad.1 .. bad.N: FILE with lines and characters lost, doubled, moved.
mutate()
{
	cat >mutate.awk <<'EOF'
function rnd(n)
{
	seed = seed * 16807 % 2147483647
	return int(seed / 64) % n
}

function spoil(s,   i, k)
{
	i = 1 + rnd(length(s) + 1)
	k = rnd(6)
	if (k == 0)
		return substr(s, 1, i - 1) substr(s, i + 1)
	if (k == 1)
		return substr(s, 1, i - 1)
	if (k == 2)
		return substr(s, 1, i) substr(s, i)
	return substr(s, 1, i - 1) bits[1 + rnd(nbits)] substr(s, i + (k > 3))
}

{ line[NR] = $0 }

END {
	nbits = split("( ) ! && || = != \" ' \\ # \t - . / $ y m if on " \
		"config menu endmenu endif source help range 99999999999 " \
		"0x % %s ~ * /* */ A \001 \377", bits, " ")
	for (c = 1; c <= count; c++) {
		seed = c * 7919 + NR
		rnd(2)
		at = 1 + rnd(NR)
		how = rnd(5)
		other = 1 + rnd(NR)
		for (i = 1; i <= NR; i++) {
			s = line[i]
			if (i == at && how == 0)
				continue
			if (i == at && how == 1)
				s = s "\n" line[other]
			else if (i == at && how == 2)
				s = line[other]
			else if (i == at || rnd(12) == 0)
				s = spoil(s)
			print s > ("bad." c)
		}
		close("bad." c)
	}
}
EOF
	LC_ALL=C $awk -v count="$2" -f mutate.awk "$1"
}

# Fails loudly or succeeds: no other end, no hang, nothing written on failure.
test_fuzz()
{
	n=0
	bad=
	for f in "$corpus"/*; do
		name=${f##*/}
		mode=oldconfig
		[ "$name" = "${name%.c}" ] || mode=extract
		mutate "$f" $((${KCONF_FUZZ:-20} / share))
		cp "$f" bad.0
		for m in bad.[0-9]*; do
			rm -rf fuzz.config fuzz
			timeout 10 $awk -v mode=$mode -v conf=fuzz.config \
				-v out=fuzz -v srcdir="$corpus" -f "$kconf" \
				$m >stdout 2>err
			rc=$?
			n=$((n + 1))
			[ $rc = 0 ] && [ -s stdout -o -s fuzz.config ] &&
				continue
			[ $rc = 1 ] && grep -q "^[^:]*:[0-9]*: ." err &&
				[ ! -e fuzz.config -a ! -e fuzz ] && continue
			bad="$bad $name/$m($rc)"
			cp $m "failed.$name.$m"
			sed 's/^/    /' err | head -n 3
		done
		rm -f bad.*
	done
	if [ -z "$bad" ]; then
		pass "broken input: $n files"
	else
		fail "broken input:$bad"
	fi
}

# all SHARE AWK: every test with this awk, 1/SHARE of the random ones
all()
{
	share=$1
	awk=$2
	rm -rf "$tmp/run"
	mkdir "$tmp/run" && cd "$tmp/run" || exit 1
	sample
	test_extract
	test_golden
	test_untouched
	test_warnings
	test_errors
	test_random
	test_fuzz
}

all 1 "${AWK:-awk}"
default=$(readlink -f "$(command -v awk)")
for other in mawk gawk busybox; do
	path=$(command -v $other) && [ -z "$AWK" ] || continue
	[ "$(readlink -f "$path")" != "$default" ] || continue
	[ $other != busybox ] || other="busybox awk"
	$other 'BEGIN { exit 0 }' 2>/dev/null && all 10 "$other"
done
[ -n "$KCONF_KEEP" ] && cp -r "$tmp" "$KCONF_KEEP"
exit $failed
