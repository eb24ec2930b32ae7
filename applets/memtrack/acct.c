/* acct.c - what each (task, module, stack), a leaf, holds, and what each of
 * the three does.
 *
 * Stacks are kept once each. When a table is full what holds no pages is
 * forgotten, small peaks first, and its ids serve again.
 */
#include <sys/mman.h>

#include "memtrack.h"

struct counts counts;
struct use total;
u64 first_ts, last_ts;

enum { FRAMES_PER_STACK = 9, GC_FIRST_PEAK = 256, GC_PAUSE = 65536 };

static struct arena memory;
static struct stack *stacks;
static u32 *stack_heads, stack_max, stack_used, stack_free;
static u32 heads_mask;		/* of both hash tables */
static u64 *frames;		/* a word (id << 32 | count) before each stack's */
static u32 frames_max, frames_used;
static struct leaf *leaves;
static u32 *leaf_heads, leaf_max, leaf_used, leaf_free;
static u64 no_gc_until;		/* in events: the last one found little */

static void *
take(size_t n)
{
	void *p = arena_take(&memory, n);

	if (!p)
		die("out of memory for the tables:");
	return p;
}

u64
acct_bytes(void)
{
	return memory.size;
}

void
acct_open(u32 max_stacks, u64 pfns)
{
	u32 heads = 1024;
	size_t size;

	while (heads < max_stacks)
		heads *= 2;
	heads_mask = heads - 1;
	stack_max = max_stacks;
	leaf_max = max_stacks * 2;
	frames_max = max_stacks * (FRAMES_PER_STACK + 1);
	size = stack_max * sizeof(*stacks) + leaf_max * sizeof(*leaves) +
		frames_max * sizeof(*frames) + 2 * heads * sizeof(u32) + 256;
	if (arena_open(&memory, size) < 0)
		die("no memory for tables of %lu bytes:", (unsigned long)size);
	madvise(memory.base, size, MADV_NOHUGEPAGE);
	stacks = take(stack_max * sizeof(*stacks));
	leaves = take(leaf_max * sizeof(*leaves));
	stack_heads = take(heads * sizeof(u32));
	leaf_heads = take(heads * sizeof(u32));
	frames = take(frames_max * sizeof(*frames));
	stack_free = leaf_free = 0;
	stack_used = leaf_used = 1;	/* id 0 means none */
	frames_used = 0;
	stack_used = STACK_OWN + 1;
	stacks[STACK_NONE].held = stacks[STACK_OWN].held = 1;
	frames[frames_used++] = (u64)STACK_OWN << 32 | 1;
	stacks[STACK_OWN].at = frames_used;
	stacks[STACK_OWN].frames = 1;
	frames[frames_used++] = FRAME_OWN;
	memset(&counts, 0, sizeof(counts));
	memset(&total, 0, sizeof(total));
	first_ts = last_ts = no_gc_until = 0;
	pages_open(pfns);
}

u32
ts_ms(u64 ts)
{
	return ts > first_ts ? (u32)((ts - first_ts) / 1000000) : 0;
}

/* ---- stacks ---- */

const struct stack *
stack_at(u32 id)
{
	return &stacks[id];
}

struct stack *
stack_edit(u32 id)
{
	return &stacks[id];
}

const u64 *
stack_frames(const struct stack *s)
{
	return frames + s->at;
}

static u32
frames_hash(const u64 *f, unsigned n)
{
	u64 h = n;

	while (n--)
		h = (h ^ *f++) * 0x9e3779b97f4a7c15;
	return (u32)(h >> 32);
}

u32
acct_stack(const u64 *f, unsigned n)
{
	u32 hash, id;
	struct stack *s;

	if (!n)
		return STACK_NONE;
	if (n > FRAMES_MAX) {
		n = FRAMES_MAX;
		counts.cut_stacks++;
	}
	hash = frames_hash(f, n);
	for (id = stack_heads[hash & heads_mask]; id; id = s->next) {
		s = &stacks[id];
		if (s->hash == hash && s->frames == n &&
		    !memcmp(frames + s->at, f, n * sizeof(*f)))
			return id;
	}
	if (frames_max - frames_used < n + 1) {
		counts.overflow++;
		return STACK_NONE;
	}
	if (stack_free) {
		id = stack_free;
		stack_free = stacks[id].next;
	} else if (stack_used < stack_max) {
		id = stack_used++;
	} else {
		counts.overflow++;
		return STACK_NONE;
	}
	s = &stacks[id];
	memset(s, 0, sizeof(*s));
	frames[frames_used++] = (u64)id << 32 | n;
	s->at = frames_used;
	s->frames = (u16)n;
	memcpy(frames + s->at, f, n * sizeof(*f));
	frames_used += n;
	s->hash = hash;
	s->flags = frames_flags(f, n);
	s->next = stack_heads[hash & heads_mask];
	stack_heads[hash & heads_mask] = id;
	return id;
}

/* ---- leaves ---- */

static u32 *
leaf_head(u32 task, u32 module, u32 stack)
{
	u64 h = ((u64)task << 48 ^ (u64)module << 32 ^ stack) *
		0x9e3779b97f4a7c15;

	return &leaf_heads[h >> 32 & heads_mask];
}

static void
leaf_link(u32 id)
{
	struct leaf *l = &leaves[id];
	u32 *head = leaf_head(l->task, l->module, l->stack);

	l->next = *head;
	*head = id;
}

static u32
leaf_find(u32 task, u32 module, u32 stack)
{
	u32 id = *leaf_head(task, module, stack);

	while (id && (leaves[id].stack != stack || leaves[id].task != task ||
		      leaves[id].module != module))
		id = leaves[id].next;
	return id;
}

