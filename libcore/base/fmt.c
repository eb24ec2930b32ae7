/* fmt.c - text from values, in 1/10 of the size of libc's printf. */
#include "../base.h"

struct spec {
	int left, zero, prefix, width, precision, longs;
};

static int
spec_number(const char **fmt, va_list *ap)
{
	int n = 0;

	if (**fmt == '*') {
		++*fmt;
		return va_arg(*ap, int);
	}
	while (**fmt >= '0' && **fmt <= '9')
		n = n * 10 + *(*fmt)++ - '0';
	return n;
}

static void
spec_parse(struct spec *p, const char **fmt, va_list *ap)
{
	*p = (struct spec){ .precision = -1 };
	for (; **fmt == '-' || **fmt == '0' || **fmt == '#'; ++*fmt) {
		p->left |= **fmt == '-';
		p->zero |= **fmt == '0';
		p->prefix |= **fmt == '#';
	}
	p->width = spec_number(fmt, ap);
	if (p->width < 0) {
		p->left = 1;
		p->width = -p->width;
	}
	if (**fmt == '.') {
		++*fmt;
		p->precision = spec_number(fmt, ap);
	}
	for (; strchr("lzjh", **fmt) && **fmt; ++*fmt)
		p->longs += **fmt != 'h';
}

typedef void put_fn(void *arg, const char *s, size_t n);

static void
put_fill(put_fn *put, void *arg, char c, int n)
{
	for (; n > 0; n--)
		put(arg, &c, 1);
}

static void
put_padded(put_fn *put, void *arg, const struct spec *p,
	const char *s, size_t n)
{
	int fill = p->width - (int)n;

	if (!p->left)
		put_fill(put, arg, ' ', fill);
	put(arg, s, n);
	if (p->left)
		put_fill(put, arg, ' ', fill);
}

static void
put_number(put_fn *put, void *arg, const struct spec *p,
	u64 v, int negative, char type)
{
	const char *digits = type == 'X' ? "0123456789ABCDEF"
		: "0123456789abcdef";
	unsigned base = type == 'x' || type == 'X' ? 16 : 10;
	char buf[24 + 64], *end = buf + sizeof(buf), *s = end;
	int min = p->precision;

	do
		*--s = digits[v % base];
	while (v /= base);
	if (p->zero && !p->left && min < 0)
		min = p->width - negative;
	if (min > 64)
		min = 64;
	while (end - s < min)
		*--s = '0';
	if (p->prefix && base == 16) {
		*--s = 'x';
		*--s = '0';
	}
	if (negative)
		*--s = '-';
	put_padded(put, arg, p, s, end - s);
}

static u64
take_unsigned(const struct spec *p, va_list *ap)
{
	return p->longs ? va_arg(*ap, unsigned long) : va_arg(*ap, unsigned);
}

static s64
take_signed(const struct spec *p, va_list *ap)
{
	return p->longs ? va_arg(*ap, long) : va_arg(*ap, int);
}

static void
put_one(put_fn *put, void *arg, const struct spec *p, char type, va_list *ap)
{
	const char *s;
	char c;
	s64 v;

	switch (type) {
	case 's':
		s = va_arg(*ap, const char *);
		if (!s)
			s = "(null)";
		put_padded(put, arg, p, s, p->precision < 0 ? strlen(s)
			: strnlen(s, p->precision));
		break;
	case 'c':
		c = va_arg(*ap, int);
		put_padded(put, arg, p, &c, 1);
		break;
	case 'd':
	case 'i':
		v = take_signed(p, ap);
		put_number(put, arg, p, v < 0 ? -(u64)v : (u64)v, v < 0, 'd');
		break;
	case 'u':
	case 'x':
	case 'X':
		put_number(put, arg, p, take_unsigned(p, ap), 0, type);
		break;
	default:
		put(arg, &type, 1);
	}
}

_Static_assert(sizeof(long) == 8, "l, ll, z and j are one: a 64-bit long");

void
fmt_to(put_fn *put, void *arg, const char *fmt, va_list list)
{
	va_list ap;

	va_copy(ap, list);
	while (*fmt) {
		struct spec p;
		size_t n = strcspn(fmt, "%");

		if (n)
			put(arg, fmt, n);
		fmt += n;
		if (!*fmt)
			break;
		fmt++;
		spec_parse(&p, &fmt, &ap);
		if (!*fmt)
			break;
		put_one(put, arg, &p, *fmt++, &ap);
	}
	va_end(ap);
}

struct target {
	char *buf;
	size_t size, used;
};

static void
target_put(void *arg, const char *s, size_t n)
{
	struct target *t = arg;

	if (t->used < t->size) {
		size_t room = t->size - t->used;
		memcpy(t->buf + t->used, s, n < room ? n : room);
	}
	t->used += n;
}

