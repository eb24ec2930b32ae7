/* owners.c - who maps a page: the first group of processes that is found to, or
 * several. */
#include "physical.h"
#include "store.h"
#include "walk.h"

static int last;		/* range of the last page */
static u16 whose;		/* of the process being read */
static struct cgroups cgroups;

/* The page's place among all pages of RAM; -1 when it is no RAM. The range of
 * the last page is tried first. */
static inline s64
index_of(u64 pfn)
{
	int i;

	if (pfn >= phys.ram[last].start && pfn < phys.ram[last].end)
		return (s64)(phys.first[last] + pfn - phys.ram[last].start);
	for (i = 0; i < phys.ranges; i++)
		if (pfn >= phys.ram[i].start && pfn < phys.ram[i].end) {
			last = i;
			return (s64)(phys.first[i] + pfn - phys.ram[i].start);
		}
	return -1;
}

static int
is_mapped_picture(void)
{
	return picture_ask.color == COLOR_MAPPED && !picture_ask.pid;
}

/* Entries of a machine's processes are read by the ten million, so the range of
 * the last page is at hand, and classes to come are called into the cache. */
struct window {
	u64 pfn, pages;
	u16 *classes;
};
enum { AHEAD = 24 };

static inline struct window
window_now(void)
{
	const struct range *r = &phys.ram[last];

	return (struct window){ r->start, r->end - r->start,
		phys.classes + phys.first[last] };
}

/* The class of the entry's page; NULL when there is none, or it is no RAM. */
static inline u16 *
class_of(struct window *w, u64 entry)
{
	u64 at = PM_PFN(entry) - w->pfn;

	if (!(entry & PM_PRESENT))
		return NULL;
	if (at < w->pages)
		return &w->classes[at];
	if (index_of(PM_PFN(entry)) < 0) {
		phys.outside++;
		return NULL;
	}
	*w = window_now();
	return &w->classes[PM_PFN(entry) - w->pfn];
}

static inline void
call_ahead(const struct window *w, const u64 *entries, size_t i, size_t n)
{
	u64 at = i + AHEAD < n ? PM_PFN(entries[i + AHEAD]) - w->pfn : 0;

	if (at < w->pages)
		__builtin_prefetch(&w->classes[at], 1);
}

/* The group that maps a page first has it, until another does. */
static void
mark_group(const u64 *entries, size_t n)
{
	struct window w = window_now();
	u16 class = whose, *c;
	size_t i;

	for (i = 0; i < n; i++) {
		call_ahead(&w, entries, i, n);
		c = class_of(&w, entries[i]);
		if (c && *c != class && *c != SHARED)
			*c = *c == NOT_MAPPED ? class : SHARED;
	}
}

static void
mark_mapped(const u64 *entries, size_t n)
{
	struct window w = window_now();
	u16 class, *c;
	size_t i;

	for (i = 0; i < n; i++) {
		call_ahead(&w, entries, i, n);
		c = class_of(&w, entries[i]);
		class = entries[i] & PM_EXCLUSIVE ? FIRST_GROUP : SHARED;
		if (c && *c != class && *c != SHARED)
			*c = class;
	}
}

/* Forked processes have page tables alike. What a group has been seen with, or
 * two groups have, need not be marked again: entries lie one after the other,
 * classes all over memory. Remembered by hash, 64 bits of it. */
enum { ALIKE = 512, ALIKE_LEAST = 32, SEEN = 1 << 15 };
static struct {
	u64 hash;
	u16 class;
} seen[SEEN];

static u64
hash_of(const u64 *e, size_t n)
{
	const u64 k = 0x9e3779b97f4a7c15ull;
	u64 h[4] = { n, k, ~k, 1 };
	size_t i;

	for (i = 0; i + 4 <= n; i += 4) {
		h[0] = (h[0] ^ e[i]) * k;
		h[1] = (h[1] ^ e[i + 1]) * k;
		h[2] = (h[2] ^ e[i + 2]) * k;
		h[3] = (h[3] ^ e[i + 3]) * k;
	}
	for (; i < n; i++)
		h[0] = (h[0] ^ e[i]) * k;
	for (i = 1; i < 4; i++)
		h[0] = (h[0] ^ h[0] >> 29 ^ h[i]) * k;
	return h[0] ^ h[0] >> 32;
}

