#!/bin/sh
# config/kconf.awk and config/gen.awk: a sample with known results, warnings,
# errors, and random trees compared with kconfig-conf.
#
# AWK="busybox awk"  the awk to test (default: each there is)
# KCONF_RANDOM=N     how many random trees to compare with each (default 30)
#
# One line per test on stdout; exits 0 iff none failed.

config=$(cd "$(dirname "$0")/../../config" && pwd)
tmp=$(mktemp -d) || exit 1
trap 'rm -rf "$tmp"' EXIT
trap 'exit 1' INT TERM
cd "$tmp" || exit 1
failed=0

# is NAME WANT GOT: are the files, or directories, alike?
is() {
	if diff -ru "$2" "$3" >diff 2>&1; then
		echo "PASS kconf: $awk: $1"
	else
		echo "FAIL kconf: $awk: $1"
		sed 's/^/	/' diff | head -n 40
		failed=1
	fi
}

# run MODE FILE [-v ...]: kconf.awk, its stderr in err
run() {
	mode=$1 input=$2
	shift 2
	$awk -v mode="$mode" "$@" -f "$config/kconf.awk" "$input" 2>err
}

gen() {
	mode=$1
	shift
	$awk -v mode="$mode" -f "$config/gen.awk" "$@" 2>err
}

# ---- a sample tree ----

cat >cat.c <<'END'
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
 * 	  Examples:
 * 	    cat FILE
 *
 * config CAT_LOUD
 * 	bool "be loud (2 kb)"
 * 	default y
 * 	depends on CAT
 * 	help
 * 	    --loud     be loud
 *
 * config CAT_MOO
 * 	bool "moo"
 * 	depends on CAT && LOUDER
 * 	help
 * 	  --moo        moo
 *
 * config CAT_LIVES
 *	int "lives" if CAT
 * 	default 9
 */
config NOT
END
cat >ant.c <<'END'
/* ant - small
 *
 * config ANT
 * 	bool "ant"
 * 	select LOUDER if ANT_BIG
 * 	help
 * 	usage: ant
 *
 * config ANT_BIG
 * 	bool "big"
 * 	depends on ANT
 */
END
cat >Kconfig <<'END'
mainmenu "sample"
source "Kconfig.cat"
source "Kconfig.ant"
menu "Shared"	# by # all
config LOUDER
	bool "louder"
config NAME
	string "name # 1"
	default "a # b"
comment "the louder"
	depends on LOUDER
endmenu
END

test_sample() {
	gen extract cat.c >Kconfig.cat
	gen extract ant.c >Kconfig.ant
	cat >want <<'END'
# applet: ANT small
config ANT
	bool "ant"
	select LOUDER if ANT_BIG
	help
	usage: ant

config ANT_BIG
	bool "big"
	depends on ANT
END
	is "extract" want Kconfig.ant

	rm -f .config
	run oldconfig Kconfig
	cat >want <<'END'
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
CONFIG_NAME="a # b"
END
	is "oldconfig: the defaults" want .config
	is "oldconfig: nothing to say" /dev/null err

	touch -t 200001010000 .config want
	run oldconfig Kconfig
	if [ .config -nt want ]; then
		echo "written again" >err
	fi
	is "what stays the same is not touched" /dev/null err

	for h in config usage applets; do
		gen $h .config Kconfig.cat Kconfig.ant Kconfig
	done >got
	cat >want <<'END'
/* made from Kconfig and .config by gen.awk: do not edit */
#define CFG_CAT 1
#define CFG_CAT_LOUD 1
#define CFG_CAT_MOO 0
#define CFG_CAT_LIVES 9
#define CFG_ANT 0
#define CFG_ANT_BIG 0
#define CFG_LOUDER 0
#define CFG_NAME "a # b"
/* made from Kconfig and .config by gen.awk: do not edit */
#define USAGE_CAT "" \
	"usage: cat [OPTIONS] FILE\n" \
	"\n" \
	"Reads a \\ and \"quotes\".\n" \
	"  What\?\?!\n" \
	"\n" \
	"  --loud     be loud\n" \
	"\n" \
	"Examples:\n" \
	"  cat FILE\n"
#define USAGE_ANT "" \
	"usage: ant\n"
/* made from Kconfig and .config by gen.awk: do not edit */
APPLET(cat, CAT, "read \"all\" of it", "21 kb")
ALIAS(dog, cat)
END
	is "gen/*.h" want got

	run allyes Kconfig -v conf=yes
	sed -n '/LIVES/,$p' yes >got
	cat >want <<'END'
CONFIG_CAT_LIVES=9
CONFIG_ANT=y
CONFIG_ANT_BIG=y

#
# Shared
#
CONFIG_LOUDER=y
CONFIG_NAME="a # b"

#
# the louder
#
END
	is "allyes" want got
	run savedefconfig Kconfig -v conf=yes -v defs=mini
	printf 'CONFIG_%s=y\n' CAT_MOO ANT ANT_BIG >want
	is "savedefconfig" want mini
	run defconfig Kconfig -v conf=again -v defs=mini
	is "defconfig" yes again
}

