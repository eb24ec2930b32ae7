/* codec_gzip.c - gzip, a member for each block: gzip -d joins them, and threads
 * can make them. */
#include <zlib.h>

#include "../flow.h"

enum {
	LEVEL = 1,
	WINDOW_GZIP = 15 + 16,	/* 32 KiB, gzip's head and tail */
	MEM_LEVEL = 8,
	/* deflateInit2 asks for some 268 KB in five pieces. */
	STATE_SIZE = 288 * 1024,
	/* deflateBound: stored blocks, head and tail. */
	BOUND = BLOCK_SIZE + BLOCK_SIZE / 1024 + 64,
};
struct state {
	z_stream z;
	size_t used;
	_Alignas(16) u8 memory[];
};

static void *
state_take(void *arg, unsigned count, unsigned size)
{
	struct state *s = arg;
	size_t n = ((size_t)count * size + 15) & ~(size_t)15;
	void *p = s->memory + s->used;

	if (n > STATE_SIZE - sizeof(*s) - s->used)
		return NULL;
	s->used += n;
	return p;
}

static void
state_leave(void *arg, void *p)
{
	(void)arg;
	(void)p;
}

static int
gzip_open(void *state)
{
	struct state *s = state;

	s->z.zalloc = state_take;
	s->z.zfree = state_leave;
	s->z.opaque = s;
	if (deflateInit2(&s->z, LEVEL, Z_DEFLATED, WINDOW_GZIP, MEM_LEVEL,
	    Z_DEFAULT_STRATEGY) == Z_OK)
		return 0;
	errno = ENOMEM;
	return -1;
}

static size_t
gzip_block(void *state, const u8 *in, size_t n, u8 *out)
{
	struct state *s = state;

	deflateReset(&s->z);
	s->z.next_in = (u8 *)in;
	s->z.avail_in = (unsigned)n;
	s->z.next_out = out;
	s->z.avail_out = BOUND;
	deflate(&s->z, Z_FINISH);
	return BOUND - s->z.avail_out;
}

const struct codec codec_gzip = {
	.name = "gzip", .ending = ".gz", .state = STATE_SIZE, .bound = BOUND,
	.open = gzip_open, .block = gzip_block,
};
