/* blocks.c - a ring of blocks between who fills them, the compressors and the
 * writer: reading, compressing and writing overlap, and the order stays.
 *
 * A block is filled by the caller of put, compressed by any worker and written
 * by the one writer; filled, taken and written count them, and block number i
 * is in place i % count. Without a codec a block is ready when it is filled.
 */
#include <signal.h>
#include <time.h>

#include "../flow.h"

enum {
	STOP_POLL_NS = 100000000,	/* a wait looks for stop_signal */
	PLAIN_BLOCKS = 4,		/* the ring without a codec */
};

struct block {
	u8 *in, *out;
	size_t used, size;	/* bytes in; bytes to be written */
	u64 zeros;		/* or this many zeros, and no bytes */
	int ready;
};

static unsigned
ring_size(const struct codec *codec, unsigned threads)
{
	return codec ? 2 * threads + 2 : PLAIN_BLOCKS;
}

/* The arena rounds each piece up to 16 bytes. */
u64
blocks_memory(const struct codec *codec, unsigned threads)
{
	return ring_size(codec, threads) * (sizeof(struct block) + BLOCK_SIZE +
		(codec ? codec->bound : 0) + 48) +
		(codec ? threads * (codec->state + 16) : 0);
}

/* ---- the threads' side ---- */

static void
fail(struct blocks *b, int error)
{
	pthread_mutex_lock(&b->lock);
	if (!b->err)
		b->err = error ? error : EIO;
	pthread_cond_broadcast(&b->room);
	pthread_cond_broadcast(&b->work);
	pthread_cond_broadcast(&b->done);
	pthread_mutex_unlock(&b->lock);
}

/* The next block to compress; NULL when there will be none. */
static struct block *
take_work(struct blocks *b)
{
	struct block *k = NULL;

	pthread_mutex_lock(&b->lock);
	while (b->taken == b->filled && !b->closed && !b->err)
		pthread_cond_wait(&b->work, &b->lock);
	if (b->taken < b->filled && !b->err)
		k = &b->block[b->taken++ % b->count];
	pthread_mutex_unlock(&b->lock);
	return k;
}

static void *
work(void *arg)
{
	struct blocks_worker *w = arg;
	struct blocks *b = w->blocks;
	struct block *k;

	while ((k = take_work(b))) {
		k->size = b->codec->block(w->state, k->in, k->used, k->out);
		pthread_mutex_lock(&b->lock);
		k->ready = 1;
		if (k == &b->block[b->written % b->count])
			pthread_cond_signal(&b->done);
		pthread_mutex_unlock(&b->lock);
	}
	return NULL;
}

/* The next block in order; NULL when all is written, or on failure. */
static struct block *
wait_ready(struct blocks *b)
{
	struct block *k = &b->block[b->written % b->count];

	pthread_mutex_lock(&b->lock);
	while (!b->err && !k->ready &&
	       !(b->closed && b->written == b->filled))
		pthread_cond_wait(&b->done, &b->lock);
	if (b->err || !k->ready)
		k = NULL;
	pthread_mutex_unlock(&b->lock);
	return k;
}

static int
write_block(struct blocks *b, const struct block *k)
{
	struct flow *next = b->flow.next;

	if (k->zeros) {
		b->out += k->zeros;
		return flow_zero(next, k->zeros);
	}
	b->out += k->size;
	return flow_put(next, b->codec ? k->out : k->in, k->size);
}

static void *
write_blocks(void *arg)
{
	struct blocks *b = arg;
	struct block *k;

	while ((k = wait_ready(b))) {
		if (write_block(b, k) < 0) {
			fail(b, errno);
			break;
		}
		pthread_mutex_lock(&b->lock);
		k->used = 0;
		k->zeros = 0;
		k->ready = 0;
		b->written++;
		pthread_cond_signal(&b->room);
		pthread_mutex_unlock(&b->lock);
	}
	return NULL;
}

/* ---- the caller's side ---- */

/* Waits until fewer than limit blocks are on their way. A sink that hangs must
 * not keep a stop signal waiting: the caller then leaves without joining. */
static int
wait_below(struct blocks *b, unsigned limit)
{
	struct timespec until;
	int r = 0;

	pthread_mutex_lock(&b->lock);
	while (!b->err && !stop_signal && b->filled - b->written >= limit) {
		clock_gettime(CLOCK_MONOTONIC, &until);
		until.tv_nsec += STOP_POLL_NS;
		if (until.tv_nsec >= 1000000000) {
			until.tv_nsec -= 1000000000;
			until.tv_sec++;
		}
		pthread_cond_timedwait(&b->room, &b->lock, &until);
	}
	if (b->err || stop_signal) {
		errno = b->err ? b->err : EINTR;
		r = -1;
	}
	pthread_mutex_unlock(&b->lock);
	return r;
}

static struct block *
block_to_fill(struct blocks *b)
{
	if (!b->open && !wait_below(b, b->count))
		b->open = &b->block[b->filled % b->count];
	return b->open;
}

static void
submit(struct blocks *b)
{
	struct block *k = b->open;

	b->open = NULL;
	if (b->codec && b->codec->tail)
		xxh32_add(&b->check, k->in, k->used);
	pthread_mutex_lock(&b->lock);
	b->filled++;
	if (b->codec) {
		pthread_cond_signal(&b->work);
	} else {
		k->size = k->used;
		k->ready = 1;
		pthread_cond_signal(&b->done);
	}
	pthread_mutex_unlock(&b->lock);
}

