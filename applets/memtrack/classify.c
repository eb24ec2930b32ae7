/* classify.c - what a stack is about: the few functions of the kernel that
 * tell, and where they are.
 */
#include "memtrack.h"

enum { RANGES_MAX = 48 };

static struct range_of {
	u64 start, end;
	u8 flags;		/* enum stack_flags; 0 = the tracer's own */
} ranges[RANGES_MAX];
static u32 range_count;
static u8 skipped[RANGES_MAX];	/* those without flags */
static u32 skipped_count;
static u64 kernel_text, kernel_end;	/* between _stext and _etext */
static char text_buf[16384];

static const struct {
	const char *name;
	u8 prefix;		/* any ending will do */
	u8 flags;
} marks[] = {
	{ "load_module", 0, STACK_LOADS },
	{ "do_init_module", 0, STACK_INITS },
	{ "__vmalloc_node_range", 0, STACK_VMALLOC },
	{ "__vmalloc_area_node", 0, STACK_VMALLOC },
	{ "vm_area_alloc_pages", 0, STACK_VMALLOC },
	{ "__traceiter_mm_page_alloc", 1, 0 },
	{ "__traceiter_alloc_vmap_area", 1, 0 },
	{ "__traceiter_page_pool_state_hold", 1, 0 },
	{ "trace_event_raw_event_mm_page_alloc", 1, 0 },
	{ "trace_event_raw_event_alloc_vmap_area", 1, 0 },
	{ "trace_event_raw_event_page_pool_state_hold", 1, 0 },
};

/* The mark that the function is, or a compiler's part of it. */
static int
mark_of(const char *name)
{
	size_t i, n;

	if (*name != 'l' && *name != 'd' && *name != '_' && *name != 'v' &&
	    *name != 't')
		return -1;
	for (i = 0; i < ARRAY_LEN(marks); i++) {
		n = strlen(marks[i].name);
		if (!strncmp(name, marks[i].name, n) && (!name[n] ||
		    name[n] == '.' || !strcmp(name + n, "_noprof") ||
		    marks[i].prefix))
			return (int)i;
	}
	return -1;
}

int
syms_classify(void)
{
	struct ksyms k;
	struct ksym s;
	struct range_of *open = NULL;
	int mark, r;

	range_count = skipped_count = 0;
	if (ksyms_open(&k, text_buf, sizeof(text_buf)) < 0)
		return -1;
	while ((r = ksyms_next(&k, &s)) > 0 && !*s.module) {
		if (!s.addr || (s.type | 0x20) == 'a')
			continue;
		if (!strcmp(s.name, "_stext"))
			kernel_text = s.addr;
		if (!strcmp(s.name, "_etext"))
			kernel_end = s.addr;
		if (open && s.addr > open->start) {
			open->end = s.addr;
			open = NULL;
		}
		mark = mark_of(s.name);
		if (mark < 0 || (s.type | 0x20) != 't' ||
		    range_count == RANGES_MAX)
			continue;
		if (!marks[mark].flags)
			skipped[skipped_count++] = (u8)range_count;
		open = &ranges[range_count++];
		*open = (struct range_of){ s.addr, s.addr, marks[mark].flags };
	}
	ksyms_close(&k);
	return range_count ? 0 : -1;
}

static const struct range_of *
range_at(u64 addr)
{
	u32 i;

	for (i = 0; i < range_count; i++)
		if (addr - ranges[i].start < ranges[i].end - ranges[i].start)
			return &ranges[i];
	return NULL;
}

/* For every event, so it looks at the tracer's own functions only. */
unsigned
frames_skip(const u64 *f, unsigned n)
{
	unsigned i = 0;
	u32 r = 0;

	while (i < n && r < skipped_count) {
		const struct range_of *o = &ranges[skipped[r++]];
		if (f[i] - o->start < o->end - o->start) {
			i++;
			r = 0;
		}
	}
	return i;
}

/* A vmalloc's own pages are taken a few calls below it; what is deeper (page
 * tables, the area's descriptor) is none of them. */
enum { VMALLOC_DEPTH = 5 };

u8
frames_flags(const u64 *f, unsigned n)
{
	const struct range_of *r;
	unsigned i;
	u8 flags = 0;

	for (i = 0; i < n; i++) {
		r = range_at(f[i]);
		if (r && (r->flags != STACK_VMALLOC || i < VMALLOC_DEPTH))
			flags |= r->flags;
	}
	return flags;
}

int
frame_inits(u64 addr)
{
	const struct range_of *r = range_at(addr);

	return r && r->flags & STACK_INITS;
}

int
frames_classified(void)
{
	return kernel_end != 0;
}

int
frame_is_kernel(u64 addr)
{
	return addr >= kernel_text && addr < kernel_end;
}
