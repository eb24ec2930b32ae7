/* out.c - buffered output. An error is kept and told once, at the end: code
 * that prints a report need not test every line. */
#include "../base.h"

void
out_open(struct out *o, int fd)
{
	o->fd = fd;
	o->err = 0;
	o->total = 0;
	o->used = 0;
	o->buf = o->own;
	o->cap = sizeof(o->own);
}

void
out_buffer(struct out *o, char *buf, size_t cap)
{
	o->buf = buf;
	o->cap = cap;
}

int
out_flush(struct out *o)
{
	if (!o->err && o->used && full_write(o->fd, o->buf, o->used) < 0)
		o->err = errno;
	o->used = 0;
	if (!o->err)
		return 0;
	errno = o->err;
	return -1;
}

void
out_put(struct out *o, const void *s, size_t n)
{
	o->total += n;
	if (n > o->cap - o->used)
		out_flush(o);
	if (n > o->cap) {
		if (!o->err && full_write(o->fd, s, n) < 0)
			o->err = errno;
		return;
	}
	memcpy(o->buf + o->used, s, n);
	o->used += n;
}

void
out_str(struct out *o, const char *s)
{
	out_put(o, s, strlen(s));
}

void
out_char(struct out *o, char c)
{
	if (o->used == o->cap)
		out_flush(o);
	o->buf[o->used++] = c;
	o->total++;
}

static void
fmt_put(void *arg, const char *s, size_t n)
{
	out_put(arg, s, n);
}

void
out_fmt(struct out *o, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	fmt_to(fmt_put, o, fmt, ap);
	va_end(ap);
}

void
out_escaped(struct out *o, const char *s, size_t n)
{
	size_t i = 0, len;

	while (i < n) {
		len = ascii_run(s + i, n - i);
		if (!len && s[i] != '\\')
			len = utf8_printable(s + i, n - i);
		if (len) {
			out_put(o, s + i, len);
			i += len;
		} else {
			out_fmt(o, "\\x%02x", (u8)s[i++]);
		}
	}
}

void
out_pad(struct out *o, int n)
{
	static const char spaces[] = "                                ";
	const int most = sizeof(spaces) - 1;

	for (; n > 0; n -= most)
		out_put(o, spaces, (size_t)(n < most ? n : most));
}

int
out_finish(struct out *o, const char *what)
{
	if (!out_flush(o))
		return EXIT_DONE;
	if (errno == EPIPE)
		return EXIT_FAILED;
	return warn("write %s:", what);
}
