/* t-base - libcore/base: formatting, parsing, lines, options. */
#include "unit.h"

static int
fmt_is(const char *want, const char *got)
{
	if (!strcmp(want, got))
		return 1;
	printf("\twant \"%s\" got \"%s\"\n", want, got);
	return 0;
}

static void
test_fmt(void)
{
	char b[128], s[FMT_SIZE_MAX], f[FMT_FIXED_MAX];

	fmt_str(b, sizeof(b), "%5d|%-5d|%05d|%x|%s|%c|%%", -42, 7, 42, 255u,
		"str", 'c');
	ok(fmt_is("  -42|7    |00042|ff|str|c|%", b), "printf subset");
	fmt_str(b, sizeof(b), "%lu %ld %zu %.3s %*u %.4u", ~0ul, -1l,
		(size_t)9, "abcdef", 4, 7u, 12u);
	ok(fmt_is("18446744073709551615 -1 9 abc    7 0012", b), "lengths");
	fmt_str(b, sizeof(b), "%#llx %#8x", 0x1000ull, 255u);
	ok(fmt_is("0x1000     0xff", b), "0x before hex");
	ok(fmt_str(b, 4, "%s", "longer") == 6 && !strcmp(b, "lon"),
		"cut like snprintf");
	ok(fmt_is("0", fmt_size(s, 0)), "size 0");
	ok(fmt_is("1023 B", fmt_size(s, 1023)), "size 1023");
	ok(fmt_is("1.0 KiB", fmt_size(s, 1024)), "size 1024");
	ok(fmt_is("1.0 MiB", fmt_size(s, MIB - 1)), "size rounds over a unit");
	ok(fmt_is("16.0 EiB", fmt_size(s, ~0ull)), "size max");
	ok(fmt_is("1.234", fmt_fixed(f, 1234, 3)), "fixed");
	ok(fmt_is("0.007", fmt_fixed(f, 7, 3)), "fixed below one");
	ok(fmt_is("2000-02-29T00:00:00Z", fmt_time(b, 951782400)), "time");
	ok(fmt_is("1969-12-31T23:59:59Z", fmt_time(b, -1)), "time before 0");
}

static void
test_parse(void)
{
	u64 v, w;
	int pid;

	ok(!parse_size("1.5G", &v) && v == GIB * 3 / 2, "1.5G");
	ok(!parse_size("4KiB", &v) && v == 4096, "4KiB");
	ok(!parse_size("16E", &v) == 0, "16E is no unit of ours");
	ok(parse_size("20000P", &v) < 0, "20000P is too big");
	ok(parse_size("1.5", &v) < 0, "half a byte");
	ok(parse_size("-1", &v) < 0 && parse_size("", &v) < 0 &&
		parse_size("K", &v) < 0 && parse_size("1KX", &v) < 0,
		"malformed sizes");
	ok(!parse_time("1.5s", 1, &v) && v == 1500000000, "1.5s");
	ok(!parse_time("20", 1000000, &v) && v == 20000000, "bare time");
	ok(!parse_u64("0x10", &v) && v == 16, "hex");
	ok(parse_u64("18446744073709551616", &v) < 0, "u64 overflow");
	ok(parse_u64(" 1", &v) < 0 && parse_u64("1 ", &v) < 0, "blanks");
	ok(!parse_pid("12", &pid) && pid == 12, "pid");
	ok(parse_pid("12abc", &pid) < 0 && parse_pid("0", &pid) < 0 &&
		parse_pid("-1", &pid) < 0 && parse_pid("0x5", &pid) < 0,
		"malformed pids");
	ok(!parse_range("0x1000-0x1fff", &v, &w) && v == 0x1000 &&
		w == 0x1fff, "range");
	ok(parse_range("5-4", &v, &w) < 0, "range backwards");
}

static void
test_glob(void)
{
	ok(glob_match("*.so*", "libc.so.6", 9), "glob stars");
	ok(!glob_match("*.so", "libc.so.6", 9), "glob end");
	ok(glob_match("a?[c-e]", "abd", 3), "glob set");
	ok(glob_match("[!a]*", "b", 1) && !glob_match("[!a]*", "a", 1),
		"glob inverted set");
	ok(!glob_match("[a", "a", 1), "glob unclosed set");
	ok(glob_match("", "", 0) && glob_match("*", "", 0), "glob empty");
}

