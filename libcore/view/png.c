/* png.c - an indexed picture, written row by row (PNG specification, RFC 2083;
 * zlib stream RFC 1950). Without the gzip codec the pixels are stored, not
 * compressed: the same picture, only larger. */
#include "../view.h"
#include "zlib.h"

struct png_zlib {
	z_stream stream;
	size_t used;
	_Alignas(16) u8 room[];
};

/* CRC-32 of the specification's annex D, four bits a step: the compressed
 * bytes are few. */
static u32
crc_update(u32 crc, const u8 *s, size_t n)
{
	static const u32 table[16] = {
		0x00000000, 0x1db71064, 0x3b6e20c8, 0x26d930ac,
		0x76dc4190, 0x6b6b51f4, 0x4db26158, 0x5005713c,
		0xedb88320, 0xf00f9344, 0xd6d6a3e8, 0xcb61b38c,
		0x9b64c2b0, 0x86d3d2d4, 0xa00ae278, 0xbdbdf21c,
	};

	for (; n--; s++) {
		crc = crc >> 4 ^ table[(crc ^ *s) & 15];
		crc = crc >> 4 ^ table[(crc ^ *s >> 4) & 15];
	}
	return crc;
}

static u8 *
put_be32(u8 *b, u32 v)
{
	*b++ = (u8)(v >> 24);
	*b++ = (u8)(v >> 16);
	*b++ = (u8)(v >> 8);
	*b++ = (u8)v;
	return b;
}

/* A chunk of two pieces: a key or header, and data. */
static void
chunk(struct png *p, const char *type, const void *a, size_t na,
	const void *b, size_t nb)
{
	u8 head[8], tail[4];
	u32 crc;

	put_be32(head, (u32)(na + nb));
	memcpy(head + 4, type, 4);
	crc = crc_update(~0u, head + 4, 4);
	crc = crc_update(crc, a, na);
	crc = crc_update(crc, b, nb);
	put_be32(tail, ~crc);
	out_put(p->out, head, 8);
	out_put(p->out, a, na);
	out_put(p->out, b, nb);
	out_put(p->out, tail, 4);
}

static void
flush_data(struct png *p)
{
	if (p->used)
		chunk(p, "IDAT", p->data, p->used, "", 0);
	p->used = 0;
}

/* ---- the zlib stream: stored ---- */

static void
store_bytes(struct png *p, const u8 *s, size_t n)
{
	while (n) {
		size_t room = sizeof(p->data) - p->used;
		size_t take = n < room ? n : room;

		memcpy(p->data + p->used, s, take);
		p->used += take;
		s += take;
		n -= take;
		if (p->used == sizeof(p->data))
			flush_data(p);
	}
}

/* Adler-32, RFC 1950; n is at most PNG_PIECE, so the sums cannot overflow. */
static void
adler_update(struct png *p, const u8 *s, size_t n)
{
	u32 a = p->adler & 0xffff, b = p->adler >> 16;

	while (n--) {
		a += *s++;
		b += a;
	}
	p->adler = b % 65521 << 16 | a % 65521;
}

/* A stored block of deflate: 5 bytes of header, then the bytes. */
static void
store_block(struct png *p, const u8 *s, size_t n, int last)
{
	u8 head[5] = { (u8)last, (u8)n, (u8)(n >> 8), (u8)~n,
		(u8)(~n >> 8) };

	store_bytes(p, head, sizeof(head));
	store_bytes(p, s, n);
	adler_update(p, s, n);
}

static void
store_end(struct png *p)
{
	u8 sum[4] = { 0 };

	store_block(p, sum, 0, 1);
	put_be32(sum, p->adler);
	store_bytes(p, sum, 4);
}

static void
store_start(struct png *p)
{
	p->adler = 1;
	store_bytes(p, (const u8 *)"\x78\x01", 2);
}

/* ---- the zlib stream: compressed ---- */

static struct png_zlib *
zlib_of(struct png *p)
{
	return (void *)p->zlib;
}

/* zlib asks for five buffers at deflateInit and for none later. */
static void *
zlib_take(void *opaque, unsigned items, unsigned size)
{
	struct png *p = opaque;
	struct png_zlib *z = zlib_of(p);
	size_t n = ((size_t)items * size + 15) & ~(size_t)15;
	void *room = z->room + z->used;

	if (n > sizeof(p->zlib) - sizeof(*z) - z->used)
		return NULL;
	z->used += n;
	return room;
}

