/* parse.c - values from people and from the kernel's text. */
#include "../base.h"

static int
digit_of(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : 16;
}

static int
scan_base(const char **s, unsigned base, u64 *v)
{
	const char *p = *s;
	u64 n = 0;

	while (*p == ' ' || *p == '\t')
		p++;
	if ((unsigned)digit_of(*p) >= base)
		return -1;
	for (; (unsigned)digit_of(*p) < base; p++)
		if (__builtin_mul_overflow(n, (u64)base, &n) ||
		    __builtin_add_overflow(n, (u64)digit_of(*p), &n))
			return -1;
	*s = p;
	*v = n;
	return 0;
}

int
scan_u64(const char **s, u64 *v)
{
	return scan_base(s, 10, v);
}

int
scan_hex(const char **s, u64 *v)
{
	return scan_base(s, 16, v);
}

const char *
scan_word(const char **s, size_t *n)
{
	const char *word = *s + strspn(*s, " \t\n");

	*n = strcspn(word, " \t\n");
	*s = word + *n;
	return *n ? word : NULL;
}

/* A number as people write it: no blanks, 0x for hex. */
static int
scan_either(const char **s, u64 *v)
{
	if ((unsigned)digit_of(**s) >= 10)
		return -1;
	if ((*s)[0] == '0' && ((*s)[1] | 0x20) == 'x' &&
	    digit_of((*s)[2]) < 16) {
		*s += 2;
		return scan_hex(s, v);
	}
	return scan_u64(s, v);
}

int
parse_u64(const char *s, u64 *v)
{
	return scan_either(&s, v) < 0 || *s ? -1 : 0;
}

/* N or N.FFF times unit: the fraction is cut to nine digits. */
static int
scan_scaled(const char **s, u64 *whole, u64 *nano)
{
	u64 weight = 100000000;

	*nano = 0;
	if (scan_either(s, whole) < 0)
		return -1;
	if (**s != '.')
		return 0;
	if ((unsigned)digit_of(*++*s) >= 10)
		return -1;
	for (; (unsigned)digit_of(**s) < 10; ++*s, weight /= 10)
		*nano += digit_of(**s) * weight;
	return 0;
}

static int
scale(u64 whole, u64 nano, u64 unit, u64 *v)
{
	unsigned __int128 n = (unsigned __int128)whole * unit +
		(unsigned __int128)nano * unit / 1000000000;

	*v = (u64)n;
	return n >> 64 ? -1 : 0;
}

int
parse_size(const char *s, u64 *bytes)
{
	static const char units[] = "kmgtp";
	u64 whole, nano, unit = 1;
	const char *u;

	if (scan_scaled(&s, &whole, &nano) < 0)
		return -1;
	u = *s ? strchr(units, *s | 0x20) : NULL;
	if (u) {
		unit = 1ull << (10 * (u - units + 1));
		s++;
		if (*s == 'i')
			s++;
	}
	if (*s == 'B')
		s++;
	if (*s || (nano && unit == 1))
		return -1;
	return scale(whole, nano, unit, bytes);
}

int
parse_time(const char *s, u64 unit, u64 *ns)
{
	static const struct {
		char name[4];
		u64 ns;
	} units[] = {
		{ "us", 1000 }, { "ms", 1000000 }, { "s", 1000000000 },
		{ "m", 60000000000 }, { "h", 3600000000000 },
	};
	u64 whole, nano;
	size_t i;

	if (scan_scaled(&s, &whole, &nano) < 0)
		return -1;
	for (i = 0; *s && i < ARRAY_LEN(units); i++)
		if (!strcmp(s, units[i].name)) {
			unit = units[i].ns;
			s = "";
		}
	return *s ? -1 : scale(whole, nano, unit, ns);
}

int
parse_pid(const char *s, int *pid)
{
	u64 v;

	if ((unsigned)digit_of(*s) >= 10 || scan_base(&s, 10, &v) < 0 || *s ||
	    !v || v > INT_MAX)
		return -1;
	*pid = (int)v;
	return 0;
}

int
parse_range(const char *s, u64 *first, u64 *last)
{
	if (scan_either(&s, first) < 0 || *s++ != '-' ||
	    scan_either(&s, last) < 0 || *s)
		return -1;
	return *first <= *last ? 0 : -1;
}

u64
xparse_u64(const char *opt, const char *s)
{
	u64 v;

	if (parse_u64(s, &v) < 0)
		usage_die("%s: '%s' is not a number", opt, s);
	return v;
}

u64
xparse_size(const char *opt, const char *s)
{
	u64 v;

	if (parse_size(s, &v) < 0)
		usage_die("%s: '%s' is not a size (like 4096, 64K, 1.5G)",
			opt, s);
	return v;
}

u64
xparse_time(const char *opt, const char *s, u64 unit)
{
	u64 v;

	if (parse_time(s, unit, &v) < 0)
		usage_die("%s: '%s' is not a time (like 500ms, 10s, 2m)",
			opt, s);
	return v;
}

int
xparse_pid(const char *what, const char *s)
{
	int pid;

	if (parse_pid(s, &pid) < 0)
		usage_die("%s: '%s' is not a process id", what, s);
	return pid;
}
