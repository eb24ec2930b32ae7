/* picture.c - physical memory as a picture: each page of RAM gets a class, by
 * who has it (owners.c) or by what it is for; classes become colours
 * (shades.c), and pages pixels. */
#include "physical.h"

enum { BATCH = 4096 };

struct physical phys;

/* ---- RAM ---- */

static void
find_ram(void)
{
	struct range *r;
	int i;

	phys.ranges = iomem_ram(phys.ram, IOMEM_RANGES);
	if (phys.ranges < 0 && errno == EPERM)
		die("%s/proc/iomem hides the addresses: needs CAP_SYS_ADMIN",
			root_dir);
	if (phys.ranges <= 0)
		die("read %s/proc/iomem:", root_dir);
	for (i = 0; i < phys.ranges; i++) {
		r = &phys.ram[i];
		r->start = (r->start + page_size - 1) / page_size;
		r->end /= page_size;
		phys.first[i] = phys.pages;
		if (r->end > r->start)
			phys.pages += r->end - r->start;
	}
}

static u64
address_of(u64 pixel)
{
	u64 page = pixel * phys.scale;
	int i = phys.ranges - 1;

	while (i && phys.first[i] > page)
		i--;
	return (phys.ram[i].start + page - phys.first[i]) * page_size;
}

/* ---- by what it is for ---- */

static void
take_use(u64 pfn, u64 at, u64 flags)
{
	(void)pfn;
	phys.classes[at] = use_of(flags);
}

static void
paint_flags(void (*take)(u64 pfn, u64 at, u64 flags))
{
	static u64 flags[BATCH];
	int fd = root_open("/proc/kpageflags", O_RDONLY), i;
	u64 pfn, end, at;
	ssize_t n, k;

	if (fd < 0)
		die("open %s/proc/kpageflags (needs root and "
			"CONFIG_PROC_PAGE_MONITOR):", root_dir);
	for (i = 0; i < phys.ranges && !stop_signal; i++) {
		end = phys.ram[i].end;
		at = phys.first[i];
		for (pfn = phys.ram[i].start; pfn < end; pfn += (u64)n) {
			n = kpage_read(fd, pfn, flags,
				end - pfn < BATCH ? end - pfn : BATCH);
			if (n <= 0)
				break;
			for (k = 0; k < n; k++)
				take(pfn + (u64)k, at++, flags[k]);
		}
	}
	close(fd);
}

/* ---- pixels ---- */

static void
count_classes(void)
{
	u64 i, four;

	/* Neighbours are mostly alike. */
	for (i = 0; i + 4 <= phys.pages; i += 4) {
		memcpy(&four, &phys.classes[i], sizeof(four));
		if (four == phys.classes[i] * (~0ull / 0xffff)) {
			phys.counts[phys.classes[i]] += 4;
			continue;
		}
		phys.counts[phys.classes[i]]++;
		phys.counts[phys.classes[i + 1]]++;
		phys.counts[phys.classes[i + 2]]++;
		phys.counts[phys.classes[i + 3]]++;
	}
	for (; i < phys.pages; i++)
		phys.counts[phys.classes[i]]++;
}

/* Of several pages the most frequent shade. */
static u8
majority(const u16 *classes, u64 n)
{
	u8 best = phys.shade_of[classes[0]], shade;
	u32 counts[PALETTE_MAX];
	u64 i = 1;

	while (i < n && phys.shade_of[classes[i]] == best)
		i++;
	if (i == n)
		return best;
	memset(counts, 0, sizeof(counts));
	for (i = 0; i < n; i++) {
		shade = phys.shade_of[classes[i]];
		if (++counts[shade] > counts[best])
			best = shade;
	}
	return best;
}

static void
make_pixels(u8 *pixels)
{
	u64 i, at, left;

	for (i = 0; i < phys.picture.canvas.pixels; i++) {
		at = i * phys.scale;
		left = phys.pages - at;
		pixels[i] = majority(phys.classes + at,
			left < phys.scale ? left : phys.scale);
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
	fmt_str(phys.picture.title, sizeof(phys.picture.title),
		"Physical memory of %s by %s, %s: %s, a pixel is %s",
		*host ? host : "?", picture_ask.pid ? pid
		: by[picture_ask.color], fmt_time(when, (s64)(wall_ns() /
		1000000000)), fmt_size(size, phys.pages * page_size),
		fmt_size(pixel, phys.scale * page_size));
}

static void
reserve(struct arena *arena)
{
	u64 pixels;

	phys.scale = picture_scale(phys.pages);
	pixels = (phys.pages + phys.scale - 1) / phys.scale;
	if (arena_open(arena, phys.pages * 2 + pixels + 64) < 0)
		die("memory for the picture:");
	phys.classes = arena_take(arena, phys.pages * 2);
	phys.picture.pixels = arena_take(arena, pixels);
	canvas_fit(&phys.picture.canvas, pixels, picture_width());
	phys.picture.address = address_of;
}

int
picture_sample(void)
{
	struct arena arena;
	int r;

	find_ram();
	reserve(&arena);
	phys.groups = FIRST_GROUP;
	if (picture_ask.pid)
		owners_class(0);
	if (picture_ask.color == COLOR_FLAGS) {
		paint_flags(take_use);
	} else if (picture_ask.color == COLOR_ORDER) {
		frag_open(phys.classes);
		paint_flags(frag_take);
		frag_end();
	} else {
		owners_paint();
	}
	if (stop_signal)
		return warn("stopped by a signal: no picture");
	if (phys.why != SKIP_NOT) {
		skip_tell(picture_ask.pid, phys.why);
		return EXIT_FAILED;
	}
	count_classes();
	shades_make();
	make_pixels(phys.picture.pixels);
	make_title();
	r = picture_ask.term ? draw_term(&phys.picture)
		: draw_png(&phys.picture);
	arena_close(&arena);
	out_flush(&report);
	if (phys.outside)
		note("%s: %lu mapped pages are no RAM (devices): not shown",
			applet_name, phys.outside);
	return r < 0 ? EXIT_FAILED : skipped_tell(&phys.skipped, phys.read);
}
