/* groups.c - what a group has, from the classes of its processes' pages. */
#include "memstats.h"

/* A group has what a class has, and all that grew out of it, once: counted at
 * the group's first class on the way down. */
static void
enter(struct split *s, const struct class *c)
{
	u32 id = s->group_of[c->proc];

	if (id != GROUP_NONE && !s->groups[id].inside++)
		s->groups[id].u.by[c->type] += c->sum * page_size;
}

static void
leave(struct split *s, const struct class *c)
{
	u32 id = s->group_of[c->proc];

	if (id != GROUP_NONE)
		s->groups[id].inside--;
}

/* Down the tree of classes and back, without recursion. */
static void
walk_classes(struct split *s, u32 root)
{
	u32 at = scan.classes[root].child;

	while (at) {
		const struct class *c = &scan.classes[at];

		enter(s, c);
		if (c->child) {
			at = c->child;
			continue;
		}
		leave(s, c);
		while (!c->sibling && c->parent != root) {
			c = &scan.classes[c->parent];
			leave(s, c);
		}
		at = c->sibling;
	}
}

/* A group has a class alone when it has its parent alone, and the process that
 * came is the group's too. Kept in next: the group + 1, 0 = several. */
static void
own_classes(struct split *s)
{
	u32 i;

	for (i = CLASS_FIRST; i < scan.class_count; i++) {
		struct class *c = &scan.classes[i];
		u32 id = s->group_of[c->proc];
		u64 bytes = c->count * page_size;
		struct usage *u;

		c->next = id == GROUP_NONE || (c->depth > 1 &&
			scan.classes[c->parent].next != id + 1) ? 0 : id + 1;
		if (!c->next)
			continue;
		u = &s->groups[id].u;
		if (c->type == TYPE_SWAP)
			u->swap_uss += bytes;
		else
			u->uss += bytes;
		if (c->type == TYPE_SYSV)
			u->sysv_uss += bytes;
	}
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

	for (k = 0; k < split_count; k++) {
		struct split *s = &splits[k];

		for (i = CLASS_ROOTS; i < CLASS_FIRST && scan.classes; i++)
			walk_classes(s, i);
		own_classes(s);
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
