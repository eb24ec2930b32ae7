/* vmap.c - vmalloc areas: pages that are allocated in bulk have no event of
 * their own, so the area's event stands for them (6.3 and later), or the
 * difference of /proc/vmallocinfo tells how much was not seen. */
#include "memtrack.h"

enum { AREAS_MAX = 16384, CALLERS_MAX = 1024 };	/* the first a power of 2 */

static struct area {
	u64 addr;		/* 0 = free */
	u32 leaf, pages;
} areas[AREAS_MAX];
static u32 area_count;

static struct vmap_caller callers[CALLERS_MAX];
static u32 caller_count;

/* ---- areas by their events ---- */

static u32
slot_of(u64 addr)
{
	return (u32)((addr >> 12) * 0x9e3779b97f4a7c15 >> 40) % AREAS_MAX;
}

static u32
area_find(u64 addr)
{
	u32 i = slot_of(addr);

	while (areas[i].addr && areas[i].addr != addr)
		i = (i + 1) % AREAS_MAX;
	return i;
}

/* Takes an entry out, and moves up those behind it that it had displaced. */
static void
area_remove(u32 hole)
{
	u32 i = hole, home;

	area_count--;
	for (;;) {
		areas[hole].addr = 0;
		do {
			i = (i + 1) % AREAS_MAX;
			if (!areas[i].addr)
				return;
			home = slot_of(areas[i].addr);
		} while ((i - home) % AREAS_MAX < (i - hole) % AREAS_MAX);
		areas[hole] = areas[i];
		hole = i;
	}
}

void
vmap_free(u64 addr)
{
	u32 i;

	if (!addr)
		return;
	i = area_find(addr);
	if (!areas[i].addr)
		return;
	leaf_sub(areas[i].leaf, areas[i].pages);
	area_remove(i);
}

void
vmap_alloc(u64 addr, u32 leaf, u64 pages, u64 ts)
{
	u32 i;

	if (!addr || pages > UINT32_MAX)
		return;
	vmap_free(addr);	/* its free was lost */
	if (area_count >= AREAS_MAX / 4 * 3) {
		counts.overflow++;
		return;
	}
	i = area_find(addr);
	areas[i] = (struct area){ addr, leaf, (u32)pages };
	area_count++;
	leaf_add(leaf, pages, ts);
}

/* ---- /proc/vmallocinfo ---- */

/* "0xffffc900-0xffffc901    4096 func+0x1/0x2 [mod] pages=1 vmalloc N0=1": the
 * caller is NUL-ended within the line. */
static int
line_parse(char *line, u64 *start, u64 *end, const char **caller, u64 *pages)
{
	const char *p = line + 2, *found;
	char *name, *stop;
	u64 size;

	*pages = 0;
	if (strncmp(line, "0x", 2) || scan_hex(&p, start) < 0 ||
	    strncmp(p, "-0x", 3) || (p += 3, scan_hex(&p, end) < 0) ||
	    scan_u64(&p, &size) < 0)
		return -1;
	found = strstr(p, " pages=");
	if (found) {
		found += 7;
		scan_u64(&found, pages);
	}
	p += strspn(p, " ");
	name = line + (p - line);
	stop = name + strcspn(name, " ");
	if (!strncmp(stop, " [", 2))
		stop += 1 + strcspn(stop + 1, " ");
	*stop = 0;
	*caller = name;
	return 0;
}

int
vmap_areas(void (*each)(u64 start, u64 end, u64 pages, const char *caller))
{
	static char buf[8192];
	struct lines l;
	char *line;
	const char *caller;
	size_t n;
	u64 start, end, pages;
	int fd = root_open("/proc/vmallocinfo", O_RDONLY);

	if (fd < 0)
		return -1;
	lines_open(&l, fd, buf, sizeof(buf));
	while ((line = lines_next(&l, &n)))
		if (!line_parse(line, &start, &end, &caller, &pages))
			each(start, end, pages, caller);
	close(fd);
	return 0;
}

static void
count_area(u64 start, u64 end, u64 pages, const char *caller)
{
	u32 i;

	(void)start;
	(void)end;
	if (!pages)
		return;
	for (i = 0; i < caller_count; i++)
		if (!strncmp(callers[i].name, caller,
				sizeof(callers[i].name) - 1))
			break;
	if (i == CALLERS_MAX) {
		i--;
		memcpy(callers[i].name, "(others)", 9);
	}
	if (i == caller_count) {
		caller_count++;
		fmt_str(callers[i].name, sizeof(callers[i].name), "%s",
			caller);
	}
	callers[i].now += pages;
}

void
vmap_refresh(void)
{
	u32 i;

	for (i = 0; i < caller_count; i++)
		callers[i].now = 0;
	vmap_areas(count_area);
}

void
vmap_open(void)
{
	u32 i;

	vmap_refresh();
	for (i = 0; i < caller_count; i++)
		callers[i].before = callers[i].now;
}

s64
vmap_grown(void)
{
	s64 sum = 0;
	u32 i;

	for (i = 0; i < caller_count; i++)
		sum += (s64)(callers[i].now - callers[i].before);
	return sum;
}

const struct vmap_caller *
vmap_caller(u32 i)
{
	return i < caller_count ? &callers[i] : NULL;
}
