/* sink.c - the descriptor at the end: its pace, its limit, and the page cache
 * that must not lose the machine's evidence to the dump of it. */
#include "../flow.h"

enum {
	/* Writeback is asked for, and waited for one window later: the device
	 * stays busy, and this much of the cache is ours at most, twice. */
	DROP_WINDOW = 8 * MIB,
};

/* Asks for [started, bytes) to be written, waits for what was asked before,
 * and lets its cache go. Advice: errors (a pipe, an odd file system) only end
 * it. */
static void
drop_behind(struct sink *s)
{
	u64 before = s->started - s->dropped;

	if (sync_file_range(s->fd, (off_t)s->started,
	    (off_t)(s->bytes - s->started), SYNC_FILE_RANGE_WRITE) < 0) {
		s->drop = 0;
		return;
	}
	if (before) {
		sync_file_range(s->fd, (off_t)s->dropped, (off_t)before,
			SYNC_FILE_RANGE_WAIT_BEFORE | SYNC_FILE_RANGE_WRITE |
			SYNC_FILE_RANGE_WAIT_AFTER);
		posix_fadvise(s->fd, (off_t)s->dropped, (off_t)before,
			POSIX_FADV_DONTNEED);
	}
	s->dropped = s->started;
	s->started = s->bytes;
}

static int
keep_pace(const struct sink *s)
{
	return sleep_until(s->begun + (u64)((unsigned __int128)s->data *
		1000000000 / s->rate));
}

static int
write_all(struct sink *s, const u8 *p, size_t n)
{
	while (n) {
		ssize_t r = write(s->fd, p, n);

		if (r < 0 && (errno != EINTR || stop_signal))
			return -1;
		if (r > 0) {
			p += r;
			n -= (size_t)r;
			s->bytes += (u64)r;
		}
	}
	return 0;
}

static int
sink_put(struct flow *f, const void *data, size_t n)
{
	struct sink *s = (struct sink *)f;

	s->data += n;
	if (s->limit && s->data > s->limit) {
		errno = EFBIG;
		return -1;
	}
	if (s->rate && keep_pace(s) < 0) {
		errno = EINTR;
		return -1;
	}
	if (write_all(s, data, n) < 0)
		return -1;
	if (s->drop && s->bytes - s->started >= DROP_WINDOW)
		drop_behind(s);
	return 0;
}

static int
sink_zero(struct flow *f, u64 n)
{
	struct sink *s = (struct sink *)f;

	if (!s->sparse)
		return flow_zero_by_put(f, n);
	if (lseek(s->fd, (off_t)n, SEEK_CUR) < 0)
		return -1;
	s->bytes += n;
	return 0;
}

static int
sink_end(struct flow *f)
{
	struct sink *s = (struct sink *)f;

	/* A hole at the end exists only by the file's size. */
	if (s->sparse && ftruncate(s->fd, (off_t)s->bytes) < 0)
		return -1;
	if (s->drop) {
		drop_behind(s);
		drop_behind(s);
	}
	return 0;
}

void
sink_open(struct sink *s, int fd)
{
	*s = (struct sink){ .flow = { sink_put, sink_zero, sink_end },
		.fd = fd, .begun = now_ns() };
}