u32
acct_leaf(u32 task, u32 module, u32 stack)
{
	u32 id = leaf_find(task, module, stack);

	if (id)
		return id;
	if (leaf_free) {
		id = leaf_free;
		leaf_free = leaves[id].next;
	} else if (leaf_used < leaf_max) {
		id = leaf_used++;
	} else {
		/* The last is kept for what finds no other. */
		counts.overflow++;
		return leaf_max - 1;
	}
	if (id == leaf_max - 1)
		task = module = stack = 0;
	leaves[id] = (struct leaf){ .stack = stack, .task = (u16)task,
		.module = (u16)module };
	leaf_link(id);
	return id;
}

/* A free leaf's task is one that cannot be. */
enum { LEAF_UNUSED = 0xffff };

const struct leaf *
leaf_at(u32 id)
{
	return leaves[id].task == LEAF_UNUSED ? NULL : &leaves[id];
}

u32
leaf_count(void)
{
	return leaf_used;
}

static void
use_add(struct use *u, u64 n, u64 ts)
{
	u->live += n;
	if (u->live > u->peak) {
		u->peak = u->live;
		u->peak_ts = ts;
	}
}

/* The own size of a module is what its text's events did not tell of. */
static u64
is_text(const struct stack *s)
{
	return (s->flags & (STACK_LOADS | STACK_INITS | STACK_VMALLOC)) ==
		(STACK_LOADS | STACK_VMALLOC);
}

void
leaf_add(u32 id, u64 n, u64 ts)
{
	struct leaf *l = &leaves[id];
	struct stack *s = &stacks[l->stack];
	struct module *m = module_at(l->module);

	l->live += (u32)n;
	if (l->live > l->peak) {
		l->peak = l->live;
		l->peak_ms = ts_ms(ts);
	}
	s->live += (u32)n;
	if (s->live > s->peak) {
		s->peak = s->live;
		s->peak_ms = ts_ms(ts);
	}
	if (is_text(s))
		m->text += n;
	use_add(&m->use, n, ts);
	use_add(&task_at(l->task)->use, n, ts);
	use_add(&total, n, ts);
}

void
leaf_sub(u32 id, u64 n)
{
	struct leaf *l = &leaves[id];
	struct stack *s = &stacks[l->stack];
	struct module *m = module_at(l->module);

	l->live -= (u32)n;
	s->live -= (u32)n;
	if (is_text(s))
		m->text -= n;
	m->use.live -= n;
	task_at(l->task)->use.live -= n;
	total.live -= n;
}

void
acct_move(u32 from, u32 to)
{
	u32 id, *at;

	for (id = 1; id < leaf_used; id++) {
		struct leaf *l = &leaves[id];
		if (l->module != from || l->task == LEAF_UNUSED)
			continue;
		at = leaf_head(l->task, from, l->stack);
		while (*at != id)
			at = &leaves[*at].next;
		*at = l->next;
		l->module = (u16)to;
		leaf_link(id);
	}
}

/* ---- collection ---- */

static void
leaves_collect(u32 least_peak)
{
	u32 id;

	memset(leaf_heads, 0, (heads_mask + 1) * sizeof(u32));
	leaf_free = 0;
	for (id = 1; id < leaf_used; id++) {
		struct leaf *l = &leaves[id];
		if (l->task != LEAF_UNUSED && (l->live ||
		    l->peak >= least_peak || id == leaf_max - 1)) {
			leaf_link(id);
			stacks[l->stack].held = 1;
			task_at(l->task)->held = 1;
			continue;
		}
		counts.dropped_paths += l->task != LEAF_UNUSED;
		l->task = LEAF_UNUSED;
		l->next = leaf_free;
		leaf_free = id;
	}
}

/* Moves the frames of the stacks that are held together. */
static void
stacks_collect(void)
{
	u32 from = 0, to = 0, id, n;
	u64 head;

	memset(stack_heads, 0, (heads_mask + 1) * sizeof(u32));
	for (; from < frames_used; from += n + 1) {
		head = frames[from];
		id = (u32)(head >> 32);
		n = (u32)head;
		if (!stacks[id].held) {
			stacks[id].next = stack_free;
			stacks[id].frames = 0;
			stack_free = id;
			continue;
		}
		memmove(frames + to, frames + from, (n + 1) * sizeof(*frames));
		stacks[id].at = to + 1;
		to += n + 1;
		if (id != STACK_OWN) {
			u32 *h = &stack_heads[stacks[id].hash & heads_mask];
			stacks[id].next = *h;
			*h = id;
		}
	}
	frames_used = to;
}

static void
collect(u32 least_peak)
{
	u32 id;

	for (id = STACK_OWN + 1; id < stack_used; id++)
		stacks[id].held = 0;
	for (id = 0; id < task_count(); id++)
		if (task_at(id))
			task_at(id)->held = 0;
	leaves_collect(least_peak);
	stacks_collect();
	task_collect();
}

static int
is_short(u32 part)
{
	return (!leaf_free && leaf_max - leaf_used < leaf_max / part + 2) ||
		(!stack_free && stack_max - stack_used < stack_max / part + 1) ||
		frames_max - frames_used < frames_max / part + FRAMES_MAX + 1 ||
		task_full();
}

void
acct_room(void)
{
	u64 events = counts.allocs + counts.frees;

	if (!is_short(~0u) || events < no_gc_until)
		return;
	collect(GC_FIRST_PEAK);
	if (is_short(8))
		collect(~0u);
	if (is_short(8))
		no_gc_until = events + GC_PAUSE;
}