# ---- warnings and errors ----

# warns NAME SEED WANT
warns() {
	printf '%b\n' "$2" >seed
	printf '%s\n' "$3" >want
	run oldconfig Kconfig -v conf=seed
	is "warning: $1" want err
}

test_warnings() {
	warns "unknown symbol" '# CONFIG_CATS is not set' \
		'seed:1: warning: unknown symbol: CONFIG_CATS=n'
	warns "junk" 'CAT=y' 'seed:1: warning: unknown symbol: CAT=y'
	warns "dependency" 'CONFIG_CAT_MOO=y' 'seed:1: warning: '\
'CONFIG_CAT_MOO=y ignored: depends on CAT && LOUDER'
	warns "no bool" 'CONFIG_CAT=m' \
		'seed:1: warning: not of type bool: CONFIG_CAT=m'
	warns "no int" 'CONFIG_CAT_LIVES=many' \
		'seed:1: warning: not of type int: CONFIG_CAT_LIVES=many'
	warns "no string" 'CONFIG_NAME="x' \
		'seed:1: warning: not of type string: CONFIG_NAME="x'
	warns "selected" 'CONFIG_ANT=y\nCONFIG_ANT_BIG=y\n'\
'# CONFIG_LOUDER is not set' \
		'seed:3: warning: CONFIG_LOUDER=n ignored: selected by ANT'
	cat >Kselect <<'END'
config A
	bool "a"
	select B
config B
	bool "b"
	depends on C || !(A || NO)
config C
	bool "c" if A=y && TYPO
	default y if !(A)
END
	echo CONFIG_A=y >seed
	run oldconfig Kselect -v conf=seed
	sort err >got
	cat >want <<'END'
Kselect:3: warning: A selects B, which depends on (C || !(A || NO))
Kselect:6: warning: undefined symbol NO
Kselect:8: warning: undefined symbol TYPO
END
	is "warning: select, undefined symbols" want got
}

# errs WANT LINE...: refused with that message, and nothing written
errs() {
	echo "Kbad:$1" >want
	shift
	printf '%b\n' "$@" >Kbad
	if run oldconfig Kbad -v conf=bad || [ -e bad ]; then
		echo "not refused" >>err
		rm -f bad
	fi
	is "error: $(cat want)" want err
}

