/* ring.c - the ring buffer's pages, as read(2) of trace_pipe_raw gives them. */
#include "../kern.h"

enum {
	TYPE_DATA_MAX = 28, TYPE_PADDING, TYPE_TIME_EXTEND, TYPE_TIME_STAMP,
};
#define COMMIT_MASK ((1u << 20) - 1)
#define MISSED_STORED (1u << 30)	/* their count stands after the data */
#define MISSED_EVENTS (1u << 31)
#define TS_KNOWN ((1ull << 59) - 1)	/* bits an absolute time stamp has */

int
ring_layout(const char *text, struct ring_layout *l)
{
	static const char *const names[] = { "timestamp", "commit", "data" };
	struct trace_field f[ARRAY_LEN(names)];

	/* The text is a format without an ID: EBADMSG of that is not minded,
	 * but a field that was not found is. */
	trace_format(text, names, f, ARRAY_LEN(f));
	l->commit = f[1].offset;
	l->commit_size = (u8)f[1].size;
	l->data = f[2].offset;
	l->size = (u32)f[2].offset + f[2].size;
	if (f[0].size == 8 && !f[0].offset && (f[1].size == 8 ||
	    f[1].size == 4) && f[2].size && l->data >= f[1].offset + f[1].size &&
	    l->size <= RING_SUBBUF_MAX)
		return 0;
	errno = EBADMSG;
	return -1;
}

int
ring_open(struct ring *r, const struct ring_layout *l, const void *page,
	size_t n)
{
	u32 commit;
	const u8 *p = page;

	memset(r, 0, sizeof(*r));
	errno = EBADMSG;
	if (n < l->data)
		return -1;
	memcpy(&r->ts, p, sizeof(r->ts));
	memcpy(&commit, p + l->commit, sizeof(commit));
	r->data = p + l->data;
	r->used = commit & COMMIT_MASK;
	if (r->used > n - l->data) {
		r->used = 0;
		return -1;
	}
	r->missed = !!(commit & MISSED_EVENTS);
	if (r->missed && commit & MISSED_STORED && r->used + 8 <= n - l->data)
		memcpy(&r->lost, r->data + r->used, sizeof(r->lost));
	return 0;
}

static u32
word_at(const struct ring *r, u32 at)
{
	u32 v;

	memcpy(&v, r->data + at, sizeof(v));
	return v;
}

static int
torn(struct ring *r)
{
	r->at = r->used;
	errno = EBADMSG;
	return -1;
}

int
ring_next(struct ring *r, struct ring_event *e)
{
	u32 head, type, delta, more, at;
	u64 stamp;

	while (r->used - r->at >= 4) {
		at = r->at;
		head = word_at(r, at);
		type = head & 31;
		delta = head >> 5;
		if (type && type <= TYPE_DATA_MAX) {
			e->size = type * 4;
			e->data = r->data + at + 4;
			r->at += 4 + e->size;
			if (r->at > r->used)
				return torn(r);
			r->ts += delta;
			e->ts = r->ts;
			return 1;
		}
		if (type == TYPE_PADDING && !delta)
			break;	/* the rest is unused */
		if (r->used - at < 8)
			return torn(r);
		more = word_at(r, at + 4);
		stamp = ((u64)more << 27) + delta;
		r->at += 8;
		if (type == TYPE_TIME_EXTEND) {
			r->ts += stamp;
		} else if (type == TYPE_TIME_STAMP) {
			r->ts = (r->ts & ~TS_KNOWN) | (stamp & TS_KNOWN);
		} else if (type == TYPE_PADDING) {
			/* a discarded event: 4 bytes and its length */
			if (more < 4 || more > r->used - at - 4)
				return torn(r);
			r->at = at + 4 + more;
		} else {
			if (more < 4 || more - 4 > r->used - r->at)
				return torn(r);
			e->size = more - 4;
			e->data = r->data + r->at;
			r->at += (e->size + 3) & ~3u;
			if (r->at > r->used)
				r->at = r->used;
			r->ts += delta;
			e->ts = r->ts;
			return 1;
		}
	}
	r->at = r->used;
	return 0;
}
