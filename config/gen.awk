# gen.awk - Kconfig from the applets' head comments, gen/*.h from Kconfig
#
#	awk -v mode=extract -f gen.awk applets/NAME.c
# prints the Kconfig stanza that stands in the file's head comment, below
# "# applet:" and "# alias:" lines made from what stands above it.
#
#	awk -v mode=MODE -f gen.awk .config gen/Kconfig.* config/Kconfig
# prints for MODE
# config	CFG_SYMBOL of every symbol: 1 or 0, or its value
# usage		USAGE_APPLET: its help, that of its options that are on, and what
#		in its help follows the line "Examples:"
# applets	APPLET and ALIAS of all that are on

function fail(text) {
	print FILENAME ":" FNR ": " text | "cat >&2"
	failed = 1
	exit 1
}

function quote(s) {
	gsub(/[\\"?]/, "\\\\&", s)	# two ? may begin a trigraph
	return "\"" s "\""
}

mode == "extract" && FNR == 1 {
	if (!match($0, /^\/\* [a-z0-9_]+ - /))
		fail("want /* NAME - SUMMARY")
	app = toupper(substr($0, 4, RLENGTH - 6))
	print "# applet: " app " " substr($0, RLENGTH + 1)
}

mode == "extract" {
	if (/\*\//)
		exit
	sub(/^ \*? ?/, "")
	if (/^config / && !inside && $2 != app)
		fail("want config " app ", the applet's name")
	if (/^alias:/ && !inside && NF != 3)
		fail("want alias: NAME SYMBOL")
	inside = inside || /^config /
	if (inside || sub(/^alias:/, "# &"))
		print
	next
}

FNR == 1 { app = sym = ""; inhelp = examples = apart = 0 }

/^CONFIG_/ {
	at = index($0, "=")
	value[substr($0, 8, at - 8)] = substr($0, at + 1)
}

BEGIN { newline = " \\\n\t\"\\n\"" }

# Help is what is indented as its first line is; of blank lines, those between.
inhelp && /^[ \t]*$/ { blanks = blanks newline; next }

# What options add stands apart from what the applet says, and is indented
# beyond the applet's own help.
inhelp && indent == "" && match($0, /^[ \t]+/) {
	indent = substr($0, 1, RLENGTH)
	if (sym == app)
		margin = RLENGTH
	blanks = sym != app && !apart && value[sym] == "y" ? newline : ""
	apart = apart || blanks != ""
}

inhelp && indent != "" && index($0, indent) == 1 {
	line = quote(substr($0, margin + 1) "\n")
	sub(/\n/, "\\n", line)
	examples = sym == app && (examples || $0 == indent "Examples:")
	if (examples)
		last[app] = last[app] blanks " \\\n\t" line
	else if (sym == app || value[sym] == "y")
		usage[app] = usage[app] blanks " \\\n\t" line
	blanks = ""
	next
}

{ inhelp = 0 }

/^# applet: / {
	app = apps[++napps] = $3
	summary[app] = substr($0, length("# applet: " app " ") + 1)
}

/^# alias: / && value[$4] == "y" {
	aliases[app] = aliases[app] "ALIAS(" $3 ", " tolower(app) ")\n"
}

$1 == "config" || $1 == "menuconfig" { sym = $2 }

$1 == "bool" || $1 == "int" || $1 == "string" {
	v = $1 == "bool" ? value[sym] == "y" : value[sym]
	if (v == "")
		v = $1 == "int" ? 0 : "\"\""
	config = config "#define CFG_" sym " " v "\n"
	if (sym == app && match($0, /\([^()]*\)"/))
		size[app] = substr($0, RSTART + 1, RLENGTH - 3)
}

$1 == "help" { inhelp = 1; indent = blanks = "" }

END {
	if (failed)
		exit 1
	if (mode == "extract" && !inside)
		fail("want a config in the head comment")
	if (mode == "extract")
		exit
	print "/* made from Kconfig and .config by gen.awk: do not edit */"
	if (mode == "config")
		printf "%s", config
	for (i = 1; i <= napps; i++) {
		app = apps[i]
		if (mode == "usage")
			print "#define USAGE_" app " \"\"" usage[app] last[app]
		else if (mode == "applets" && value[app] == "y")
			printf "APPLET(%s, %s, %s, %s)\n%s", tolower(app), app,
				quote(summary[app]), quote(size[app]), \
				aliases[app]
	}
}
