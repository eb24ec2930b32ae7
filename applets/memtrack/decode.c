/* decode.c - records to what they tell; stacks to the events they belong to.
 *
 * An event's stack follows it on the same CPU, but an interrupt may put its own
 * events and stacks between the two. So events wait on a small stack of their
 * own, and a stack record finds the innermost that has its thread and its
 * context (process, softirq, irq, nmi).
 */
#include "memtrack.h"

enum { CONTEXT_BITS = 0x58 };	/* hardirq, softirq, nmi: trace_events.h */

const struct event_type event_types[] = {
	{ "kmem/mm_page_alloc", EVENT_ALLOC, 1, 1, { "pfn", "order" } },
	{ "kmem/mm_page_free", EVENT_FREE, 1, 0, { "pfn", "order" } },
	{ "ftrace/kernel_stack", EVENT_STACK, 1, 0, { "size", "caller" } },
	{ "ftrace/user_stack", EVENT_USER, 0, 0, { "tgid", "caller" } },
	{ "module/module_load", EVENT_LOAD, 0, 0, { "name" } },
	{ "module/module_free", EVENT_UNLOAD, 0, 0, { "name" } },
	{ "sched/sched_process_exec", EVENT_EXEC, 0, 0, { "pid", "filename" } },
	{ "sched/sched_process_exit", EVENT_EXIT, 0, 0, { "pid", "comm" } },
	{ "task/task_newtask", EVENT_NEW, 0, 0,
		{ "pid", "clone_flags", "comm" } },
	{ "task/task_rename", EVENT_RENAME, 0, 0, { "pid", "newcomm" } },
	{ "vmalloc/alloc_vmap_area", EVENT_VALLOC, 0, 1,
		{ "addr", "size", "failed" } },
	{ "vmalloc/free_vmap_area_noflush", EVENT_VFREE, 0, 0, { "va_start" } },
	{ "page_pool/page_pool_state_hold", EVENT_HOLD, 0, 1, { "pfn" } },
	{ 0 }
};

static u8 kinds[65536];		/* by the id of a type */
static struct trace_field fields[EVENT_COUNT][3];
static u8 known[EVENT_COUNT];
static const char *const common_names[] = {
	"common_type", "common_flags", "common_pid",
};
static struct trace_field common[ARRAY_LEN(common_names)];

void
decode_reset(void)
{
	memset(kinds, 0, sizeof(kinds));
	memset(known, 0, sizeof(known));
}

int
decode_has(enum kind kind)
{
	return known[kind];
}

int
decode_format(const struct event_type *t, const char *text, const char **field)
{
	struct trace_field *f = fields[t->kind];
	unsigned n = 0, i;
	int id;

	while (n < ARRAY_LEN(t->names) && t->names[n])
		n++;
	*field = "ID";
	id = trace_format(text, t->names, f, n);
	if (id < 0)
		return -1;
	for (i = 0; i < n; i++)
		if (!f[i].size) {
			*field = t->names[i];
			return -1;
		}
	trace_format(text, common_names, common, ARRAY_LEN(common));
	for (i = 0; i < ARRAY_LEN(common); i++)
		if (!common[i].size) {
			*field = common_names[i];
			return -1;
		}
	kinds[id] = t->kind;
	known[t->kind] = 1;
	return 0;
}

/* ---- what an event does ---- */

static void
apply_pages(const struct pending *p, u32 stack)
{
	struct stack *s = stack_edit(stack);
	u32 leaf;

	/* The area stands for its pages. */
	if (p->kind == EVENT_ALLOC && s->flags & STACK_VMALLOC &&
	    known[EVENT_VALLOC]) {
		counts.by_vmalloc += 1ull << (p->b & 31);
		return;
	}
	if (p->kind == EVENT_VALLOC && !(s->flags & STACK_VMALLOC))
		return;		/* ioremap, vmap: no memory of its own */
	if (p->kind == EVENT_HOLD && acct_holds(p->a))
		return;		/* it came by an event of its own */
	leaf = acct_leaf(task_of(p->tid), module_of(s, p->tid), stack);
	if (p->kind == EVENT_VALLOC)	/* the last page is a guard */
		vmap_alloc(p->a, leaf, (p->b >> page_shift) - 1, p->ts);
	else
		acct_alloc(leaf, p->a, (unsigned)p->b, p->ts);
}

