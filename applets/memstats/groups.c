/* groups.c - what a group has, from the classes of its processes' pages. */
#include "memstats.h"

/* One class in one split: every group in its chain has the pages once; they
 * are a group's own when no process outside is in the chain. */
static void
class_to_groups(struct split *s, u32 class, enum page_type type, u64 bytes)
{
	struct group *g = NULL;
	u32 at, id, distinct = 0;

	for (at = class; at >= CLASS_FIRST; at = scan.classes[at].parent) {
		id = s->group_of[scan.classes[at].proc];
		if (id == GROUP_NONE) {
			distinct = 2;
			continue;
		}
		if (s->groups[id].stamp == class)
			continue;
		g = &s->groups[id];
		g->stamp = class;
		g->u.by[type] += bytes;
		distinct++;
	}
	if (distinct != 1)
		return;
	if (type == TYPE_SWAP)
		g->u.swap_uss += bytes;
	else
		g->u.uss += bytes;
	if (type == TYPE_SYSV)
		g->u.sysv_uss += bytes;
}

static void
process_to_group(struct group *g, const struct process *p)
{
	g->procs++;
	g->private += p->u.uss;
	g->u.pss += p->u.pss;
	g->u.swap_pss += p->u.swap_pss;
	if (p->state == PROC_NO_PAGES) {
		/* A lower bound: what it shares within the group is not
		 * known. */
		g->partial = 1;
		g->u.uss += p->u.uss;
	}
}

static const struct group *
find_last(const struct split *s, const struct group *g)
{
	u32 i;

	for (i = 0; i < s->last_count; i++) {
		const struct group *l = &s->last[i];

		if (!l->name || !g->name ? l->name == g->name
				: !strcmp(l->name, g->name))
			return l;
	}
	return NULL;
}

void
splits_usage(void)
{
	unsigned k;
	u32 i;

	for (i = CLASS_FIRST; i < scan.class_count; i++) {
		u64 bytes = scan.classes[i].count * page_size;
		enum page_type type = class_type(i);

		for (k = 0; bytes && k < split_count; k++)
			class_to_groups(&splits[k], i, type, bytes);
	}
	for (k = 0; k < split_count; k++) {
		struct split *s = &splits[k];

		for (i = 0; i < procs.count; i++)
			if (s->group_of[i] != GROUP_NONE &&
			    procs.list[i].state != PROC_VANISHED)
				process_to_group(&s->groups[s->group_of[i]],
					&procs.list[i]);
		attach_groups(s);
		for (i = 0; s->last && i < s->count; i++) {
			const struct group *l = find_last(s, &s->groups[i]);

			s->groups[i].before = l ? (s64)(l->u.pss >> PSS_SHIFT)
				: -1;
		}
	}
}