/* All lines of text through a buffer of cap bytes, joined with '|'. */
static char *
lines_of(const char *text, size_t cap)
{
	static char joined[256];
	char buf[64], *line;
	struct lines l;
	size_t n, used = 0;
	int p[2];

	if (pipe(p) || write(p[1], text, strlen(text)) < 0)
		abort();
	close(p[1]);
	lines_open(&l, p[0], buf, cap);
	while ((line = lines_next(&l, &n)))
		used += (size_t)fmt_str(joined + used, sizeof(joined) - used,
			"%s%s|", line, l.cut ? "~" : "");
	joined[used] = 0;
	close(p[0]);
	return joined;
}

static void
test_lines(void)
{
	ok(fmt_is("a||bc|", lines_of("a\n\nbc", 16)), "lines");
	ok(fmt_is("", lines_of("", 16)), "no lines");
	ok(fmt_is("abcd~|x|", lines_of("abcdefghij\nx\n", 5)),
		"a long line is cut once");
	ok(fmt_is("abcd|x|", lines_of("abcd\nx\n", 6)), "a line that fits");
}

static const struct opt table[] = {
	{ "output", 'o', OPT_ARG }, { "json", 'j' }, { "color", 300, OPT_MAYBE },
	{ 0 }
};

static void
test_opt(void)
{
	char *argv[] = { "x", "1", "-jo", "file", "2", "--color=on", "--json",
		"--", "--cmd", NULL };
	struct opts o;

	opt_open(&o, argv, table);
	ok(opt_next(&o) == 'j', "cluster");
	ok(opt_next(&o) == 'o' && !strcmp(o.arg, "file"), "cluster's argument");
	ok(opt_next(&o) == 300 && !strcmp(o.arg, "on"), "--color=on");
	ok(opt_next(&o) == 'j', "long option");
	ok(opt_next(&o) == OPT_END && !strcmp(o.operands[0], "1") &&
		!strcmp(o.operands[1], "2") && !strcmp(o.operands[2], "--cmd")
		&& !o.operands[3], "operands in between and after --");
}

static void
test_opt_command(void)
{
	char *argv[] = { "x", "1", "--", "cmd", "-j", NULL };
	struct opts o;

	opt_open(&o, argv, table);
	o.split = 1;
	ok(opt_next(&o) == OPT_END && !strcmp(o.operands[0], "1") &&
		!o.operands[1] && !strcmp(o.command[0], "cmd") &&
		!strcmp(o.command[1], "-j"), "-- COMMAND");
}

static int
by_value(const void *a, const void *b, const void *arg)
{
	const int *x = a, *y = b;

	(void)arg;
	return (*x > *y) - (*x < *y);
}

static void
test_sort(void)
{
	int v[257], i, good = 1;

	for (i = 0; i < 257; i++)
		v[i] = (i * 7919) % 257;
	sort_items(v, 257, sizeof(*v), by_value, NULL);
	for (i = 0; i < 257; i++)
		good &= v[i] == i;
	ok(good, "sort");
}

static void
test_utf8(void)
{
	ok(utf8_len("\xe2\x82\xac", 3) == 3, "euro sign");
	ok(!utf8_len("\xc0\x80", 2) && !utf8_len("\xed\xa0\x80", 3) &&
		!utf8_len("\xf5\x80\x80\x80", 4) && !utf8_len("\xe2\x82", 2),
		"overlong, surrogate, too big, cut");
	ok(!utf8_printable("\x1b", 1) && !utf8_printable("\xc2\x9b", 2) &&
		!utf8_printable("\xe2\x80\xae", 3),
		"ESC, C1 CSI and right-to-left override are not printable");
}

int
main(void)
{
	test_fmt();
	test_parse();
	test_glob();
	test_lines();
	test_opt();
	test_opt_command();
	test_sort();
	test_utf8();
	return unit_failed;
}
