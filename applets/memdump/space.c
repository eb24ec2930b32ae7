/* space.c - will the dump fit, and how much may it take? */
#include <sys/vfs.h>

#include "memdump.h"

enum {
	SAMPLES = 64, SAMPLE_SIZE = 64 * KIB,
	MARGIN_PERCENT = 10,	/* samples are not the whole */
};

static const struct extent *
extent_at(const struct source *s, u64 *nth)
{
	unsigned i = 0;

	while (*nth >= s->extent[i].end - s->extent[i].start) {
		*nth -= s->extent[i].end - s->extent[i].start;
		i++;
	}
	return &s->extent[i];
}

/* Samples spread evenly over the RAM: bytes before and after the codec. */
static void
compress_samples(const struct source *s, const struct codec *c, void *state,
	u8 *in, u8 *out, u64 *before, u64 *after)
{
	unsigned i;

	*before = *after = 0;
	for (i = 0; i < SAMPLES && !stop_signal; i++) {
		u64 pos = s->bytes / SAMPLES * i & ~(page_size - 1);
		const struct extent *e = extent_at(s, &pos);
		u64 left = e->end - e->start - pos;
		ssize_t n = full_pread(s->fd, in, left < SAMPLE_SIZE
			? (size_t)left : SAMPLE_SIZE, e->offset + pos);

		if (n <= 0)
			continue;
		*before += (u64)n;
		*after += c->block(state, in, (size_t)n, out);
	}
}

u64
space_estimate(struct source *s, const struct codec *codec, u64 image)
{
	struct arena a;
	u64 before = 0, after = 0;
	void *state;
	u8 *in, *out;

	if (!codec || !s->bytes)
		return image;
	if (arena_open(&a, SAMPLE_SIZE + codec->bound + codec->state + 64) < 0)
		return image;
	in = arena_take(&a, SAMPLE_SIZE);
	out = arena_take(&a, codec->bound);
	state = arena_take(&a, codec->state);
	if (codec->open(state) == 0)
		compress_samples(s, codec, state, in, out, &before, &after);
	arena_close(&a);
	if (!before)
		return image;
	return (u64)((unsigned __int128)image * after / before *
		(100 + MARGIN_PERCENT) / 100);
}

/* Blocks are counted in this unit. */
static u64
fs_unit(const struct statfs *v)
{
	return (u64)(v->f_frsize ? v->f_frsize : v->f_bsize);
}

/* What --max-disk-usage-percent leaves of the file system. */
static u64
percent_room(const struct statfs *v, unsigned percent)
{
	u64 unit = fs_unit(v), total = v->f_blocks * unit;
	u64 used = (v->f_blocks - v->f_bfree) * unit;
	u64 most = total / 100 * percent;

	return most > used ? most - used : 0;
}

static void
lower(u64 *cap, u64 v)
{
	if (!*cap || v < *cap)
		*cap = v ? v : 1;
}

int
space_check(const char *path, u64 bytes, const struct limits *l, u64 *cap)
{
	char need[FMT_SIZE_MAX], room[FMT_SIZE_MAX];
	struct statfs v;
	u64 left;

	*cap = l->bytes;
	if (outfile_fs(path, &v) < 0) {
		warn("%s:", path);
		return -1;
	}
	fmt_size(need, bytes);
	if (l->percent) {
		left = percent_room(&v, l->percent);
		lower(cap, left);
		if (bytes > left)
			return -warn("%s would take %s: only %s are left below "
				"--max-disk-usage-percent %u; compress (-z), "
				"or choose another disk", path, need,
				fmt_size(room, left), l->percent);
	}
	if (l->bytes && bytes > l->bytes)
		return -warn("%s would take %s: more than --max-disk-usage %s",
			path, need, fmt_size(room, l->bytes));
	left = v.f_bavail * fs_unit(&v);
	if (bytes <= left)
		return 0;
	return -warn("%s would take %s, its file system has %s free: compress "
		"(-z), choose another disk, or -o - into a pipe", path, need,
		fmt_size(room, left));
}