/* f: kernel frames, innermost first; 8 more words are free behind them. */
static void
apply(struct pending *p, u64 *f, unsigned n)
{
	unsigned skip;

	if (!first_ts)
		first_ts = p->ts;
	last_ts = p->ts;
	skip = frames_skip(f, n);
	if (p->users && n + p->users <= FRAMES_MAX)
		n += user_frames(p->tgid, p->user, p->users, f + n);
	acct_room();
	apply_pages(p, acct_stack(f + skip, n - skip));
}

static void
apply_without_stack(struct pending *p)
{
	u64 none[8];

	counts.no_stack++;
	apply(p, none, 0);
}

void
decode_flush(struct decoder *d)
{
	unsigned i;

	for (i = 0; i < d->depth; i++)
		apply_without_stack(&d->pending[i]);
	d->depth = 0;
}

/* ---- pairing ---- */

struct record {
	const u8 *data;
	u32 size;
	u64 ts;
	int tid;
	u8 context;
};

static u64
value(enum kind kind, unsigned field, const struct record *r)
{
	return trace_value(&fields[kind][field], r->data, r->size);
}

static int
is_of(const struct pending *p, const struct record *r)
{
	return p->tid == r->tid && p->context == r->context;
}

/* Another event of the same thread and context: the one that still waits has
 * no stack. (What waits beneath it was interrupted, and waits on.) */
static void
settle(struct decoder *d, const struct record *r)
{
	if (d->depth && is_of(&d->pending[d->depth - 1], r))
		apply_without_stack(&d->pending[--d->depth]);
}

static void
wait_for_stack(struct decoder *d, const struct record *r, enum kind kind,
	u64 a, u64 b)
{
	struct pending *p;

	if (d->depth == PENDING_MAX)
		decode_flush(d);
	p = &d->pending[d->depth++];
	p->ts = r->ts;
	p->a = a;
	p->b = b;
	p->tid = r->tid;
	p->context = r->context;
	p->kind = (u8)kind;
	p->users = 0;
}

/* The innermost event that the stack record fits, or NULL; the deeper ones
 * above it lost theirs. */
static struct pending *
owner_of(struct decoder *d, const struct record *r)
{
	unsigned i = d->depth;

	while (i && !is_of(&d->pending[i - 1], r))
		i--;
	return i ? &d->pending[i - 1] : NULL;
}

static void
take_stack(struct decoder *d, const struct record *r)
{
	struct pending *p = owner_of(d, r);
	u64 f[FRAMES_MAX + 8];
	u32 at = fields[EVENT_STACK][1].offset, n;

	if (!p) {
		counts.stray_stacks++;
		return;
	}
	while (p != &d->pending[d->depth - 1])
		apply_without_stack(&d->pending[--d->depth]);
	n = (u32)value(EVENT_STACK, 0, r);
	if (at > r->size || n > (r->size - at) / sizeof(u64)) {
		counts.bad_records++;
		n = at > r->size ? 0 : (r->size - at) / sizeof(u64);
	}
	if (n > FRAMES_MAX) {
		n = FRAMES_MAX;
		counts.cut_stacks++;
	}
	memcpy(f, r->data + at, n * sizeof(u64));
	while (n && (!f[n - 1] || f[n - 1] == ~0ull))
		n--;		/* padding; the mark of a trampoline's end */
	d->depth--;
	apply(p, f, n);
}