test_errors() {
	a='config A\n\tbool "a"'
	errs "3: not understood: range 1 2" "$a" '\trange 1 2'
	errs "1: not understood: choice" 'choice'
	errs "2: not understood: hex \"a\"" 'config A' '\thex "a"'
	errs "2: not understood: bool \"a" 'config A' '\tbool "a'
	errs "1: not understood: menu \"m\" if A" 'menu "m" if A'
	errs "1: A has no type" 'config A'
	errs "3: A is defined at Kbad:1 already" "$a" "$a"
	errs "3: A is bool already" "$a" '\tint'
	errs "3: want the type first, then one value" 'config A' '\tint "a"' \
		'\tdefault 1 && 2'
	errs "3: select is for bool only" 'config A' '\tint "a"' '\tselect B'
	errs "1: default belongs to a config" 'default y'
	errs "2: depends belongs to a config" 'if A' '\tdepends on B'
	for x in 'B &&' '(B' 'B)' 'B C' '!' 'B = = C' '$(shell,x)' 'B & C' \
		'B !' '()' 'B && "c' 'B if C'; do
		errs "3: bad expression" "$a" "\tdepends on $x"
	done
	errs "1: cannot read nope" 'source "nope"'
	errs "1: Kbad is sourced already" 'source "Kbad"'
	errs "2: menu or if left open or closed twice" 'menu "m"' ''
	errs "1: endif without if" 'endif'
	errs "1: circle: A -> B -> A" "$a" '\tdepends on B' \
		'config B' '\tbool' '\tdefault y if n && A'
	errs "3: B is no bool: it cannot be selected" "$a" '\tselect B' \
		'config B' '\tint "b"' '\tdepends on n'
	printf '/* x - y\n * config Y\n */\n' >x.c
	gen extract x.c >got
	echo "x.c:2: want config X, the applet's name" >want
	is "error: extract: another's symbol" want err
	printf '/* x - y */\n' >x.c
	gen extract x.c >got
	echo "x.c:1: want a config in the head comment" >want
	is "error: extract: no symbol" want err
}

# ---- random trees ----

# K.1 .. K.N with what they source, and seeds/1 .. seeds/N. A symbol refers to
# those of a lower rank only, and ranks are shuffled: no circles, but references
# forward and backward.
cat >generate.awk <<'END'
function rnd(n) {
	return int(rand() * n)
}

function put(line) {
	print line > f
}

function literal(t) {
	return t == "int" ? rnd(30) - 3 : t == "bool" ? (rnd(2) ? "y" : "n") : \
		"\"s" rnd(4) "\""
}

# A symbol of type t whose rank is lower (higher, if so asked) than that of s.
function other(s, higher, t,   i, o) {
	for (i = 0; i < 8; i++) {
		o = rnd(n)
		if ((higher ? rank[o] > rank[s] : rank[o] < rank[s]) &&
		    (t == "" || type[o] == t))
			return o
	}
	return -1
}

function atom(s,   o) {
	o = other(s)
	if (o < 0)
		return rnd(9) ? literal("bool") : "UNDEF"
	if (type[o] == "bool" && rnd(5))
		return "S" o
	return "S" o (rnd(2) ? "=" : " != ") literal(type[o])
}

function expr(s, d) {
	if (d > 2 || !rnd(3))
		return atom(s)
	if (!rnd(4))
		return "!" (rnd(2) ? atom(s) : "(" expr(s, d + 1) ")")
	if (!rnd(3))
		return "(" expr(s, d + 1) ")"
	return expr(s, d + 1) (rnd(2) ? " && " : "||") expr(s, d + 1)
}

function cond(s) {
	return rnd(2) ? "" : " if " expr(s, 0)
}

function config(s,   i, o, t) {
	t = type[s]
	put(rnd(9) ? "config S" s : "menuconfig S" s)
	put("\t" t (rnd(6) ? " \"option " s "\"" cond(s) : ""))
	if (!rnd(3))
		put("\tdepends on " expr(s, 0))
	for (i = rnd(3); i; i--)
		put("\tdefault " (t == "bool" ? expr(s, 1) : \
			(o = other(s, 0, t)) < 0 || rnd(2) ? literal(t) : \
			"S" o) cond(s))
	if (!rnd(5))
		put("\tdepends  on " expr(s, 1) " # why")
	for (i = t == "bool" ? rnd(3) : 0; i; i--)
		if ((o = other(s, 1, t)) >= 0)
			put("\tselect S" o cond(s))
	if (!rnd(4))
		put("\thelp\n\t  text\n\n\t    config NOT\n\t  more")
	if (rnd(2))
		put("")
}

