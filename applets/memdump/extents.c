/* extents.c - which pieces of RAM a source has, and where. */
#include "memdump.h"

static u64
page_down(u64 v)
{
	return v & ~(page_size - 1);
}

static u64
page_up(u64 v)
{
	return v > UINT64_MAX - page_size ? page_down(v)
		: page_down(v + page_size - 1);
}

int
whole_pages(u64 *start, u64 *end)
{
	*start = page_up(*start);
	*end = page_down(*end);
	return *start < *end;
}

static int
add_extent(struct source *s, struct extent e)
{
	struct extent *last = s->extents ? &s->extent[s->extents - 1] : NULL;
	u64 n = last ? last->end - last->start : 0;

	s->bytes += e.end - e.start;
	if (last && last->end == e.start && last->offset + n == e.offset &&
	    (last->vaddr ? last->vaddr + n == e.vaddr : !e.vaddr)) {
		last->end = e.end;
		return 0;
	}
	if (s->extents == EXTENTS)
		return source_refuse(s, "more than %d pieces of RAM: raise "
			"EXTENTS", EXTENTS);
	s->extent[s->extents++] = e;
	return 0;
}

static void
add_lost(struct source *s, u64 start, u64 end)
{
	s->lost_bytes += end - start;
	if (s->lost < EXTENTS)
		s->lost_range[s->lost++] = (struct range){ start, end };
}

/* The segment that holds pos; NULL: none, and *next is where one begins. */
static const struct extent *
find_segment(const struct extent *seg, unsigned nseg, u64 pos, u64 *next)
{
	unsigned i;

	*next = UINT64_MAX;
	for (i = 0; i < nseg; i++) {
		if (seg[i].start <= pos && pos < seg[i].end)
			return &seg[i];
		if (seg[i].start > pos && seg[i].start < seg[i].end &&
		    seg[i].start < *next)
			*next = seg[i].start;
	}
	return NULL;
}

static int
map_range(struct source *s, u64 pos, u64 end, const struct extent *seg,
	unsigned nseg)
{
	while (pos < end) {
		u64 next, skip;
		const struct extent *g = find_segment(seg, nseg, pos, &next);

		if (g)
			next = g->end;
		if (next > end)
			next = end;
		skip = g ? pos - g->start : 0;
		if (!g)
			add_lost(s, pos, next);
		else if (add_extent(s, (struct extent){ pos, next,
		    g->offset + skip, g->vaddr ? g->vaddr + skip : 0 }) < 0)
			return -1;
		pos = next;
	}
	return 0;
}

int
source_map(struct source *s, const struct range *ram, int nram,
	const struct extent *seg, unsigned nseg)
{
	int i;

	for (i = 0; i < nram; i++)
		if (map_range(s, ram[i].start, ram[i].end, seg, nseg) < 0)
			return -1;
	return 0;
}

/* Cuts [*start, *end) down to r; 0 = nothing is left. */
static int
clip(const struct range *r, u64 *start, u64 *end)
{
	if (*start < r->start)
		*start = r->start;
	if (*end > r->end)
		*end = r->end;
	return *start < *end;
}

static void
select_lost(struct source *s, const struct range *r, int n)
{
	static struct range all[EXTENTS];
	unsigned count = s->lost, i;
	int k;

	memcpy(all, s->lost_range, count * sizeof(*all));
	s->lost = 0;
	s->lost_bytes = 0;
	for (i = 0; i < count; i++)
		for (k = 0; k < n; k++) {
			u64 start = all[i].start, end = all[i].end;

			if (clip(&r[k], &start, &end))
				add_lost(s, start, end);
		}
}

void
source_select(struct source *s, const struct range *r, int n)
{
	static struct extent all[EXTENTS];
	unsigned count = s->extents, i;
	int k;

	memcpy(all, s->extent, count * sizeof(*all));
	s->extents = 0;
	s->bytes = 0;
	for (i = 0; i < count; i++)
		for (k = 0; k < n; k++) {
			u64 start = all[i].start, end = all[i].end;

			if (clip(&r[k], &start, &end))
				map_range(s, start, end, &all[i], 1);
		}
	select_lost(s, r, n);
}
