# kconf.awk - the part of kconfig that membox needs, in POSIX awk
#
#	awk -v mode=MODE [-v conf=F] [-v defs=F] [-v srcdir=D] \
#		-f kconf.awk config/Kconfig
# MODE	oldconfig	values from conf; from defs if there is no conf yet
#	defconfig	values from defs, or the defaults if no defs is given
#	allyes, allno	y, or n, wherever the user has a choice
#	savedefconfig	values from conf; those that are no defaults to defs
# conf	the configuration file (default .config); read and written
# srcdir  where to find a source "FILE" that is not below this directory
#
# The .config is what `kconfig-conf --olddefconfig` writes, byte for byte.
# Said aloud, where that is silent: unknown symbols, unmet dependencies.
# An error goes to stderr as FILE:LINE: TEXT; exit 1, nothing written.

function say(text) {
	print where ": " text | "cat >&2"
}

function fail(text) {
	say(text)
	exit 1
}

# ---- expressions: kept as text, parsed each time they are evaluated ----

# While reading, values are unknown: only names are noted.
function value(w) {
	if (reading && w ~ /^[A-Za-z]/ && !(w in used)) used[w] = where
	if (!reading && w in at) {
		if (!(w in val)) calc(w)
		return val[w]
	}
	gsub(/"/, "", w)
	return w
}

# x is one operand, or two; these are compared as text: 010 is not 8.
function truth(x,   a, b) {
	match(x, "^" WORD)
	b = substr(x, RLENGTH + 1)
	a = value(substr(x, 1, RLENGTH))
	if (b == "") return a == "y"
	match(b, WORD "$")
	return (a "" == value(substr(b, RSTART)) "") == (b ~ /^[ \t]*=/)
}

# First 0 or 1 for each operand or comparison, none skipped, so that a circle
# shows whatever the values are; then for each of the innermost parentheses.
function ev(x,   term, left) {
	if (x == "") return 1
	while (match(x, WORD "([ \t]*!?=[ \t]*" WORD ")?")) {
		left = left substr(x, 1, RSTART - 1)
		term = substr(x, RSTART, RLENGTH)
		x = substr(x, RSTART + RLENGTH)
		left = left truth(term)
	}
	x = "(" left x ")"
	gsub(/[ \t]+/, "", x)
	while (match(x, /\([^()]*\)/)) {
		term = substr(x, RSTART + 1, RLENGTH - 2)
		gsub(/!!/, "", term)
		gsub(/!1/, "-", term)
		gsub(/!0/, "1", term)
		if (term !~ /^[-01]((&&|\|\|)[-01])*$/) break
		x = substr(x, 1, RSTART - 1) (term ~ /(^|\|)1(&&1)*(\||$)/) \
			substr(x, RSTART + RLENGTH)
	}
	if (x !~ /^[01]$/) fail("bad expression")
	return x + 0
}

# x checked, and such that && can join it
function expr(x) {
	ev(x)
	return x ~ /\|\|/ ? "(" x ")" : x
}

function both(x, y) {
	return x == "" || y == "" ? x y : x " && " y
}

# ---- read Kconfig ----

# An entry is a symbol, or a number for a menu, comment or if. What stands in
# a menu or if depends on all that it depends on.
function begin(key) {
	order[++nents] = cur = key
	dep[key] = dep[block[level]]
}

# cond is what stood behind " if ".
function statement(keyword, arg, cond,   text) {
	text = arg
	gsub(/"/, "", text)
	if (keyword == "mainmenu") {
		mainmenu = text
	} else if (keyword == "source") {
		read_kconfig(text)
	} else if (keyword ~ /config$/) {
		if (arg in at) fail(arg " is defined at " at[arg] " already")
		at[arg] = where
		begin(arg)
	} else if (keyword ~ /^(menu|if|comment)$/) {
		begin(nents + 1)
		if (keyword == "if")
			dep[cur] = both(dep[cur], expr(arg))
		else
			label[cur] = text
		if (keyword != "comment") {
			ends[++level] = "end" keyword
			block[level] = cur
		}
	} else if (keyword ~ /^end/) {
		if (ends[level--] != keyword)
			fail(keyword " without " substr(keyword, 4))
		cur = ""
	} else if (keyword == "depends" && (cur in at || cur in label)) {
		dep[cur] = both(dep[cur], expr(substr(arg, 4)))
	} else if (!(cur in at)) {
		fail(keyword " belongs to a config")
	} else if (keyword == "help") {
		indent = "\n"
	} else if (keyword ~ /^(bool|int|string)$/) {
		if (type[cur]) fail(cur " is " type[cur] " already")
		type[cur] = keyword
		prompt[cur] = text
		pcond[cur] = cond
	} else if (keyword == "default") {
		if (type[cur] != "bool" && arg !~ "^" WORD "$")
			fail("want the type first, then one value")
		dval[cur, ++ndef[cur]] = expr(arg)
		dcond[cur, ndef[cur]] = cond
	} else if (keyword == "select") {
		if (type[cur] != "bool") fail("select is for bool only")
		selto[++nsel] = expr(arg)
		selif[nsel] = cond
		selby[nsel] = cur
		selat[nsel] = where
	}
}

# indent: of the help text we are in, taken from its first line; "\n" before.
function read_line(line,   i, cond) {
	if (match(line, "^([^#\"]|" QUOTED ")*#"))
		line = substr(line, 1, RLENGTH - 1)
	if (indent == "\n" && match(line, /^[ \t]+[^ \t]/))
		indent = substr(line, 1, RLENGTH - 1)
	if (line ~ /^[ \t]*$/ || indent && index(line, indent) == 1) return
	indent = ""
	gsub(/^[ \t]+|[ \t]+$/, "", line)
	sub(/[ \t]+/, " ", line)
	if (match(line, BEFORE_IF)) {
		cond = substr(line, RLENGTH + 1)
		line = substr(line, 1, RLENGTH - length(" if "))
	}
	if (line !~ STATEMENT) fail("not understood: " line)
	i = index(line " ", " ")
	statement(substr(line, 1, i - 1), substr(line, i + 1), expr(cond))
}

function read_kconfig(name,   path, line, n, r, level0) {
	if (sourced[name]++) fail(name " is sourced already")
	path = (getline line < name) < 0 ? srcdir "/" name : name
	close(path)
	level0 = level
	cur = indent = ""
	while ((r = (getline line < path)) > 0) {
		where = path ":" ++n
		read_line(line)
	}
	if (r < 0) fail("cannot read " name)
	if (level + 0 != level0 + 0) fail("menu or if left open or closed twice")
	cur = indent = ""
}

# ---- values ----

# Read the user's from a .config; 0 if it is not there.
function read_conf(name,   line, n, r, s, v) {
	while (name && (r = (getline line < name)) > 0) {
		where = name ":" ++n
		if (sub(/ is not set$/, "=n", line))
			sub(/^# /, "", line)
		s = line
		gsub(/^CONFIG_|=.*/, "", s)
		v = substr(line, length("CONFIG_" s "=") + 1)
		if (line ~ /^(#|$)/) continue
		if (line !~ /^CONFIG_.*=/ || !(s in at)) {
			say("warning: unknown symbol: " line)
		} else if (v !~ VALUE[type[s]]) {
			say("warning: not of type " type[s] ": " line)
		} else {
			gsub(/"/, "", v)
			user[s] = v
			userat[s] = where
		}
	}
	close(name)
	return r == 0
}

# val[s] and what it comes from: a symbol that selects it, the user, or the
# first default that holds.
function calc(s,   i, x, bool, met, shown, by) {
	where = at[s]
	if (i = index(" " trail, " " s " ")) fail("circle: " substr(trail, i) s)
	if (gsub(/>/, ">", trail) > 40)		# what mawk's stack holds
		fail("dependencies nested too deeply")
	if (!type[s]) fail(s " has no type")
	trail = trail s " -> "
	bool = type[s] == "bool"
	met = ev(dep[s])
	written[s] = shown = ev(pcond[s]) && met && prompt[s] != ""
	usual[s] = bool ? "n" : ""
	for (i = ndef[s]; i; i--) {
		x = bool ? (ev(dval[s, i]) ? "y" : "n") : value(dval[s, i])
		if (!ev(dcond[s, i]) || !met) continue
		usual[s] = x
		written[s] = 1
	}
	for (i = 1; i <= nsel; i++) {
		x = both(both(selby[i], dep[selby[i]]), selif[i])
		if (selto[i] != s || bool && !ev(x)) continue
		by = selby[i]
		where = selat[i]
		if (!bool) fail(s " is no bool: it cannot be selected")
		if (!met)
			say("warning: " by " selects " s \
				", which depends on " dep[s])
		written[s] = 1
	}
	trail = substr(trail, 1, length(trail) - length(s " -> "))
	val[s] = by ? "y" : shown && (s in user) ? user[s] : usual[s]
	special[s] = shown && !by && val[s] "" != usual[s] ""
	where = userat[s]
	if (!where || prompt[s] == "" || val[s] == user[s]) return
	x = by ? "selected by " by : "depends on " both(dep[s], pcond[s])
	if (by || user[s] != "n")
		say("warning: CONFIG_" s "=" user[s] " ignored: " x)
}

# Write all that has a value, or only what differs from the defaults. What
# would stay the same is not touched, so that make sees no change.
function write_conf(name, all,   i, s, v, text, line, old, r) {
	if (all)
		text = "#\n# Automatically generated file; DO NOT EDIT.\n# " \
			mainmenu "\n#\n"
	for (i = 1; i <= nents; i++) {
		s = order[i]
		v = type[s] == "string" ? "\"" value(s) "\"" : value(s)
		v = type[s] == "bool" && v == "n" ? \
			"# CONFIG_" s " is not set\n" : "CONFIG_" s "=" v "\n"
		if (all && s in label && ev(dep[s]))
			v = "\n#\n# " label[s] "\n#\n"
		else if (!(all ? written[s] : special[s]))
			v = ""
		text = text v
	}
	while ((r = (getline line < name)) > 0)
		old = old line "\n"
	if (r < 0 || old != text) {
		close(name)
		printf "%s", text > name
	}
}

BEGIN {
	QUOTED = "\"[^\"\\\\]*\""	# no escapes
	WORD = "(" QUOTED "|[A-Za-z0-9_./-]+)"
	STATEMENT = "^(((menu)?config|select) [A-Z][A-Z0-9_]*|help|endif" \
		"|endmenu|(mainmenu|menu|comment|source) " QUOTED "|if .+|default .+" \
		"|(bool|int|string)( " QUOTED ")?|depends on[ \t].+)$"
	BEFORE_IF = "^(bool|int|string|default|select) " \
		"([^\"]|" QUOTED ")*[ \t]if[ \t]"
	VALUE["bool"] = "^[yn]$"
	VALUE["int"] = "^-?(0|[1-9][0-9]*)$"
	VALUE["string"] = "^" QUOTED "$"
	where = "kconf.awk"
	if (mode !~ /^((old|def|savedef)config|all(yes|no))$/)
		fail("unknown mode " mode)
	if (conf == "") conf = ".config"
	reading = 1
	read_kconfig(ARGV[1])
	reading = 0
	for (s in used) {
		where = used[s]
		if (!(s in at) && s !~ /^[yn]$/)
			say("warning: undefined symbol " s)
	}
	where = "kconf.awk"
	for (s in type)
		if (mode ~ /^all/ && type[s] == "bool")
			user[s] = mode == "allyes" ? "y" : "n"
	from = mode == "defconfig" ? defs : mode ~ /^all/ ? "" : conf
	if (!read_conf(from) && !(mode == "oldconfig" && read_conf(defs)))
		fail("cannot read " from)
	all = mode != "savedefconfig"
	write_conf(all ? conf : defs, all)
}
