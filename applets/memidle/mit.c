/* mit.c - FILE.mit (docs/formats.md): what was seen, as runs of pages.
 *
 * Records of a type byte, a length and that many bytes; numbers are base-128,
 * low bits first. A sample ends with a check of all its bytes, so a file that
 * was cut is good up to its last whole sample. Here a trace is taken apart;
 * what its records mean is known to mit_read.c.
 */
#include "mit.h"

u32
mit_sum(u32 hash, const void *data, size_t n)
{
	const u8 *s = data;

	while (n--)
		hash = (hash ^ *s++) * 16777619;
	return hash;
}

u64
get_number(struct bytes *b)
{
	u64 v = 0;
	unsigned shift = 0;

	while (b->p < b->end && shift < 64) {
		u8 c = *b->p++;

		v |= (u64)(c & 127) << shift;
		if (!(c & 128))
			return v;
		shift += 7;
	}
	b->bad = 1;
	return 0;
}

const char *
get_text(struct bytes *b, size_t *n)
{
	const char *s;
	u64 len = get_number(b);

	if (len > (u64)(b->end - b->p)) {
		b->bad = 1;
		len = 0;
	}
	s = (const char *)b->p;
	b->p += len;
	*n = len;
	return s;
}

int
get_record(struct bytes *from, struct bytes *body)
{
	int type;
	size_t n;

	if (from->end - from->p < 3 || !(from->p[1] & 128))
		return 0;
	type = *from->p;
	n = (from->p[1] & 127) | (size_t)from->p[2] << 7;
	if (n > (size_t)(from->end - from->p - 3))
		return 0;
	*body = (struct bytes){ from->p + 3, from->p + 3 + n, 0 };
	from->p += 3 + n;
	return type;
}

void
get_counts(struct bytes *b, struct counts *n)
{
	n->present = get_number(b);
	n->active = get_number(b);
	n->idle = get_number(b);
	n->untracked = get_number(b);
	n->unknown = get_number(b);
	n->swap = get_number(b);
	n->written = get_number(b);
}

int
whole_sample(struct bytes *from)
{
	struct bytes b = *from, body;
	const u8 *begin = b.p;
	u32 hash;
	int type = get_record(&b, &body);

	if (type != 'S')
		return 0;
	while ((type = get_record(&b, &body)) && type != 'E' && type != 'S')
		;
	if (type != 'E' || body.end - body.p != 4)
		return 0;
	memcpy(&hash, body.p, 4);
	if (hash != mit_sum(MIT_SUM, begin, body.p - 3 - begin))
		return 0;
	*from = b;
	return 1;
}