static void
take_user_stack(struct decoder *d, const struct record *r)
{
	struct pending *p = owner_of(d, r);
	u32 at = fields[EVENT_USER][1].offset, n;

	if (!p || p->users || at > r->size)
		return;
	n = (r->size - at) / sizeof(u64);
	if (n > ARRAY_LEN(p->user))
		n = ARRAY_LEN(p->user);
	memcpy(p->user, r->data + at, n * sizeof(u64));
	while (n && !p->user[n - 1])
		n--;
	p->users = (u8)n;
	p->tgid = (int)value(EVENT_USER, 0, r);
}

/* ---- records ---- */

static void
take_alloc(struct decoder *d, const struct record *r)
{
	u64 pfn = value(EVENT_ALLOC, 0, r);

	counts.allocs++;
	if (pfn == ~0ull)
		counts.failed++;
	else
		wait_for_stack(d, r, EVENT_ALLOC, pfn,
			value(EVENT_ALLOC, 1, r));
}

static void
take_area(struct decoder *d, const struct record *r)
{
	u64 bytes = value(EVENT_VALLOC, 1, r);

	if (!value(EVENT_VALLOC, 2, r) && bytes > page_size)
		wait_for_stack(d, r, EVENT_VALLOC, value(EVENT_VALLOC, 0, r),
			bytes);
}

static const char *
text_of(enum kind kind, unsigned field, const struct record *r, size_t *n)
{
	const char *s = trace_text(&fields[kind][field], r->data, r->size, n);

	if (!s) {
		counts.bad_records++;
		*n = 0;
	}
	return s;
}

static void
take_task(enum kind kind, const struct record *r)
{
	int pid = (int)value(kind, 0, r);
	const char *name = NULL;
	size_t n = 0;

	name = text_of(kind, kind == EVENT_NEW ? 2 : 1, r, &n);
	if (!name || pid < 0)
		return;
	if (kind == EVENT_NEW)
		task_new(r->tid, pid, value(EVENT_NEW, 1, r), name, n);
	else if (kind == EVENT_EXEC)
		task_exec(pid, name, n);
	else if (kind == EVENT_EXIT)
		task_exit(pid, name, n);
	else
		task_rename(pid, name, n);
}

static void
take_module(enum kind kind, const struct record *r)
{
	size_t n;
	const char *name = text_of(kind, 0, r, &n);

	if (!name)
		return;
	if (kind == EVENT_LOAD)
		module_loaded(r->tid, name, n);
	else
		module_freed(name, n);
}

static void
dispatch(struct decoder *d, const struct record *r, enum kind kind)
{
	switch (kind) {
	case EVENT_ALLOC:
		take_alloc(d, r);
		break;
	case EVENT_FREE:
		counts.frees++;
		last_ts = r->ts;
		acct_free(value(EVENT_FREE, 0, r),
			(unsigned)value(EVENT_FREE, 1, r));
		break;
	case EVENT_VALLOC:
		take_area(d, r);
		break;
	case EVENT_VFREE:
		vmap_free(value(EVENT_VFREE, 0, r));
		break;
	case EVENT_HOLD:
		wait_for_stack(d, r, EVENT_HOLD, value(EVENT_HOLD, 0, r), 0);
		break;
	case EVENT_LOAD:
	case EVENT_UNLOAD:
		take_module(kind, r);
		break;
	default:
		take_task(kind, r);
	}
}

void
decode_record(struct decoder *d, const struct ring_event *e)
{
	struct record r = { e->data, e->size, e->ts };
	enum kind kind;

	counts.records++;
	if (e->size < 8) {
		counts.bad_records++;
		return;
	}
	kind = kinds[(u16)trace_value(&common[0], e->data, e->size)];
	r.context = (u8)trace_value(&common[1], e->data, e->size) &
		CONTEXT_BITS;
	r.tid = (int)trace_value(&common[2], e->data, e->size);
	if (kind == EVENT_STACK) {
		take_stack(d, &r);
	} else if (kind == EVENT_USER) {
		take_user_stack(d, &r);
	} else if (kind) {
		settle(d, &r);
		dispatch(d, &r, kind);
	}
}
