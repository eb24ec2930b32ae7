/* xxh32.c - XXH32, the checksum that LZ4 frames carry (its specification:
 * doc/xxhash_spec.md of xxHash). Little endian machines. */
#include "../flow.h"

static const u32 prime[5] = {
	0x9e3779b1, 0x85ebca77, 0xc2b2ae3d, 0x27d4eb2f, 0x165667b1,
};

static u32
rotate(u32 x, unsigned n)
{
	return x << n | x >> (32 - n);
}

static u32
load(const u8 *p)
{
	u32 v;

	memcpy(&v, p, 4);
	return v;
}

static u32
round_of(u32 lane, u32 word)
{
	return rotate(lane + word * prime[1], 13) * prime[0];
}

static void
stripes(u32 lane[4], const u8 *p, size_t n)
{
	u32 a = lane[0], b = lane[1], c = lane[2], d = lane[3];

	for (; n; n--, p += 16) {
		a = round_of(a, load(p));
		b = round_of(b, load(p + 4));
		c = round_of(c, load(p + 8));
		d = round_of(d, load(p + 12));
	}
	lane[0] = a;
	lane[1] = b;
	lane[2] = c;
	lane[3] = d;
}

void
xxh32_open(struct xxh32 *x)
{
	*x = (struct xxh32){ .lane = {
		prime[0] + prime[1], prime[1], 0, -prime[0],
	} };
}

void
xxh32_add(struct xxh32 *x, const void *data, size_t n)
{
	size_t used = x->total & 15, part;
	const u8 *p = data;

	x->total += n;
	if (used) {
		part = n < 16 - used ? n : 16 - used;
		memcpy(x->held + used, p, part);
		if (used + part < 16)
			return;
		stripes(x->lane, x->held, 1);
		p += part;
		n -= part;
	}
	stripes(x->lane, p, n / 16);
	memcpy(x->held, p + n / 16 * 16, n & 15);
}

u32
xxh32_close(const struct xxh32 *x)
{
	const u8 *p = x->held, *end = p + (x->total & 15);
	u32 h = prime[4];

	if (x->total >= 16)
		h = rotate(x->lane[0], 1) + rotate(x->lane[1], 7) +
			rotate(x->lane[2], 12) + rotate(x->lane[3], 18);
	h += (u32)x->total;
	for (; end - p >= 4; p += 4)
		h = rotate(h + load(p) * prime[2], 17) * prime[3];
	for (; p < end; p++)
		h = rotate(h + *p * prime[4], 11) * prime[0];
	h = (h ^ h >> 15) * prime[1];
	h = (h ^ h >> 13) * prime[2];
	return h ^ h >> 16;
}
