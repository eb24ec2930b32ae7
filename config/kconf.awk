# kconf.awk - the whole of kconfig that membox needs, in POSIX awk
#
#	awk -v mode=extract -f config/kconf.awk applets/NAME.c
# prints the Kconfig stanza that stands in the file's head comment, below
# "# summary:" and "# alias:" lines which the gen/ files are made from.
#
#	awk -v mode=MODE [-v conf=F] [-v defs=F] [-v out=D] [-v srcdir=D] \
#		-f config/kconf.awk config/Kconfig
# MODE	oldconfig	values from conf; from defs if there is no conf yet
#	defconfig	values from defs, or the defaults if no defs is given
#	allyes, allno	y, or n, wherever the user has a choice
#	savedefconfig	values from conf; write to defs only what differs from
#			the defaults, and nothing else
# conf	the configuration file (default .config); read and written
# out	where gen/config.h, gen/usage.h and gen/applets.h go (default .)
# srcdir  where `source "FILE"` is looked up when it is not below the current
#	directory; kconfig-conf does the same with $srctree
#
# A file whose content would stay the same is not touched, so that make sees
# no change.  Errors go to stderr as FILE:LINE: TEXT; exit 1, nothing written.
#
# The .config is what `kconfig-conf --olddefconfig` writes, byte for byte.
# Left out, and refused: choice, tristate, options, globs, variables, visible
# if, a second definition of a symbol.  Said aloud, where kconfig is silent:
# unknown symbols, and values that lose to a dependency, a select or a range.
#
# An expression is kept in postfix, its operands and operators joined by
# newlines: "wNAME" a symbol, "qTEXT" a constant, "o&&" an operator, "" none.
# Nothing recurses but parentheses: mawk's stack holds 1024 cells.

function say(text)
{
	print text | "cat >&2"
}

function die(text)
{
	say(text)
	close("cat >&2")
	exit 1
}

function fail(text)
{
	die(file ":" lineno ": " text)
}

function warn(text)
{
	say(text)
}

