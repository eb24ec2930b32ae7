/* picture.c - physical memory, coloured by who has it or by what it is for.
 *
 * Each page of RAM has a class (16 bits): the group whose process maps it, or
 * what kpageflags says. Classes become colours when all is known: the largest
 * have their own, the rest share one. */
#include "picture.h"
#include "store.h"
#include "walk.h"

enum {
	CLASSES = 65536,
	NOT_MAPPED = 0, SHARED = 1, FIRST_GROUP = 2,
	LARGEST = 14,		/* groups with a colour of their own */
	BATCH = 4096,
};

static struct {
	struct range ram[IOMEM_RANGES];
	u64 first[IOMEM_RANGES];	/* index of a range's first page */
	int ranges, last;
	u64 pages;
	u16 *classes;		/* of each page */
	u64 counts[CLASSES];	/* pages */
	u32 keys[CLASSES];	/* of groups: pid, uid, name */
	unsigned groups;	/* classes used */
	u64 outside;		/* mapped pages that are no RAM: devices */
	u16 class;		/* of the process being read */
	struct skipped skipped;
	u64 read;
	struct cgroups cgroups;
	struct picture picture;
	u64 scale;
	u8 shade_of[CLASSES];
} m;

/* ---- RAM ---- */

static void
find_ram(void)
{
	int i;

	m.ranges = iomem_ram(m.ram, IOMEM_RANGES);
	if (m.ranges < 0 && errno == EPERM)
		die("%s/proc/iomem hides the addresses: needs CAP_SYS_ADMIN",
			root_dir);
	if (m.ranges <= 0)
		die("read %s/proc/iomem:", root_dir);
	for (i = 0; i < m.ranges; i++) {
		m.ram[i].start = (m.ram[i].start + page_size - 1) / page_size;
		m.ram[i].end /= page_size;
		m.first[i] = m.pages;
		if (m.ram[i].end > m.ram[i].start)
			m.pages += m.ram[i].end - m.ram[i].start;
	}
}

/* The page's place among all pages of RAM; -1 when it is no RAM. The range of
 * the last page is tried first. */
static inline s64
index_of(u64 pfn)
{
	int i;

	if (pfn >= m.ram[m.last].start && pfn < m.ram[m.last].end)
		return (s64)(m.first[m.last] + pfn - m.ram[m.last].start);
	for (i = 0; i < m.ranges; i++)
		if (pfn >= m.ram[i].start && pfn < m.ram[i].end) {
			m.last = i;
			return (s64)(m.first[i] + pfn - m.ram[i].start);
		}
	return -1;
}

static u64
address_of(u64 pixel)
{
	u64 page = pixel * m.scale;
	int i = m.ranges - 1;

	while (i && m.first[i] > page)
		i--;
	return (m.ram[i].start + page - m.first[i]) * page_size;
}

/* ---- by who maps it ---- */

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
	const struct range *r = &m.ram[m.last];

	return (struct window){ r->start, r->end - r->start,
		m.classes + m.first[m.last] };
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
		m.outside++;
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
	u16 class = m.class, *c;
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
		seen[slot].class = m.class;
		return 0;
	}
	if (seen[slot].class == m.class || seen[slot].class == SHARED)
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

static u16
class_for(u32 key)
{
	unsigned i;

	for (i = FIRST_GROUP; i < m.groups; i++)
		if (m.keys[i] == key)
			return (u16)i;
	if (m.groups == CLASSES)
		return CLASSES - 1;
	m.keys[m.groups] = key;
	return (u16)m.groups++;
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
		n = cgroup_of(&m.cgroups, s->pid, path, sizeof(path));
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
	m.class = is_mapped_picture() ? FIRST_GROUP : class_for(key_of(&subject));
	if (walk_process(&subject, &w) < 0)
		why = skip_of_errno();
	walk_close(&w);
	subject_close(&subject);
	return why;
}

static void
paint_processes(void)
{
	struct targets t;
	int pid;

	if (picture_ask.color == COLOR_CGROUP)
		cgroups_open(&m.cgroups);
	if (targets_open(&t) < 0)
		_exit(EXIT_FAILED);
	while (!stop_signal && targets_next(&t, &pid)) {
		enum skip why = paint_process(pid);

		m.skipped.count[why]++;
		m.read += why == SKIP_NOT;
	}
	targets_close(&t);
}