/* 1 when marking these would change nothing. */
static int
is_marked(const u64 *entries, size_t n)
{
	u64 hash = hash_of(entries, n);
	size_t slot = hash % SEEN;

	if (seen[slot].hash != hash) {
		seen[slot].hash = hash;
		seen[slot].class = whose;
		return 0;
	}
	if (seen[slot].class == whose || seen[slot].class == SHARED)
		return 1;
	seen[slot].class = SHARED;
	return 0;
}

static void
take_entries(void *arg, u64 vpn, const u64 *entries, size_t n)
{
	void (*mark)(const u64 *entries, size_t n) = is_mapped_picture()
		? mark_mapped : mark_group;
	size_t take;

	(void)arg;
	(void)vpn;
	for (; n; n -= take, entries += take) {
		take = n < ALIKE ? n : ALIKE;
		if (take < ALIKE_LEAST || !is_marked(entries, take))
			mark(entries, take);
	}
}

u16
owners_class(u32 key)
{
	unsigned i;

	for (i = FIRST_GROUP; i < phys.groups; i++)
		if (phys.keys[i] == key)
			return (u16)i;
	if (phys.groups == CLASSES)
		return CLASSES - 1;
	phys.keys[phys.groups] = key;
	return (u16)phys.groups++;
}

static u32
key_of(const struct subject *s)
{
	static char path[PATH_MAX];
	ssize_t n;
	u32 uid = ~0u;

	switch (picture_ask.color) {
	case COLOR_PROCESS:
		return (u32)s->pid;
	case COLOR_USER:
		proc_uid(s->pid, &uid);
		return uid;
	case COLOR_CGROUP:
		n = cgroup_of(&cgroups, s->pid, path, sizeof(path));
		return n < 0 ? name_keep("unknown", 7)
			: name_keep(path, (size_t)n);
	default:
		return picture_ask.pid ? (u32)(s->pid == picture_ask.pid) : 0;
	}
}

/* Regions that touch are one run: a read costs more than a page. */
static int
walk_process(struct subject *s, struct walk *w)
{
	static struct region g;
	u64 start = 0, end = 0;
	int r = 0;

	while (!stop_signal && (r = subject_next(s, &g)) > 0) {
		if (g.type == REGION_VSYSCALL)
			continue;
		if (g.vma.start == end) {
			end = g.vma.end;
			continue;
		}
		if (walk_pages(w, start / page_size, end / page_size) < 0)
			return -1;
		start = g.vma.start;
		end = g.vma.end;
	}
	if (r < 0 || walk_pages(w, start / page_size, end / page_size) < 0)
		return -1;
	return 0;
}

static enum skip
paint_process(int pid)
{
	static struct subject subject;
	struct walk w = { .entries = take_entries };
	enum skip why = subject_open(&subject, pid);

	if (why != SKIP_NOT)
		return why;
	if (walk_open(&w, pid, subject.stat.rss * page_size) < 0) {
		why = skip_of_errno();
		subject_close(&subject);
		return why;
	}
	whose = is_mapped_picture() ? FIRST_GROUP
		: owners_class(key_of(&subject));
	if (walk_process(&subject, &w) < 0)
		why = skip_of_errno();
	walk_close(&w);
	subject_close(&subject);
	return why;
}

void
owners_paint(void)
{
	struct targets t;
	int pid;

	if (picture_ask.color == COLOR_CGROUP)
		cgroups_open(&cgroups);
	phys.why = picture_ask.pid ? SKIP_VANISHED : SKIP_NOT;
	if (targets_open(&t) < 0)
		_exit(EXIT_FAILED);
	while (!stop_signal && targets_next(&t, &pid)) {
		enum skip why = paint_process(pid);

		phys.skipped.count[why]++;
		if (pid == picture_ask.pid)
			phys.why = why;
		phys.read += why == SKIP_NOT;
	}
	targets_close(&t);
}

