/* lines.c - the kernel's text files, line by line, in bounded memory. */
#include "../base.h"

void
lines_open(struct lines *l, int fd, char *buf, size_t cap)
{
	*l = (struct lines){ .fd = fd, .buf = buf, .cap = cap - 1 };
}

/* Moves the rest to the front and reads on; 0 when nothing came. */
static int
lines_fill(struct lines *l)
{
	ssize_t n;

	if (l->eof)
		return 0;
	memmove(l->buf, l->buf + l->pos, l->end - l->pos);
	l->end -= l->pos;
	l->pos = 0;
	do
		n = read(l->fd, l->buf + l->end, l->cap - l->end);
	while (n < 0 && errno == EINTR);
	if (n <= 0) {
		l->err = n < 0 ? errno : 0;
		l->eof = 1;
		return 0;
	}
	l->end += n;
	return 1;
}

/* The first newline, or NULL: eight bytes at a time. Lines are short, and
 * memchr's way to its first aligned word costs as much as the rest. */
static char *
newline_in(char *s, size_t n)
{
	const u64 ones = ~0ull / 255;
	u64 word;

	for (; n >= sizeof(word); s += sizeof(word), n -= sizeof(word)) {
		memcpy(&word, s, sizeof(word));
		word ^= ones * '\n';
		word = (word - ones) & ~word & ones << 7;
		if (word)
			return s + __builtin_ctzll(word) / 8;
	}
	for (; n; s++, n--)
		if (*s == '\n')
			return s;
	return NULL;
}

static char *
lines_give(struct lines *l, size_t len, size_t newline, size_t *n)
{
	char *line = l->buf + l->pos;

	line[len] = 0;
	l->pos += len + newline;
	*n = len;
	return line;
}

char *
lines_next(struct lines *l, size_t *n)
{
	l->cut = 0;
	for (;;) {
		char *start = l->buf + l->pos;
		size_t held = l->end - l->pos;
		char *newline = newline_in(start, held);

		if (newline && l->skip) {
			l->pos += newline + 1 - start;
			l->skip = 0;
			continue;
		}
		if (newline)
			return lines_give(l, newline - start, 1, n);
		if (l->skip) {
			l->pos = l->end;
		} else if (held == l->cap) {
			l->cut = l->skip = 1;
			return lines_give(l, held, 0, n);
		}
		if (!lines_fill(l)) {
			if (l->err || l->pos == l->end)
				return NULL;
			return lines_give(l, l->end - l->pos, 0, n);
		}
	}
}