/* ---- by what it is for ---- */

static void
take_use(u64 pfn, u64 at, u64 flags)
{
	(void)pfn;
	m.classes[at] = use_of(flags);
}

static void
paint_flags(void (*take)(u64 pfn, u64 at, u64 flags))
{
	static u64 flags[BATCH];
	int fd = root_open("/proc/kpageflags", O_RDONLY), i;
	u64 pfn, want;
	ssize_t n, k;

	if (fd < 0)
		die("open %s/proc/kpageflags (needs root and "
			"CONFIG_PROC_PAGE_MONITOR):", root_dir);
	for (i = 0; i < m.ranges && !stop_signal; i++)
		for (pfn = m.ram[i].start; pfn < m.ram[i].end; pfn += (u64)n) {
			want = m.ram[i].end - pfn;
			n = kpage_read(fd, pfn, flags,
				want < BATCH ? want : BATCH);
			if (n <= 0)
				break;
			for (k = 0; k < n; k++)
				take(pfn + (u64)k, m.first[i] + pfn + (u64)k -
					m.ram[i].start, flags[k]);
		}
	close(fd);
}

/* ---- classes to colours ---- */

static void
count_classes(void)
{
	u64 i, four;

	/* Neighbours are mostly alike. */
	for (i = 0; i + 4 <= m.pages; i += 4) {
		memcpy(&four, &m.classes[i], sizeof(four));
		if (four == m.classes[i] * (~0ull / 0xffff)) {
			m.counts[m.classes[i]] += 4;
			continue;
		}
		m.counts[m.classes[i]]++;
		m.counts[m.classes[i + 1]]++;
		m.counts[m.classes[i + 2]]++;
		m.counts[m.classes[i + 3]]++;
	}
	for (; i < m.pages; i++)
		m.counts[m.classes[i]]++;
}

static void
add_shade(u32 class, const char *name, u32 rgb, char letter)
{
	unsigned shade = shade_add(&m.picture, name, rgb, letter);

	m.shade_of[class] = (u8)shade;
	m.picture.shades[shade].bytes += m.counts[class] * page_size;
}

static void
shades_of_uses(const struct use *table, unsigned n)
{
	unsigned i;

	for (i = 0; i < n; i++)
		if (m.counts[i])
			add_shade(i, table[i].name, table[i].rgb,
				table[i].letter);
}

static void
name_of_group(u32 key, char *name)
{
	struct procstat st;
	char user[USER_MAX];
	const char *path;
	size_t n;

	switch (picture_ask.color) {
	case COLOR_PROCESS:
		fmt_str(name, NAME_MAX_, "%u %s", key,
			procstat_read((int)key, &st) < 0 ? "(ended)" : st.comm);
		break;
	case COLOR_USER:
		fmt_str(name, NAME_MAX_, "%u %s", key, user_name(user, key));
		break;
	default:
		path = name_text(key);
		n = strlen(path);
		fmt_str(name, NAME_MAX_, "%s", n < 32 ? path : path + n - 31);
	}
}

static unsigned
largest_left(void)
{
	unsigned i, best = 0;

	for (i = FIRST_GROUP; i < m.groups; i++)
		if (!m.shade_of[i] && m.counts[i] &&
		    (!best || m.counts[i] > m.counts[best]))
			best = i;
	return best;
}

static void
shades_of_groups(void)
{
	static const u32 colors[LARGEST] = {
		0xff5050, 0x50b0ff, 0x60e060, 0xffc840, 0xc878ff, 0x40e8d0,
		0xff80c0, 0xb0d840, 0x5070ff, 0xff9040, 0x30a080, 0xd0a0ff,
		0xa06030, 0x90d0ff,
	};
	char name[NAME_MAX_];
	unsigned i, class, rest;

	for (i = 0; i < LARGEST && (class = largest_left()); i++) {
		name_of_group(m.keys[class], name);
		add_shade(class, name, colors[i], (char)('A' + i));
	}
	if (!largest_left())
		return;
	rest = shade_add(&m.picture, "smaller ones", 0x907860, '*');
	while ((class = largest_left())) {
		m.shade_of[class] = (u8)rest;
		m.picture.shades[rest].bytes += m.counts[class] * page_size;
	}
}