# An if may refer only to what all that follow may refer to.
function lowest(i,   low) {
	for (low = i; i < n; i++)
		if (rank[i] < rank[low])
			low = i
	return low
}

function tree(c,   i, k, o, d, stack) {
	n = 4 + rnd(20)
	for (i = 0; i < n; i++) {
		rank[i] = i
		type[i] = rnd(8) > 2 ? "bool" : rnd(2) ? "int" : "string"
	}
	for (i = n - 1; rnd(3) && i > 0; i--) {
		k = rnd(i + 1)
		o = rank[i]
		rank[i] = rank[k]
		rank[k] = o
	}
	f = "K." c
	put("# random\nmainmenu \"random " c "\"\n")
	for (i = 0; i < n; i++) {
		k = rnd(12)
		if (k == 0) {
			stack[++d] = "endmenu"
			put("menu \"Menu " i "\"")
			if (rnd(2))
				put("\tdepends on " expr(lowest(i), 1))
		} else if (k == 1) {
			stack[++d] = "endif"
			put("if " expr(lowest(i), 0))
		} else if (k == 2) {
			put("comment \"Comment " i "\"")
			if (rnd(2))
				put("\tdepends on " expr(i, 1))
		} else if (k == 3) {
			put("source \"sub." c "." i "\"")
			f = "sub." c "." i
		}
		config(i)
		if (k == 3)
			close(f)
		f = "K." c
		while (d && !rnd(3))
			put(stack[d--])
	}
	while (d)
		put(stack[d--])
	close(f)
	f = "seeds/" c
	for (i = 0; i < n; i++)
		if (rnd(2))
			put(rnd(6) ? "CONFIG_S" i "=" literal(type[i]) : \
				rnd(2) ? "CONFIG_S" i "=\"odd\"" : \
				"# CONFIG_S" i " is not set")
	close(f)
}

BEGIN {
	srand(seed)
	for (c = 1; c <= count; c++)
		tree(c)
}
END

# same OPTION MODE STEP: do the two tools agree on every STEPth tree?
same() {
	rm -rf theirs ours
	cp -r seeds theirs
	cp -r seeds ours
	for i in $(seq 1 "$3" "$count"); do
		KCONFIG_CONFIG=theirs/$i kconfig-conf $1 K.$i >/dev/null 2>&1 ||
			echo "kconfig-conf fails" >>theirs/$i
		run $2 K.$i -v conf=ours/$i || cp err ours/$i
	done
	rm -f theirs/*.old
	is "as $1: $((count / $3)) random trees" theirs ours
}

test_random() {
	if ! command -v kconfig-conf >/dev/null; then
		echo "SKIP kconf: $awk: random trees: no kconfig-conf" \
			"(kconfig-frontends-nox)"
		return
	fi
	count=${KCONF_RANDOM:-30}
	unset srctree KCONFIG_ALLCONFIG
	rm -rf K.* sub.* seeds minis
	mkdir seeds minis
	$awk -v count="$count" -v seed="${KCONF_SEED:-1}" -f generate.awk
	same --allyesconfig allyes 10
	same --allnoconfig allno 10
	same --olddefconfig oldconfig 1
	for i in $(seq 1 5 "$count"); do
		KCONFIG_CONFIG=theirs/$i kconfig-conf \
			--savedefconfig=minis/$i K.$i >/dev/null 2>&1
		run savedefconfig K.$i -v conf=theirs/$i -v defs=mini.ours
		cat mini.ours
	done >got
	cat $(seq -f minis/%g 1 5 "$count") >want
	is "as --savedefconfig: $((count / 5)) random trees" want got
}

test_all() {
	awk=$1
	$awk 'BEGIN { exit }' 2>/dev/null || return
	test_sample
	test_warnings
	test_errors
	test_random
}

if [ -n "$AWK" ]; then
	test_all "$AWK"
else
	test_all gawk
	test_all mawk
	test_all "busybox awk"
fi
exit $failed