# test -f first: awks differ on a directory, and a fifo would hang
function readable(name)
{
	if (name == "" || name ~ /'/)
		return 0
	return !system("test -f '" name "' -a -r '" name "'")
}

# ---- extract ----------------------------------------------------------------

function extract(name,   line, state, text, head, sym, end)
{
	if (!readable(name))
		die(name ": cannot read")
	file = name
	while (!end && (getline line < name) > 0) {
		lineno++
		if (!state) {
			if (line !~ /^\/\*/)
				continue
			state = 1
			head = lineno
			sub(/^\/\*+/, " *", line)
		}
		if (end = index(line, "*/"))
			line = substr(line, 1, end - 1)
		if (!sub(/^ \* /, "", line))
			sub(/^ \*?/, "", line)
		sub(/[ \t\r]+$/, "", line)
		if (lineno == head) {
			if (!match(line, / - /))
				fail("want /* NAME - SUMMARY")
			sym = toupper(substr(line, 1, RSTART - 1))
			text = "# summary: " substr(line, RSTART + 3) "\n"
		} else if (state == 1 && line ~ /^alias:/) {
			if (line !~ /^alias:[ \t]+[a-z0-9_-]+[ \t]+[A-Z0-9_]+$/)
				fail("want alias: NAME SYMBOL")
			text = text "# " line "\n"
		} else if (state == 1 && line ~ /^config[ \t]/) {
			if (line != "config " sym)
				fail("want config " sym ", the applet's name")
			state = 2
		}
		if (state == 2)
			text = text line "\n"
	}
	if (!end)
		fail("no head comment, or it does not end")
	if (state != 2)
		fail("no config line in the head comment")
	sub(/\n+$/, "", text)
	print text
}

# ---- read Kconfig -----------------------------------------------------------

# Split a line into tok[1..nt]; the first character of a token is its kind.
function lex(s,   c, i, ch, word)
{
	nt = 0
	for (;;) {
		sub(/^[ \t]+/, "", s)
		c = substr(s, 1, 1)
		if (c == "" || c == "#")
			break
		if (c == "\"" || c == "'") {
			word = ""
			for (i = 2; (ch = substr(s, i, 1)) != c; i++) {
				if (ch == "\\")
					ch = substr(s, ++i, 1)
				if (ch == "")
					fail("string without end")
				word = word ch
			}
			tok[++nt] = "q" word
			s = substr(s, i + 1)
		} else if (match(s, /^[A-Za-z0-9_.\/-]+/)) {
			tok[++nt] = "w" substr(s, 1, RLENGTH)
			s = substr(s, RLENGTH + 1)
		} else if (match(s, /^(&&|\|\||!=|[=!()])/)) {
			tok[++nt] = "o" substr(s, 1, RLENGTH)
			s = substr(s, RLENGTH + 1)
		} else
			fail("unexpected " c)
	}
	tok[nt + 1] = ""
}

function operand(   t)
{
	t = tok[p]
	if (t !~ /^[wq]/)
		fail("want a symbol or value" \
			(t == "" ? "" : ", not " substr(t, 2)))
	if (t == "wm")
		fail("m: there is no tristate")
	p++
	uses[++nuses] = t
	useat[nuses] = file ":" lineno
	if (cur != "")
		need(cur, t)
	return t
}

function primary(   x, o)
{
	if (tok[p] == "o!") {
		p++
		nest(1)
		x = primary() "\no!"
		nest(-1)
		return x
	}
	if (tok[p] == "o(") {
		p++
		nest(1)
		x = expr()
		nest(-1)
		if (tok[p++] != "o)")
			fail("want )")
		return x
	}
	x = operand()
	o = tok[p]
	if (o == "o=" || o == "o!=") {
		p++
		x = x "\n" operand() "\n" o
	}
	return x
}

function nest(by)
{
	if ((depth += by) > 20)
		fail("expression nested too deeply")
}

function both(x, y, o)
{
	return x == "" ? y : y == "" ? x : x "\n" y "\n" o
}

function term(   x)
{
	x = primary()
	while (tok[p] == "o&&") {
		p++
		x = x "\n" primary() "\no&&"
	}
	return x
}

function expr(   x)
{
	x = term()
	while (tok[p] == "o||") {
		p++
		x = x "\n" term() "\no||"
	}
	return x
}

function line_end()
{
	if (p <= nt)
		fail("unexpected " substr(tok[p], 2))
}

function opt_if(   x)
{
	if (tok[p] == "wif") {
		p++
		x = expr()
	}
	line_end()
	return x
}

# s cannot be computed before what t names
function need(s, t)
{
	if (t ~ /^w/)
		needs[s] = needs[s] substr(t, 2) " "
}

function need_all(s, x,   t, n)
{
	n = split(x, t, "\n")
	while (n)
		need(s, t[n--])
}

function entry(k, text)
{
	kind[++nents] = k
	sub(/^[ \t]+/, "", text)
	label[nents] = text
	edep[nents] = cdep[nest_top]
	cur = ""
}

function push(k)
{
	cdep[nest_top + 1] = cdep[nest_top]
	ckind[++nest_top] = k
	cat[nest_top] = file ":" lineno
	cfile[nest_top] = file
}

function pop(k)
{
	if (ckind[nest_top] != k || cfile[nest_top] != file)
		fail("end" k " without " k)
	nest_top--
	cur = ""
	what = ""
}

function title()
{
	if (tok[2] !~ /^[qw]/)
		fail("want a title")
	p = 3
	return substr(tok[2], 2)
}

function symbol(   s)
{
	s = substr(tok[2], 2)
	if (tok[2] !~ /^w[A-Za-z0-9_]+$/)
		fail("want a symbol name")
	p = 3
	return s
}

function set_type(t)
{
	if (type[cur] != "" && type[cur] != t)
		fail(cur " is " type[cur] " already")
	type[cur] = t
}

function set_prompt()
{
	if (has_prompt[cur])
		fail(cur " has a prompt already")
	prompt[cur] = title()
	has_prompt[cur] = 1
	pcond[cur] = opt_if()
}

function set_default(k,   n)
{
	n = ++ndef[cur]
	p = 2
	dval[cur, n] = expr()
	dcond[cur, n] = opt_if()
}

# Remembered until all symbols are known.  Its condition matters to the symbol
# selected, not to this one.
function set_select(k,   s)
{
	nsel++
	selto[nsel] = symbol()
	selby[nsel] = cur
	selat[nsel] = file ":" lineno
	selkind[nsel] = k
	s = cur
	cur = ""
	selif[nsel] = opt_if()
	cur = s
}

function config_start(   s)
{
	s = symbol()
	line_end()
	if (s in at)
		fail(s " is defined at " at[s] " already")
	at[s] = file ":" lineno
	entry("config", s)
	infile[s] = file
	if (!(file in first))
		first[file] = s
	dep[s] = cdep[nest_top]
	need_all(s, dep[s])
	cur = s
	what = "config"
}

function block(k,   x)
{
	if (k == "mainmenu") {
		if (nents || nest_top || mainmenu != "")
			fail("mainmenu must come first")
		mainmenu = title()
		line_end()
	} else if (k == "menu" || k == "comment") {
		entry(k, title())
		line_end()
		if (k == "menu")
			push(k)
		what = k
	} else if (k == "if") {
		cur = ""
		p = 2
		x = expr()
		line_end()
		push(k)
		cdep[nest_top] = both(cdep[nest_top], x, "o&&")
		what = ""
	} else {
		p = 2
		line_end()
		pop(substr(k, 4))
	}
}

function attribute(k,   x)
{
	if (what == "")
		fail("unknown keyword " k)
	if (k == "depends") {
		if (tok[2] != "won")
			fail("want depends on")
		p = 3
		x = expr()
		line_end()
		if (what == "config")
			dep[cur] = both(dep[cur], x, "o&&")
		else
			edep[nents] = both(edep[nents], x, "o&&")
		if (what == "menu")
			cdep[nest_top] = edep[nents]
		return
	}
	if (what != "config")
		fail(k " does not belong to a " what)
	if (k ~ /^(bool|int|hex|string)$/) {
		set_type(k)
		if (nt > 1)
			set_prompt()
	} else if (k == "prompt")
		set_prompt()
	else if (k == "default")
		set_default()
	else if (k == "def_bool") {
		set_type("bool")
		set_default()
	} else if (k == "select" || k == "imply")
		set_select(k)
	else if (k == "range") {
		p = 2
		rlo[cur, ++nrange[cur]] = operand()
		rhi[cur, nrange[cur]] = operand()
		rcond[cur, nrange[cur]] = opt_if()
	} else if (k == "help" || k == "---help---") {
		p = 2
		line_end()
		inhelp = 1
		indent = blanks = 0
	} else
		fail("unknown keyword " k)
}

# One line of help text; 0 if the text ended before it.
function help_line(line,   ts, i)
{
	sub(/[ \t\r]+$/, "", line)
	if (line == "") {
		blanks++
		return 1
	}
	for (i = 1; substr(line, i, 1) ~ /[ \t]/; i++)
		ts += substr(line, i, 1) == " " ? 1 : 8 - ts % 8
	if (!indent && !ts)
		fail("no help text")
	if (!indent) {
		indent = ts
		blanks = 0
	}
	if (ts < indent)
		return inhelp = 0
	for (; blanks; blanks--)
		help[cur] = help[cur] "\n"
	help[cur] = help[cur] sprintf("%" (ts - indent) "s", "") \
		substr(line, i) "\n"
	return 1
}

function statement(line,   k)
{
	lex(line)
	if (!nt)
		return
	k = substr(tok[1], 2)
	if (tok[1] !~ /^w/)
		fail("want a keyword, not " k)
	if (k == "config" || k == "menuconfig")
		config_start()
	else if (k ~ /^(mainmenu|menu|endmenu|comment|if|endif)$/)
		block(k)
	else if (k == "source") {
		k = title()
		line_end()
		cur = what = ""
		read_kconfig(k)
	} else
		attribute(k)
}

function find(name)
{
	if (!readable(name) && srcdir != "" && readable(srcdir "/" name))
		return srcdir "/" name
	return name
}

function read_kconfig(name,   line, path, file0, lineno0)
{
	path = find(name)
	if (!readable(path)) {
		if (file == "")
			die(name ": cannot read")
		fail("cannot read " name)
	}
	if (path in opened)
		fail(name " is sourced already")
	opened[path] = 1
	if (++levels > 8)
		fail("sourced too deeply")
	file0 = file
	lineno0 = lineno
	file = path
	lineno = 0
	if (match(path, /Kconfig\.[A-Za-z0-9_]+$/))
		applet[path] = substr(path, RSTART + 8)
	while ((getline line < path) > 0) {
		lineno++
		if (inhelp && help_line(line))
			continue
		if (line ~ /^# summary: /)
			summary[path] = substr(line, 12)
		else if (line ~ /^# alias: /)
			alias[path] = alias[path] substr(line, 10) "\n"
		sub(/\r$/, "", line)
		statement(line)
	}
	close(path)
	inhelp = 0
	cur = what = ""
	if (nest_top && cfile[nest_top] == file)
		fail(ckind[nest_top] " at " cat[nest_top] " does not end")
	file = file0
	lineno = lineno0
	levels--
}

# Once all is read: types, selects, names nobody defines.
function resolve(   i, s, x)
{
	for (i = 1; i <= nents; i++)
		if (kind[i] == "config" && type[label[i]] == "")
			die(at[label[i]] ": " label[i] " has no type")
	for (i = 1; i <= nuses; i++)
		if (uses[i] ~ /^w[A-Z][A-Z0-9_]*$/ &&
		    !(substr(uses[i], 2) in at) &&
		    uses[i] !~ /^w[A-F0-9]+$/)
			warn(useat[i] ": warning: undefined symbol " \
				substr(uses[i], 2))
	for (i = 1; i <= nsel; i++) {
		s = selto[i]
		if (!(s in at)) {
			warn(selat[i] ": warning: undefined symbol " s)
			continue
		}
		if (type[s] != "bool" || type[selby[i]] != "bool")
			die(selat[i] ": " selkind[i] " is for bool only")
		x = both("w" selby[i], both(dep[selby[i]], selif[i], "o&&"),
			"o&&")
		need_all(s, x)
		if (selkind[i] == "select")
			rev[s] = both(rev[s], x, "o||")
		else
			weak[s] = both(weak[s], x, "o||")
	}
}

# ---- read a .config ---------------------------------------------------------

function unquote(v,   i, c, r)
{
	for (i = 2; (c = substr(v, i, 1)) != "\""; i++) {
		if (c == "\\")
			c = substr(v, ++i, 1)
		if (c == "")
			return "\n"
		r = r c
	}
	return r
}

function valid(t, v)
{
	if (t == "bool")
		return v ~ /^[yn]/
	if (t == "int")
		return v ~ /^-?(0|[1-9][0-9]*)$/
	if (t == "hex")
		return v ~ /^(0[xX])?[0-9A-Fa-f]+$/
	return v != "\n"
}

function seed_line(line,   s, v, i)
{
	sub(/\r$/, "", line)
	if (line ~ /^# CONFIG_[^ ]+ is not set/) {
		split(line, seedw, " ")
		s = substr(seedw[2], 8)
		v = "n"
	} else if (line ~ /^(#|$)/)
		return
	else if (line ~ /^CONFIG_[^=]+=/) {
		i = index(line, "=")
		s = substr(line, 8, i - 8)
		v = substr(line, i + 1)
	} else {
		warn(file ":" lineno ": warning: ignored: " line)
		return
	}
	if (!(s in at)) {
		warn(file ":" lineno ": warning: unknown symbol CONFIG_" s)
		return
	}
	if (line ~ /^#/ && type[s] != "bool")
		return
	if (type[s] == "string" && v !~ /^"/)
		v = "\n"
	else if (type[s] == "string")
		v = unquote(v)
	if (!valid(type[s], v)) {
		warn(file ":" lineno ": warning: not a" \
			(type[s] == "int" ? "n " : " ") type[s] ": " line)
		return
	}
	if (s in user)
		warn(file ":" lineno ": warning: CONFIG_" s " is set again")
	user[s] = type[s] == "bool" ? substr(v, 1, 1) : v
	seedat[s] = file ":" lineno
	seedtext[s] = line ~ /^#/ ? "CONFIG_" s "=n" : line
}

function read_seed(name,   line)
{
	file = name
	lineno = 0
	while ((getline line < name) > 0) {
		lineno++
		seed_line(line)
	}
	close(name)
}

# ---- compute ----------------------------------------------------------------

function text_of(t)
{
	t = substr(t, 1, 1) == "w" && (substr(t, 2) in at) ? \
		val[substr(t, 2)] : substr(t, 2)
	return t
}

function type_of(t)
{
	return substr(t, 1, 1) == "w" ? type[substr(t, 2)] : ""
}

function digits(s, base,   i, n)
{
	s = tolower(s)
	for (i = 1; i <= length(s); i++)
		n = n * base + index("0123456789abcdef", substr(s, i, 1)) - 1
	return n + 0
}

# strtoll as kconfig calls it; the result is in num, 0 if s is no number
function number(s, t,   neg)
{
	num = 0
	if (t == "bool")
		return 0
	sub(/^[ \t]+/, "", s)
	neg = s ~ /^-/ ? -1 : 1
	sub(/^[-+]/, "", s)
	if (t != "int" && s ~ /^0[xX][0-9a-fA-F]+$/)
		num = digits(substr(s, 3), 16)
	else if (t == "hex" && s ~ /^[0-9a-fA-F]+$/)
		num = digits(s, 16)
	else if (t != "int" && t != "hex" && s ~ /^0[0-7]+$/)
		num = digits(s, 8)
	else if (t == "int" && s ~ /^[0-9]+$/ || s ~ /^(0|[1-9][0-9]*)$/)
		num = digits(s, 10)
	else
		return 0
	num *= neg
	return 1
}

function equal(a, b,   x)
{
	if ((type_of(a) != "string" || type_of(b) != "string") &&
	    number(text_of(a), type_of(a))) {
		x = num
		if (number(text_of(b), type_of(b)))
			return x == num
	}
	return text_of(a) "" == text_of(b) ""
}

function truth(t)
{
	if (t ~ /^b/)
		return t == "b1"
	if (type_of(t) == "" || type_of(t) == "bool")
		return text_of(t) == "y"
	return 0
}

function ev(x,   t, st, n, i, sp, a, b)
{
	if (x == "")
		return 1
	n = split(x, t, "\n")
	for (i = 1; i <= n; i++) {
		if (t[i] !~ /^o/) {
			st[++sp] = t[i]
			continue
		}
		b = st[sp]
		if (t[i] == "o!") {
			st[sp] = "b" (!truth(b))
			continue
		}
		a = st[--sp]
		if (t[i] == "o=")
			a = equal(a, b)
		else if (t[i] == "o!=")
			a = !equal(a, b)
		else if (t[i] == "o&&")
			a = truth(a) && truth(b)
		else
			a = truth(a) || truth(b)
		st[sp] = "b" (a ? 1 : 0)
	}
	return truth(st[1])
}

# postfix back to what a person reads; parentheses where || is within &&
function show(x,   t, st, top, n, i, sp, o)
{
	n = split(x, t, "\n")
	for (i = 1; i <= n; i++) {
		o = substr(t[i], 2)
		if (t[i] !~ /^o/) {
			st[++sp] = t[i] ~ /^q/ ? "\"" o "\"" : o
			top[sp] = ""
		} else if (o == "!") {
			st[sp] = "!" (top[sp] == "" || top[sp] == "!" ? \
				st[sp] : "(" st[sp] ")")
			top[sp] = o
		} else {
			sp--
			if (o == "&&" && top[sp] == "||")
				st[sp] = "(" st[sp] ")"
			if (o == "&&" && top[sp + 1] == "||")
				st[sp + 1] = "(" st[sp + 1] ")"
			st[sp] = o ~ /=/ ? st[sp] o st[sp + 1] : \
				st[sp] " " o " " st[sp + 1]
			top[sp] = o
		}
	}
	return st[1]
}

# The range in force as low[] and high[] (the last looked up), or 0.
function in_range(s,   i, base)
{
	for (i = 1; i <= nrange[s]; i++)
		if (met[s] && ev(rcond[s, i]))
			break
	if (!(i <= nrange[s]))
		return 0
	number(text_of(rlo[s, i]), type[s])
	low = num
	number(text_of(rhi[s, i]), type[s])
	high = num
	return 1
}

function clamp(s, v)
{
	if (!in_range(s))
		return v
	number(v, type[s])
	if (num >= low && num <= high)
		return v
	return sprintf(type[s] == "hex" ? "0x%x" : "%d",
		num < low ? low : high)
}

function default_of(s,   i)
{
	for (i = 1; i <= ndef[s]; i++)
		if (met[s] && ev(dcond[s, i]))
			return i
	return 0
}

# The value s has if the user says nothing; write[s] as a side effect.
function fallback(s,   i)
{
	i = default_of(s)
	if (i)
		write[s] = 1
	if (type[s] != "bool")
		return i ? text_of(dval[s, i]) : ""
	if (weak[s] != "" && met[s] && ev(weak[s])) {
		write[s] = 1
		return "y"
	}
	return i && ev(dval[s, i]) ? "y" : "n"
}

function user_fits(s)
{
	if (!(s in user) || !visible[s])
		return 0
	if (type[s] ~ /int|hex/ && in_range(s)) {
		number(user[s], type[s])
		return num >= low && num <= high
	}
	return 1
}

function calc(s)
{
	met[s] = ev(dep[s])
	visible[s] = has_prompt[s] && met[s] && ev(pcond[s])
	write[s] = visible[s]
	forced[s] = rev[s] != "" && ev(rev[s])
	val[s] = user_fits(s) ? user[s] : fallback(s)
	if (forced[s]) {
		write[s] = 1
		val[s] = "y"
	}
	if (type[s] ~ /int|hex/)
		val[s] = clamp(s, val[s])
}

# What s waits for, or "".
function waits(s,   t, n)
{
	for (n = split(needs[s], t, " "); n; n--)
		if ((t[n] in at) && !(t[n] in val))
			return t[n]
	return ""
}

# Walk from s until we come by again: that is the circle.
function circle(s,   seen, path)
{
	for (; !(s in seen); s = waits(s))
		seen[s] = 1
	path = s
	do {
		seen[s] = 2
		s = waits(s)
		path = path " -> " s
	} while (seen[s] != 2)
	die(at[s] ": circle: " path)
}

# In the order of need, so that nothing recurses; what is left waits for a
# circle.
function calc_all(   i, n, left, s)
{
	for (i = 1; i <= nents; i++)
		if (kind[i] == "config")
			todo[++left] = label[i]
	while (left) {
		n = 0
		for (i = 1; i <= left; i++) {
			s = todo[i]
			if (waits(s) == "")
				calc(s)
			else
				todo[++n] = s
		}
		if (n == left)
			circle(todo[1])
		left = n
	}
}

function complain(s,   why, i)
{
	if (forced[s] && !met[s])
		for (i = 1; i <= nsel; i++)
			if (selto[i] == s && selkind[i] == "select" &&
			    val[selby[i]] == "y" && ev(selif[i]))
				warn(selat[i] ": warning: " selby[i] \
					" selects " s ", which depends on " \
					show(dep[s]))
	if (!(s in seedat) || !has_prompt[s] || val[s] == user[s])
		return
	if (type[s] == "bool" && user[s] == "n")
		why = "selected by " show(rev[s])
	else if (!met[s])
		why = "depends on " show(dep[s])
	else if (!visible[s])
		why = "needs " show(pcond[s])
	else if (in_range(s))
		why = "range " low " " high
	if (user[s] == "n" && !forced[s])
		return
	warn(seedat[s] ": warning: " seedtext[s] " ignored: " why)
}

# ---- write ------------------------------------------------------------------

function write_file(name, text,   line, old, r)
{
	while ((r = (getline line < name)) > 0)
		old = old line "\n"
	close(name)
	if (r == 0 && old == text)
		return
	printf "%s", text > name
	close(name)
}

function escape(s)
{
	gsub(/[\\"]/, "\\\\&", s)
	return s
}

function setting(s)
{
	if (type[s] == "bool" && val[s] == "n")
		return "# CONFIG_" s " is not set\n"
	return "CONFIG_" s "=" (type[s] == "string" ? \
		"\"" escape(val[s]) "\"" : val[s]) "\n"
}

function all_settings(   i, s, text)
{
	text = "#\n# Automatically generated file; DO NOT EDIT.\n# " \
		mainmenu "\n#\n"
	for (i = 1; i <= nents; i++) {
		s = label[i]
		if (kind[i] != "config" && ev(edep[i]))
			text = text "\n#\n# " s "\n#\n"
		else if (kind[i] == "config" && write[s])
			text = text setting(s)
	}
	return text
}

function minimal_settings(   i, s, text)
{
	for (i = 1; i <= nents; i++) {
		s = label[i]
		if (kind[i] == "config" && visible[s] && !forced[s] &&
		    val[s] "" != fallback(s) "")
			text = text setting(s)
	}
	return text
}

function config_h(   i, s, v, text)
{
	text = "/* made from .config by kconf.awk: do not edit */\n"
	for (i = 1; i <= nents; i++) {
		if (kind[i] != "config")
			continue
		s = label[i]
		v = val[s]
		if (type[s] == "bool")
			v = v == "y" ? 1 : 0
		else if (type[s] == "string")
			v = "\"" escape(v) "\""
		else if (v == "")
			v = 0
		else if (type[s] == "hex" && v !~ /^0[xX]/)
			v = "0x" v
		text = text "#define CFG_" s " " v "\n"
	}
	return text
}

# Each line its own literal; ?? is split for the sake of trigraphs.
function literal(s,   t, n, i, text)
{
	n = split(s, t, "\n") - 1
	for (i = 1; i <= n; i++) {
		s = escape(t[i])
		gsub(/\t/, "\\t", s)
		while (sub(/\?\?/, "?\\?", s))
			;
		text = text " \\\n\t\"" s "\\n\""
	}
	return n > 0 ? text : " \"\""
}

function usage_of(path,   i, s, name, text)
{
	name = first[path]
	text = help[name]
	for (i = 1; i <= nents; i++) {
		s = label[i]
		if (kind[i] == "config" && infile[s] == path &&
		    val[s] == "y" && index(s, name "_") == 1)
			text = text help[s]
	}
	return text
}

function insert(key, line,   i)
{
	for (i = nlines++; i && sortkey[i] > key; i--) {
		sortkey[i + 1] = sortkey[i]
		lines[i + 1] = lines[i]
	}
	sortkey[i + 1] = key
	lines[i + 1] = line
}

function applet_lines(path,   s, size, t, n, w)
{
	s = first[path]
	if (val[s] != "y")
		return
	if (match(prompt[s], /\([^()]*\)$/))
		size = substr(prompt[s], RSTART + 1, RLENGTH - 2)
	insert(applet[path], "APPLET(" applet[path] ", " s ", \"" \
		escape(summary[path]) "\", \"" escape(size) "\")")
	for (n = split(alias[path], t, "\n") - 1; n > 0; n--) {
		split(t[n], w, " ")
		if (val[w[2]] == "y")
			insert(w[1], "ALIAS(" w[1] ", " applet[path] ")")
	}
}

function write_gen(   i, s, path, usage, text)
{
	for (i = 1; i <= nents; i++) {
		s = label[i]
		path = infile[s]
		if (kind[i] != "config" || first[path] != s ||
		    tolower(s) != applet[path])
			continue
		usage = usage "#define USAGE_" s literal(usage_of(path)) "\n"
		applet_lines(path)
	}
	for (i = 1; i <= nlines; i++)
		text = text lines[i] "\n"
	if ((getline i < (out "gen/config.h")) < 0)
		system("mkdir -p '" out "gen'")
	close(out "gen/config.h")
	i = "/* made from Kconfig and .config by kconf.awk: do not edit */\n"
	write_file(out "gen/config.h", config_h())
	write_file(out "gen/usage.h", i usage)
	write_file(out "gen/applets.h", i text)
}

function seed_all(   i)
{
	if (mode == "oldconfig" || mode == "savedefconfig") {
		if (readable(conf))
			read_seed(conf)
		else if (mode == "savedefconfig")
			die(conf ": cannot read")
		else if (readable(defs))
			read_seed(defs)
	} else if (mode == "defconfig") {
		if (defs != "" && !readable(defs))
			die(defs ": cannot read")
		if (defs != "")
			read_seed(defs)
	} else if (mode == "allyes" || mode == "allno") {
		for (i = 1; i <= nents; i++)
			if (type[label[i]] == "bool")
				user[label[i]] = mode == "allyes" ? "y" : "n"
	} else
		die("kconf.awk: unknown mode " mode)
}

BEGIN {
	if (ARGC != 2)
		die("usage: awk -v mode=MODE -f kconf.awk FILE")
	if (mode == "extract") {
		extract(ARGV[1])
		exit 0
	}
	if (conf == "")
		conf = ".config"
	if (out != "")
		out = out "/"
	nest_top = 0
	read_kconfig(ARGV[1])
	if (mainmenu == "")
		mainmenu = "Configuration"
	resolve()
	seed_all()
	calc_all()
	for (i = 1; i <= nents; i++)
		if (kind[i] == "config")
			complain(label[i])
	if (mode == "savedefconfig") {
		if (defs == "")
			die("kconf.awk: savedefconfig: want -v defs=FILE")
		write_file(defs, minimal_settings())
	} else {
		write_file(conf, all_settings())
		write_gen()
	}
	close("cat >&2")
	exit 0
}
