/* codec_lz4.c - LZ4 frames (doc/lz4_Frame_format.md of LZ4): independent blocks
 * around the block API, so that threads can make them. */
#include <lz4.h>

#include "../flow.h"

enum {
	FRAME_MAGIC = 0x184d2204,
	FLAG_VERSION = 0x40, FLAG_INDEPENDENT = 0x20, FLAG_SIZE = 0x08,
	FLAG_CHECK = 0x04,	/* xxh32 of the content at the end */
	MAX_256K = 5 << 4,	/* no block decodes to more */
};
#define BLOCK_STORED 0x80000000u

static void
store(u8 *p, u64 v, unsigned n)
{
	for (; n; n--, v >>= 8)
		*p++ = (u8)v;
}

static int
lz4_open(void *state)
{
	(void)state;
	return 0;
}

static size_t
lz4_block(void *state, const u8 *in, size_t n, u8 *out)
{
	/* What does not shrink is stored: n - 1 is all the room it gets. */
	int r = LZ4_compress_fast_extState(state, (const char *)in,
		(char *)out + 4, (int)n, (int)n - 1, 1);

	if (r > 0) {
		store(out, (u64)r, 4);
		return 4 + (size_t)r;
	}
	store(out, n | BLOCK_STORED, 4);
	memcpy(out + 4, in, n);
	return 4 + n;
}

static size_t
lz4_head(u8 *out, u64 size)
{
	struct xxh32 x;
	size_t n = 6;

	store(out, FRAME_MAGIC, 4);
	out[4] = FLAG_VERSION | FLAG_INDEPENDENT | FLAG_CHECK |
		(size ? FLAG_SIZE : 0);
	out[5] = MAX_256K;
	if (size) {
		store(out + n, size, 8);
		n += 8;
	}
	xxh32_open(&x);
	xxh32_add(&x, out + 4, n - 4);
	out[n] = (u8)(xxh32_close(&x) >> 8);
	return n + 1;
}

static size_t
lz4_tail(u8 *out, u32 check)
{
	store(out, 0, 4);
	store(out + 4, check, 4);
	return 8;
}

const struct codec codec_lz4 = {
	.name = "lz4", .ending = ".lz4",
	.state = sizeof(LZ4_stream_t), .bound = 4 + BLOCK_SIZE,
	.open = lz4_open, .block = lz4_block,
	.head = lz4_head, .tail = lz4_tail,
};
