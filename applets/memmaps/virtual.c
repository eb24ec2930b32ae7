/* virtual.c - the address space of a process: its regions one after the other,
 * without the holes between. */
#include "picture.h"
#include "walk.h"

enum { HUGE_PAGES = 512 };	/* 2 MiB of 4 KiB pages */

/* In the order of importance: of a pixel's pages the highest is shown. */
enum { V_ABSENT, V_SWAPPED, V_RESIDENT, V_HUGE, V_STATES };

static struct {
	struct picture picture;
	u64 pages, scale;
	u64 first, base;	/* of the region: page number, index */
	u64 counts[V_STATES];
	unsigned shades[V_STATES];
	int flags_fd;
	struct arena starts;	/* of regions, for the ticks */
	size_t regions;
} v;
struct start {
	u64 index, address;
};

static u64
address_of(u64 pixel)
{
	const struct start *s = (void *)v.starts.base;
	size_t i = v.regions - 1;
	u64 page = pixel * v.scale;

	while (i && s[i].index > page)
		i--;
	return s[i].address + (page - s[i].index) * page_size;
}

static void
set_pixel(u64 vpn, unsigned state)
{
	u8 *pixel = &v.picture.pixels[(v.base + vpn - v.first) / v.scale];

	v.counts[state]++;
	if (*pixel < state)
		*pixel = (u8)state;
}

/* 2 MiB in one piece, and the kernel says that it is a huge page. */
static int
is_huge(u64 vpn, const u64 *e, size_t left)
{
	u64 flags, pfn = PM_PFN(e[0]);
	size_t i;

	if (vpn % HUGE_PAGES || left < HUGE_PAGES || !pfn || pfn % HUGE_PAGES)
		return 0;
	for (i = 1; i < HUGE_PAGES; i++)
		if (!(e[i] & PM_PRESENT) || PM_PFN(e[i]) != pfn + i)
			return 0;
	return kpage_read(v.flags_fd, pfn, &flags, 1) == 1 &&
		flags & (KPF(THP) | KPF(HUGE));
}

static void
take_entries(void *arg, u64 vpn, const u64 *e, size_t n)
{
	size_t i, k;

	(void)arg;
	for (i = 0; i < n; i++) {
		if (e[i] & PM_PRESENT && is_huge(vpn + i, e + i, n - i)) {
			for (k = 0; k < HUGE_PAGES; k++)
				set_pixel(vpn + i + k, V_HUGE);
			i += HUGE_PAGES - 1;
		} else if (e[i] & PM_PRESENT) {
			set_pixel(vpn + i, V_RESIDENT);
		} else if (e[i] & PM_SWAP && !(e[i] & PM_GUARD) &&
			   PM_SWAP_TYPE(e[i]) < SWAP_TYPES_MAX) {
			set_pixel(vpn + i, V_SWAPPED);
		}
	}
}

/* The regions' places, in a first pass over maps. */
static void
place_regions(struct subject *s)
{
	static struct region g;
	struct start *start;

	while (subject_next(s, &g) > 0) {
		if (g.type == REGION_VSYSCALL)
			continue;
		start = arena_take(&v.starts, sizeof(*start));
		if (!start)
			die("too many regions for a picture");
		*start = (struct start){ v.pages, g.vma.start };
		v.regions++;
		v.pages += (g.vma.end - g.vma.start) / page_size;
	}
}

static void
add_shade(unsigned state, const char *name, u32 rgb, char letter)
{
	v.shades[state] = shade_add(&v.picture, name, rgb, letter);
	v.picture.shades[v.shades[state]].bytes = v.counts[state] * page_size;
}

static void
finish_picture(const struct subject *s)
{
	struct picture *p = &v.picture;
	char size[FMT_SIZE_MAX], pixel[FMT_SIZE_MAX];
	u64 i;

	v.counts[V_ABSENT] = v.pages - v.counts[V_SWAPPED] -
		v.counts[V_RESIDENT] - v.counts[V_HUGE];
	add_shade(V_ABSENT, "absent", 0x282c38, '.');
	add_shade(V_SWAPPED, "swapped", 0x50b0ff, 's');
	add_shade(V_RESIDENT, "resident", 0xff5050, '#');
	add_shade(V_HUGE, "resident, huge pages", 0xffc840, 'H');
	for (i = 0; i < p->canvas.pixels; i++)
		p->pixels[i] = (u8)v.shades[p->pixels[i]];
	p->address = address_of;
	fmt_str(p->title, sizeof(p->title), "Address space of %d %s: %s in "
		"%zu regions, a pixel is %s", s->pid, s->stat.comm,
		fmt_size(size, v.pages * page_size), v.regions,
		fmt_size(pixel, v.scale * page_size));
}

static int
walk_regions(struct subject *s, struct walk *w)
{
	static struct region g;
	const struct start *start = (void *)v.starts.base;
	size_t i = 0;
	u64 end;

	/* Only what was there in the first pass has a place. */
	while (i < v.regions && subject_next(s, &g) > 0) {
		while (i < v.regions && start[i].address < g.vma.start)
			i++;
		if (i == v.regions || start[i].address != g.vma.start)
			continue;
		v.first = g.vma.start / page_size;
		v.base = start[i].index;
		end = v.first + (i + 1 < v.regions ? start[i + 1].index
			: v.pages) - v.base;
		if (end > g.vma.end / page_size)
			end = g.vma.end / page_size;
		if (walk_pages(w, v.first, end) < 0)
			return -1;
		i++;
	}
	return 0;
}

int
virtual_sample(void)
{
	enum { REGIONS_MAX = 4 << 20 };
	static struct subject s;
	struct walk w = { .entries = take_entries };
	struct arena arena;
	enum skip why;
	int pid = picture_ask.pid, r;

	if (arena_open(&v.starts, REGIONS_MAX * sizeof(struct start)) < 0)
		die("memory for the picture:");
	why = subject_open(&s, pid);
	if (why == SKIP_NOT) {
		place_regions(&s);
		subject_close(&s);
		why = v.regions ? subject_open(&s, pid) : SKIP_VANISHED;
	}
	if (why == SKIP_NOT && walk_open(&w, pid, s.stat.rss * page_size) < 0)
		why = skip_of_errno();
	if (why != SKIP_NOT) {
		skip_tell(pid, why);
		return EXIT_FAILED;
	}
	v.scale = picture_scale(v.pages);
	canvas_fit(&v.picture.canvas, (v.pages + v.scale - 1) / v.scale,
		picture_width());
	if (arena_open(&arena, v.picture.canvas.pixels) < 0)
		die("memory for the picture:");
	v.picture.pixels = arena.base;
	v.flags_fd = root_open("/proc/kpageflags", O_RDONLY);
	r = walk_regions(&s, &w);
	subject_close(&s);
	finish_picture(&s);
	if (r < 0)
		warn("read %s/proc/%d/pagemap:", root_dir, pid);
	if ((picture_ask.term ? draw_term(&v.picture)
	     : draw_png(&v.picture)) < 0)
		return EXIT_FAILED;
	return r < 0 || subject_ended(&s) ? EXIT_PARTIAL : EXIT_DONE;
}