int
fmt_vstr(char *buf, size_t size, const char *fmt, va_list ap)
{
	struct target t = { buf, size ? size - 1 : 0, 0 };

	fmt_to(target_put, &t, fmt, ap);
	if (size)
		buf[t.used < t.size ? t.used : t.size] = 0;
	return (int)t.used;
}

int
fmt_str(char *buf, size_t size, const char *fmt, ...)
{
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = fmt_vstr(buf, size, fmt, ap);
	va_end(ap);
	return n;
}

char *
fmt_fixed(char *buf, u64 value, unsigned digits)
{
	u64 unit = 1;
	unsigned i;

	for (i = 0; i < digits; i++)
		unit *= 10;
	if (digits)
		fmt_str(buf, FMT_FIXED_MAX, "%lu.%0*lu", value / unit,
			(int)digits, value % unit);
	else
		fmt_str(buf, FMT_FIXED_MAX, "%lu", value);
	return buf;
}

char *
fmt_size(char *buf, u64 bytes)
{
	static const char units[] = "KMGTPE";
	unsigned shift = 10, i = 0;
	u64 tenths;

	if (!bytes)
		return strcpy(buf, "0");
	if (bytes < KIB) {
		fmt_str(buf, FMT_SIZE_MAX, "%lu B", bytes);
		return buf;
	}
	while (i < 5 && bytes >> shift >= 1024) {
		shift += 10;
		i++;
	}
	/* Rounded to a tenth; 1023.96 KiB becomes 1.0 MiB. */
	tenths = (bytes >> shift) * 10 +
		(((bytes & ((1ull << shift) - 1)) >> (shift - 10)) * 10 + 512)
		/ 1024;
	if (tenths >= 10240 && i < 5) {
		tenths = 10;
		i++;
	}
	fmt_str(buf, FMT_SIZE_MAX, "%lu.%lu %ciB", tenths / 10, tenths % 10,
		units[i]);
	return buf;
}

size_t
fmt_u64(char *buf, u64 v, unsigned base)
{
	char digits[24], *end = digits + sizeof(digits), *s = end;
	size_t n;

	/* Two loops: a division by a constant is no division. */
	if (base == 16)
		do
			*--s = "0123456789abcdef"[v & 15];
		while (v >>= 4);
	else
		do
			*--s = (char)('0' + v % 10);
		while (v /= 10);
	n = (size_t)(end - s);
	memcpy(buf, s, n);
	buf[n] = 0;
	return n;
}

size_t
ascii_run(const char *s, size_t n)
{
	size_t i;

	for (i = 0; i < n; i++)
		if (s[i] < ' ' || s[i] == '"' || s[i] == '\\' || s[i] == 0x7f)
			break;
	return i;
}

size_t
utf8_len(const char *text, size_t n)
{
	const u8 *s = (const u8 *)text;
	size_t len, i;
	u8 low = 0x80, high = 0xbf;	/* of the second byte */

	if (!n)
		return 0;
	if (s[0] < 0x80)
		return 1;
	if (s[0] < 0xc2 || s[0] > 0xf4)
		return 0;
	len = s[0] < 0xe0 ? 2 : s[0] < 0xf0 ? 3 : 4;
	if (n < len)
		return 0;
	if (s[0] == 0xe0)
		low = 0xa0;
	if (s[0] == 0xed)
		high = 0x9f;
	if (s[0] == 0xf0)
		low = 0x90;
	if (s[0] == 0xf4)
		high = 0x8f;
	for (i = 1; i < len; i++, low = 0x80, high = 0xbf)
		if (s[i] < low || s[i] > high)
			return 0;
	return len;
}

/* U+200B-200F, U+2028-202E, U+2060-206F, U+FEFF: they draw nothing, or move
 * what is drawn after them. */
static int
utf8_hidden(const u8 *s)
{
	return (s[0] == 0xe2 && s[1] == 0x80 &&
		((s[2] >= 0x8b && s[2] <= 0x8f) ||
		 (s[2] >= 0xa8 && s[2] <= 0xae))) ||
		(s[0] == 0xe2 && s[1] == 0x81 && s[2] >= 0xa0) ||
		(s[0] == 0xef && s[1] == 0xbb && s[2] == 0xbf);
}

size_t
utf8_printable(const char *text, size_t n)
{
	const u8 *s = (const u8 *)text;
	size_t len = utf8_len(text, n);

	if ((len == 1 && (s[0] < 0x20 || s[0] == 0x7f)) ||
	    (len == 2 && s[0] == 0xc2 && s[1] < 0xa0) ||
	    (len == 3 && utf8_hidden(s)))
		return 0;
	return len;
}
