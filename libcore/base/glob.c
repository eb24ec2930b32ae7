/* glob.c - * ? [a-z]; libc's fnmatch is 3 KB and wants NUL-ended strings. */
#include "../base.h"

/* Matches one character against the [...] at *pattern (after the '['), and
 * moves past it. An unclosed [ matches nothing. */
static int
match_set(const char **pattern, char c)
{
	const char *p = *pattern;
	int invert = *p == '!' || *p == '^', found = 0, first = 1;

	p += invert;
	for (; *p && (*p != ']' || first); p++, first = 0) {
		if (p[1] == '-' && p[2] && p[2] != ']') {
			found |= (u8)c >= (u8)p[0] && (u8)c <= (u8)p[2];
			p += 2;
		} else {
			found |= c == *p;
		}
	}
	if (!*p)
		return 0;
	*pattern = p + 1;
	return found != invert;
}

static int
match_one(const char **pattern, char c)
{
	switch (*(*pattern)++) {
	case '?':
		return 1;
	case '[':
		return match_set(pattern, c);
	case '\\':
		if (**pattern)
			++*pattern;
	}
	return (*pattern)[-1] == c;
}

/* On a mismatch the last * takes one character more: linear in memory, and no
 * worse than pattern x text in time. */
int
glob_match(const char *pattern, const char *s, size_t n)
{
	const char *end = s + n, *star = NULL, *from = NULL;

	for (;;) {
		if (*pattern == '*') {
			star = ++pattern;
			from = s;
			continue;
		}
		if (s == end)
			return !*pattern;
		if (*pattern && match_one(&pattern, *s)) {
			s++;
			continue;
		}
		if (!star)
			return 0;
		pattern = star;
		s = ++from;
	}
}
