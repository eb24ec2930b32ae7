/* attach.c - whole System V segments of groups: a segment counts once in a
 * group, with all that is resident of it, whoever touched it. */
#include "memstats.h"

enum { PAIRS = 1 << 20, SEGMENTS = 8192 };

static struct pair {
	u32 proc;
	int id;
} *pairs;
static struct arena pair_arena;
static u32 pair_count;
static struct seg {
	int id;
	u32 stamp;		/* last group it was added to, + 1 */
	u64 rss, swap;
} *segs;
static u32 seg_count;

void
attach_reset(void)
{
	struct shms list;
	struct shm_segment s;

	if (!pairs && (arena_open(&pair_arena, PAIRS * sizeof(*pairs) +
			SEGMENTS * sizeof(*segs)) < 0 ||
	    !(pairs = arena_take(&pair_arena, PAIRS * sizeof(*pairs))) ||
	    !(segs = arena_take(&pair_arena, SEGMENTS * sizeof(*segs)))))
		die("memory for shared segments:");
	pair_count = seg_count = 0;
	if (shms_open(&list) < 0)
		return;
	while (seg_count < SEGMENTS && shms_next(&list, &s) > 0)
		segs[seg_count++] = (struct seg){ s.id, 0,
			shm_rss(&s), s.swap };
	shms_close(&list);
}

void
attach_note(u32 proc, int id)
{
	if (pair_count && pairs[pair_count - 1].proc == proc &&
	    pairs[pair_count - 1].id == id)
		return;
	if (pair_count < PAIRS)
		pairs[pair_count++] = (struct pair){ proc, id };
}

static struct seg *
seg_find(int id)
{
	u32 i;

	for (i = 0; i < seg_count; i++)
		if (segs[i].id == id)
			return &segs[i];
	return NULL;
}

static int
by_group(const void *a, const void *b, const void *arg)
{
	const struct pair *x = a, *y = b;
	const u32 *group_of = arg;
	u32 g = group_of[x->proc], h = group_of[y->proc];

	return g < h ? -1 : g > h;
}

void
attach_groups(struct split *s)
{
	u32 i;

	sort_items(pairs, pair_count, sizeof(*pairs), by_group, s->group_of);
	for (i = 0; i < seg_count; i++)
		segs[i].stamp = 0;
	for (i = 0; i < pair_count; i++) {
		u32 g = s->group_of[pairs[i].proc];
		struct seg *seg = g == GROUP_NONE ? NULL
			: seg_find(pairs[i].id);

		if (!seg || seg->stamp == g + 1)
			continue;
		seg->stamp = g + 1;
		s->groups[g].shm += seg->rss;
		s->groups[g].shm_swap += seg->swap;
	}
}