static void
make_shades(void)
{
	count_classes();
	if (picture_ask.color == COLOR_FLAGS) {
		shades_of_uses(uses, uses_count);
		return;
	}
	if (picture_ask.color == COLOR_ORDER) {
		shades_of_uses(orders, orders_count);
		return;
	}
	add_shade(NOT_MAPPED, "not mapped by any process", 0x282c38, '.');
	if (picture_ask.pid) {
		u16 other = class_for(0), his = class_for(1);

		add_shade(SHARED, "shared between processes", 0x807040, 's');
		add_shade(other, "mapped by others", 0x3c5070, 'o');
		add_shade(his, "of this process alone", 0xff5050, '#');
	} else if (picture_ask.color == COLOR_MAPPED) {
		add_shade(SHARED, "mapped more than once", 0xffc840, 's');
		add_shade(FIRST_GROUP, "mapped once", 0xff5050, '#');
	} else {
		add_shade(SHARED, "shared between groups", 0xe8e8e8, 's');
		shades_of_groups();
	}
}

/* ---- pixels ---- */

/* Of several pages the most frequent shade. */
static u8
majority(const u16 *classes, u64 n)
{
	u8 best = m.shade_of[classes[0]], shade;
	u32 counts[PALETTE_MAX];
	u64 i = 1;

	while (i < n && m.shade_of[classes[i]] == best)
		i++;
	if (i == n)
		return best;
	memset(counts, 0, sizeof(counts));
	for (i = 0; i < n; i++) {
		shade = m.shade_of[classes[i]];
		if (++counts[shade] > counts[best])
			best = shade;
	}
	return best;
}

static void
make_pixels(u8 *pixels)
{
	u64 i, at, left;

	for (i = 0; i < m.picture.canvas.pixels; i++) {
		at = i * m.scale;
		left = m.pages - at;
		pixels[i] = majority(m.classes + at,
			left < m.scale ? left : m.scale);
	}
}

static void
make_title(void)
{
	static const char *const by[COLORS] = {
		"who maps it", "process", "user", "control group", "use",
		"block size",
	};
	char host[65] = "", size[FMT_SIZE_MAX], pixel[FMT_SIZE_MAX];
	char when[FMT_TIME_MAX], pid[32];

	root_slurp("/proc/sys/kernel/hostname", host, sizeof(host));
	host[strcspn(host, "\n")] = 0;
	fmt_str(pid, sizeof(pid), "process %d", picture_ask.pid);
	fmt_str(m.picture.title, sizeof(m.picture.title),
		"Physical memory of %s by %s, %s: %s, a pixel is %s",
		*host ? host : "?", picture_ask.pid ? pid
		: by[picture_ask.color], fmt_time(when, (s64)(wall_ns() /
		1000000000)), fmt_size(size, m.pages * page_size),
		fmt_size(pixel, m.scale * page_size));
}

static void
reserve(struct arena *arena)
{
	u64 pixels;

	m.scale = picture_scale(m.pages);
	pixels = (m.pages + m.scale - 1) / m.scale;
	if (arena_open(arena, m.pages * 2 + pixels + 64) < 0)
		die("memory for the picture:");
	m.classes = arena_take(arena, m.pages * 2);
	m.picture.pixels = arena_take(arena, pixels);
	canvas_fit(&m.picture.canvas, pixels, picture_width());
	m.picture.address = address_of;
}

int
picture_sample(void)
{
	struct arena arena;
	int r;

	find_ram();
	reserve(&arena);
	m.groups = FIRST_GROUP;
	if (picture_ask.pid)
		class_for(0);
	if (picture_ask.color == COLOR_FLAGS) {
		paint_flags(take_use);
	} else if (picture_ask.color == COLOR_ORDER) {
		frag_open(m.classes);
		paint_flags(frag_take);
		frag_end();
	} else {
		paint_processes();
	}
	if (stop_signal)
		return warn("stopped by a signal: no picture");
	make_shades();
	make_pixels(m.picture.pixels);
	make_title();
	r = picture_ask.term ? draw_term(&m.picture) : draw_png(&m.picture);
	arena_close(&arena);
	out_flush(&report);
	if (m.outside)
		note("%s: %lu mapped pages are no RAM (devices): not shown",
			applet_name, m.outside);
	return r < 0 ? EXIT_FAILED : skipped_tell(&m.skipped, m.read);
}
