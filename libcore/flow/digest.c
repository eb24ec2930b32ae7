/* digest.c - a stage that hashes what passes. */
#include "../flow.h"

static int
digest_put(struct flow *f, const void *data, size_t n)
{
	struct digest *d = (struct digest *)f;

	sha256_add(&d->sha, data, n);
	d->bytes += n;
	return flow_put(f->next, data, n);
}

/* The hash knows no hole; the sink behind may. */
static int
digest_zero(struct flow *f, u64 n)
{
	static u8 zeros[4096];	/* never written: .bss */
	struct digest *d = (struct digest *)f;
	u64 left = n;

	while (left && !stop_signal) {
		size_t part = left < sizeof(zeros) ? (size_t)left
			: sizeof(zeros);

		sha256_add(&d->sha, zeros, part);
		left -= part;
	}
	d->bytes += n;
	return flow_zero(f->next, n);
}

static int
digest_end(struct flow *f)
{
	struct digest *d = (struct digest *)f;

	sha256_close(&d->sha, d->sum);
	return flow_end(f->next);
}

static void *
digest_place(struct flow *f, size_t want, size_t *room)
{
	return flow_place(f->next, want, room);
}

void
digest_open(struct digest *d, struct flow *next)
{
	*d = (struct digest){ .flow = { digest_put, digest_zero, digest_end,
		next->place ? digest_place : NULL, next } };
	sha256_open(&d->sha);
}