static int
blocks_put(struct flow *f, const void *data, size_t n)
{
	struct blocks *b = (struct blocks *)f;
	const u8 *p = data;

	b->in += n;
	while (n) {
		struct block *k = block_to_fill(b);
		size_t part;

		if (!k)
			return -1;
		part = BLOCK_SIZE - k->used;
		if (part > n)
			part = n;
		if (p != k->in + k->used)
			memcpy(k->in + k->used, p, part);
		k->used += part;
		p += part;
		n -= part;
		if (k->used == BLOCK_SIZE)
			submit(b);
	}
	return 0;
}

/* With little room left the block goes off as it is: a format allows that, and
 * reads stay large. */
static void *
blocks_place(struct flow *f, size_t want, size_t *room)
{
	struct blocks *b = (struct blocks *)f;
	struct block *k;

	if (b->open && BLOCK_SIZE - b->open->used < want)
		submit(b);
	k = block_to_fill(b);
	if (!k)
		return NULL;
	*room = BLOCK_SIZE - k->used;
	return k->in + k->used;
}

static int
blocks_zero(struct flow *f, u64 n)
{
	struct blocks *b = (struct blocks *)f;
	struct block *k;

	if (b->codec)
		return flow_zero_by_put(f, n);
	if (b->open && b->open->used)
		submit(b);
	k = block_to_fill(b);
	if (!k)
		return -1;
	b->in += n;
	k->zeros = n;
	submit(b);
	return 0;
}

static void
join_all(struct blocks *b)
{
	unsigned i;

	for (i = 0; i < b->started; i++)
		pthread_join(b->worker[i].thread, NULL);
	pthread_join(b->writer, NULL);
	arena_close(&b->arena);
}

static int
blocks_end(struct flow *f)
{
	struct blocks *b = (struct blocks *)f;
	u8 tail[BLOCK_FRAME_MAX];
	size_t n;

	if (b->open && b->open->used)
		submit(b);
	pthread_mutex_lock(&b->lock);
	b->closed = 1;
	pthread_cond_broadcast(&b->work);
	pthread_cond_broadcast(&b->done);
	pthread_mutex_unlock(&b->lock);
	if (wait_below(b, 1) < 0)
		return -1;
	join_all(b);
	if (b->codec && b->codec->tail) {
		n = b->codec->tail(tail, xxh32_close(&b->check));
		b->out += n;
		if (flow_put(f->next, tail, n) < 0)
			return -1;
	}
	return flow_end(f->next);
}

/* ---- opening ---- */

static int
take_blocks(struct blocks *b)
{
	unsigned i;

	b->block = arena_take(&b->arena, b->count * sizeof(*b->block));
	for (i = 0; i < b->count; i++) {
		b->block[i].in = arena_take(&b->arena, BLOCK_SIZE);
		if (b->codec)
			b->block[i].out = arena_take(&b->arena,
				b->codec->bound);
	}
	for (i = 0; i < b->threads; i++) {
		b->worker[i].blocks = b;
		b->worker[i].state = arena_take(&b->arena, b->codec->state);
		if (b->codec->open(b->worker[i].state) < 0)
			return -1;
	}
	return 0;
}

/* Signals go to the thread that waits for them: the caller's. */
static int
start_threads(struct blocks *b)
{
	sigset_t all, before;
	unsigned i;
	int e;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	e = pthread_create(&b->writer, NULL, write_blocks, b);
	for (i = 0; !e && i < b->threads; i++) {
		e = pthread_create(&b->worker[i].thread, NULL, work,
			&b->worker[i]);
		b->started += !e;
	}
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	if (e && i) {	/* the writer runs */
		fail(b, e);
		join_all(b);
	}
	errno = e;
	return e ? -1 : 0;
}

static void
init_lock(struct blocks *b)
{
	pthread_condattr_t monotonic;

	pthread_condattr_init(&monotonic);
	pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
	pthread_mutex_init(&b->lock, NULL);
	pthread_cond_init(&b->room, &monotonic);
	pthread_cond_init(&b->work, NULL);
	pthread_cond_init(&b->done, NULL);
}

static int
put_head(struct blocks *b, u64 size)
{
	u8 head[BLOCK_FRAME_MAX];
	size_t n;

	if (!b->codec || !b->codec->head)
		return 0;
	n = b->codec->head(head, size);
	b->out += n;
	return flow_put(b->flow.next, head, n);
}

int
blocks_open(struct blocks *b, struct flow *next, const struct codec *codec,
	unsigned threads, u64 size)
{
	*b = (struct blocks){
		.flow = { blocks_put, blocks_zero, blocks_end, blocks_place,
			next },
		.codec = codec, .threads = codec ? threads : 0,
		.count = ring_size(codec, threads),
	};
	xxh32_open(&b->check);
	init_lock(b);
	if (arena_open(&b->arena, blocks_memory(codec, threads)) < 0)
		return -1;
	if (take_blocks(b) < 0 || put_head(b, size) < 0 ||
	    start_threads(b) < 0) {
		arena_close(&b->arena);
		return -1;
	}
	return 0;
}