static void
zlib_give(void *opaque, void *room)
{
	(void)opaque;
	(void)room;
}

static int
deflate_start(struct png *p)
{
	struct png_zlib *z = zlib_of(p);

	memset(z, 0, sizeof(*z));
	z->stream.zalloc = zlib_take;
	z->stream.zfree = zlib_give;
	z->stream.opaque = p;
	return deflateInit2(&z->stream, PNG_LEVEL, Z_DEFLATED, PNG_WINDOW,
		PNG_MEMORY, Z_DEFAULT_STRATEGY) == Z_OK ? 0 : -1;
}

static void
deflate_put(struct png *p, const u8 *s, size_t n, int flush)
{
	z_stream *z = &zlib_of(p)->stream;
	int r;

	z->next_in = (u8 *)(uintptr_t)s;
	z->avail_in = (unsigned)n;
	do {
		z->next_out = p->data + p->used;
		z->avail_out = (unsigned)(sizeof(p->data) - p->used);
		r = deflate(z, flush);
		p->used = sizeof(p->data) - z->avail_out;
		if (!z->avail_out)
			flush_data(p);
	} while (z->avail_in || (flush == Z_FINISH && r == Z_OK));
}

static int
is_stored(const struct png *p)
{
	return !CFG_CODEC_GZIP || p->store;
}

static void
stream_put(struct png *p, const u8 *s, size_t n)
{
	if (is_stored(p))
		store_block(p, s, n, 0);
	else
		deflate_put(p, s, n, Z_NO_FLUSH);
}

/* ---- the picture ---- */

static int
bits_for(unsigned colors)
{
	return colors <= 2 ? 1 : colors <= 4 ? 2 : colors <= 16 ? 4 : 8;
}

int
png_open(struct png *p, struct out *out, u32 width, u32 height,
	const u8 (*palette)[3], unsigned colors)
{
	u8 head[13] = { 0 };

	p->out = out;
	p->width = width;
	p->rows = height;
	p->bits = bits_for(colors);
	p->used = 0;
	if (!width || !height || !colors || colors > 256 || width >> 31 ||
	    height >> 31 || (!is_stored(p) && deflate_start(p) < 0)) {
		errno = EINVAL;
		return -1;
	}
	if (is_stored(p))
		store_start(p);
	put_be32(put_be32(head, width), height);
	head[8] = (u8)p->bits;
	head[9] = 3;	/* palette indexes */
	out_put(out, "\x89PNG\r\n\x1a\n", 8);
	chunk(p, "IHDR", head, sizeof(head), "", 0);
	chunk(p, "PLTE", palette, colors * 3, "", 0);
	return 0;
}

void
png_text(struct png *p, const char *key, const char *text)
{
	chunk(p, "tEXt", key, strlen(key) + 1, text, strlen(text));
}

/* Several pixels to a byte, the leftmost in the highest bits. */
static size_t
pack(const struct png *p, const u8 *pixels, size_t n, u8 *bytes)
{
	unsigned per = 8 / p->bits, shift = 8;
	size_t i, used = 0;

	memset(bytes, 0, n / per + 1);
	for (i = 0; i < n; i++) {
		shift -= p->bits;
		bytes[used] |= (u8)(pixels[i] << shift);
		if (!shift) {
			shift = 8;
			used++;
		}
	}
	return used + (shift < 8);
}

int
png_row(struct png *p, const u8 *pixels)
{
	u8 bytes[PNG_PIECE / 2 + 1];
	size_t left = p->width, take;

	if (!p->rows) {
		errno = EINVAL;
		return -1;
	}
	p->rows--;
	stream_put(p, (const u8 *)"", 1);	/* filter 0: none */
	for (; left; left -= take, pixels += take) {
		take = left < PNG_PIECE ? left : PNG_PIECE;
		if (p->bits == 8)
			stream_put(p, pixels, take);
		else
			stream_put(p, bytes, pack(p, pixels, take, bytes));
	}
	if (!p->out->err)
		return 0;
	errno = p->out->err;
	return -1;
}

int
png_close(struct png *p)
{
	if (p->rows) {
		errno = EINVAL;
		return -1;
	}
	if (is_stored(p))
		store_end(p);
	else
		deflate_put(p, (const u8 *)"", 0, Z_FINISH);
	flush_data(p);
	chunk(p, "IEND", "", 0, "", 0);
	if (!p->out->err)
		return 0;
	errno = p->out->err;
	return -1;
}
