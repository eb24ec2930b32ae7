/* flow.h - bytes on their way out: digests, codecs, sinks. Knows no page and no
 * process.
 *
 * A stage is a struct that begins with a struct flow. Bytes are put into the
 * first stage of a chain and go through each once; end completes the last
 * block, the trailer and the file, in that order. Nothing here prints or
 * exits: every call returns 0, or -1 with errno, and after a -1 the chain may
 * only be left. One thread puts; the stages behind a struct blocks run in that
 * stage's writer thread.
 */
#ifndef MEMBOX_FLOW_H
#define MEMBOX_FLOW_H

#include <pthread.h>

#include "base.h"

struct flow {
	int (*put)(struct flow *f, const void *data, size_t n);
	/* n zero bytes: a sink may leave a hole. */
	int (*zero)(struct flow *f, u64 n);
	int (*end)(struct flow *f);
	/* A place for at least want bytes that put(place, n) then takes without
	 * copying, with nothing else put between; *room is its size. NULL:
	 * none, or an error that the next put tells. May be no function. */
	void *(*place)(struct flow *f, size_t want, size_t *room);
	struct flow *next;	/* NULL: the sink */
};

static inline int
flow_put(struct flow *f, const void *data, size_t n)
{
	return f->put(f, data, n);
}

static inline int
flow_zero(struct flow *f, u64 n)
{
	return n ? f->zero(f, n) : 0;
}

static inline int
flow_end(struct flow *f)
{
	return f->end(f);
}

static inline void *
flow_place(struct flow *f, size_t want, size_t *room)
{
	return f->place ? f->place(f, want, room) : NULL;
}

/* Puts zeros from one page: what a stage without a better way does. */
int flow_zero_by_put(struct flow *f, u64 n);

/* ---- sha256.c, sha256_ni.c: FIPS 180-4 ---- */

enum { SHA256_SIZE = 32, SHA256_HEX = 65 };
struct sha256 {
	u32 state[8];
	u64 total;		/* bytes */
	u8 held[64];
};
/* Uses the processor's SHA instructions when it has them. */
void sha256_open(struct sha256 *s);
void sha256_add(struct sha256 *s, const void *data, size_t n);
void sha256_close(struct sha256 *s, u8 digest[SHA256_SIZE]);
/* 64 digits and a NUL; returns hex. */
char *sha256_hex(char *hex, const u8 digest[SHA256_SIZE]);
/* The compression function, for whole 64-byte blocks; the second only where
 * sha256_ni says 1. */
void sha256_blocks(u32 state[8], const u8 *p, size_t blocks);
void sha256_blocks_ni(u32 state[8], const u8 *p, size_t blocks);
int sha256_ni(void);
extern const u32 sha256_round[64];

/* ---- xxh32.c: the checksum of LZ4 frames ---- */

struct xxh32 {
	u32 lane[4];
	u64 total;		/* bytes */
	u8 held[16];
};
void xxh32_open(struct xxh32 *x);	/* seed 0 */
void xxh32_add(struct xxh32 *x, const void *data, size_t n);
u32 xxh32_close(const struct xxh32 *x);

/* ---- digest.c: hashes what passes ---- */

struct digest {
	struct flow flow;
	struct sha256 sha;
	u64 bytes;
	u8 sum[SHA256_SIZE];	/* after end */
};
void digest_open(struct digest *d, struct flow *next);

/* ---- codec_lz4.c, codec_gzip.c: one block in, one block out ---- */

enum {
	BLOCK_SIZE = 256 * 1024,	/* most bytes of a block */
	BLOCK_FRAME_MAX = 32,		/* bytes of a head, or of a tail */
};
struct codec {
	const char *name;	/* as -z takes it */
	const char *ending;	/* of a file's name: ".gz" */
	size_t state;		/* bytes of memory a compressor needs */
	size_t bound;		/* most bytes a compressed block takes */
	/* state is zeroed memory, 16-byte aligned, used by one thread. */
	int (*open)(void *state);
	/* Compresses n <= BLOCK_SIZE bytes: bytes written to out. */
	size_t (*block)(void *state, const u8 *in, size_t n, u8 *out);
	/* What stands before the first block (size: bytes to come, 0 = not
	 * known) and after the last (check: xxh32 of all). NULL: nothing. */
	size_t (*head)(u8 *out, u64 size);
	size_t (*tail)(u8 *out, u32 check);
};
extern const struct codec codec_lz4, codec_gzip;

/* ---- blocks.c: compresses blocks in threads, writes them in order ---- */

enum { BLOCKS_THREADS = 64 };
struct block;
struct blocks {
	struct flow flow;
	const struct codec *codec;	/* NULL: reading and writing overlap */
	unsigned threads, count;
	struct arena arena;
	struct block *block, *open;	/* open: being filled */
	u64 filled, taken, written;	/* blocks so far; filled >= taken >=
					 * written */
	u64 in, out;		/* bytes put, bytes given to next */
	int closed, err;
	struct xxh32 check;
	pthread_mutex_t lock;
	pthread_cond_t room, work, done;
	pthread_t writer;
	unsigned started;
	struct blocks_worker {
		struct blocks *blocks;
		void *state;
		pthread_t thread;
	} worker[BLOCKS_THREADS];
};
/* threads compressors (1 to BLOCKS_THREADS; 0 without a codec); size as for
 * codec.head. Memory: blocks_memory bytes. On -1 nothing runs. */
int blocks_open(struct blocks *b, struct flow *next,
	const struct codec *codec, unsigned threads, u64 size);
u64 blocks_memory(const struct codec *codec, unsigned threads);

/* ---- sink.c: a descriptor ---- */

struct sink {
	struct flow flow;
	int fd;
	int sparse;		/* a regular file from its start: zero leaves
				 * holes */
	int drop;		/* keep what was written out of the page cache */
	u64 limit;		/* most bytes to write, holes aside; beyond it:
				 * EFBIG; 0 = no limit */
	u64 rate;		/* bytes a second, 0 = as fast as it goes */
	u64 bytes;		/* of the file so far, holes included */
	u64 data;		/* holes aside */
	u64 begun;		/* rate: since when */
	u64 started, dropped;	/* drop: writeback asked for, cache left */
};
/* Fill limit, rate, sparse and drop after it. end does not close fd; a stop
 * signal makes put fail with EINTR. */
void sink_open(struct sink *s, int fd);

#endif
