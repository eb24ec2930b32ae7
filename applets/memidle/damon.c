/* damon.c - DAMON by its sysfs files (mm/damon/sysfs.c): a kernel thread finds
 * regions that are accessed alike, by looking at one page of each now and then.
 * There is one set of kdamonds for the whole machine. If anybody has made any,
 * they are not touched.
 */
#include "memidle.h"

#define KDAMONDS "/sys/kernel/mm/damon/admin/kdamonds"
#define SCHEME "contexts/0/schemes/0/"

enum {
	SAMPLE_US = 5000, AGGREGATE_US = 100000, REGIONS_MIN = 100,
	REGIONS_LIMIT = 1000, REGIONS_ROOM = 2048,
	WARM_UP = 20,		/* aggregations until regions have settled */
};
struct found_region {
	u64 start, end;		/* pages */
	u64 accesses, age;	/* age in aggregations */
};
static struct found_region map[REGIONS_ROOM];
static unsigned map_count;
static const struct found_region *last;	/* where the walk is */
static u64 started_at, marked_at, wanted_age;
static int flags_fd;
static u64 ram_end;		/* page frame */

static void
set_file(const char *name, const char *text)
{
	char path[256];

	fmt_str(path, sizeof(path), KDAMONDS "/0/%s", name);
	if (write_text(path, text) < 0)
		die("write %s to %s:", text, path);
}

static void
set_number(const char *name, u64 v)
{
	char text[24];

	fmt_str(text, sizeof(text), "%lu", v);
	set_file(name, text);
}

/* Everything matches: the scheme only shows the regions. */
static void
set_scheme(void)
{
	static const char *const ranges[] = { "sz", "nr_accesses", "age" };
	char name[128];
	unsigned i;

	set_number("contexts/0/schemes/nr_schemes", 1);
	set_file(SCHEME "action", "stat");
	for (i = 0; i < ARRAY_LEN(ranges); i++) {
		fmt_str(name, sizeof(name), SCHEME "access_pattern/%s/min",
			ranges[i]);
		set_number(name, 0);
		fmt_str(name, sizeof(name), SCHEME "access_pattern/%s/max",
			ranges[i]);
		set_number(name, i ? UINT_MAX : ~0ull);
	}
}

/* The machine's memory, by physical addresses. */
static void
target_ram(void)
{
	static struct range ram[IOMEM_RANGES];
	int n = iomem_ram(ram, IOMEM_RANGES), i;
	char name[96];

	if (n < 0)
		die("read /proc/iomem:");
	flags_fd = root_open("/proc/kpageflags", O_RDONLY);
	if (flags_fd < 0)
		die("open /proc/kpageflags:");
	set_number("contexts/0/targets/0/regions/nr_regions", (u64)n);
	for (i = 0; i < n; i++) {
		fmt_str(name, sizeof(name), "contexts/0/targets/0/regions/%d/"
			"start", i);
		set_number(name, ram[i].start);
		fmt_str(name, sizeof(name), "contexts/0/targets/0/regions/%d/"
			"end", i);
		set_number(name, ram[i].end);
		ram_end = ram[i].end >> page_shift;
	}
}

/* One context in one kdamond; there are none yet. */
static void
make_context(void)
{
	keep_file(KDAMONDS "/nr_kdamonds", "0");
	if (write_text(KDAMONDS "/nr_kdamonds", "1") < 0)
		die("write " KDAMONDS "/nr_kdamonds:");
	set_number("contexts/nr_contexts", 1);
}

int
damon_operations(void)
{
	char text[64] = "";

	if (kdamond_owner())
		return 0;
	make_context();
	root_slurp(KDAMONDS "/0/contexts/0/avail_operations", text,
		sizeof(text));
	write_text(KDAMONDS "/nr_kdamonds", "0");
	keep_forget();
	return (strstr(text, "vaddr") ? DAMON_VADDR : 0) |
		(strstr(text, "paddr") ? DAMON_PADDR : 0);
}

static void
open_backend(void)
{
	int physical = idle.kind == TARGET_SYSTEM;

	if (!physical && watched_count != 1)
		die("damon does not tell whose region it found: name one "
			"process");
	if (kdamond_owner())
		die("kdamonds are in use by somebody else");
	make_context();
	set_file("contexts/0/operations", physical ? "paddr" : "vaddr");
	set_number("contexts/0/monitoring_attrs/intervals/sample_us",
		SAMPLE_US);
	set_number("contexts/0/monitoring_attrs/intervals/aggr_us",
		AGGREGATE_US);
	/* min must not be above max in between */
	set_number("contexts/0/monitoring_attrs/nr_regions/max",
		REGIONS_LIMIT);
	set_number("contexts/0/monitoring_attrs/nr_regions/min", REGIONS_MIN);
	set_number("contexts/0/targets/nr_targets", 1);
	if (physical)
		target_ram();
	else
		set_number("contexts/0/targets/0/pid_target",
			(u64)watched[0].pid);
	set_scheme();
	keep_file(KDAMONDS "/0/state", "off");
	set_file("state", "on");
	started_at = now_ns();
	if (!idle.command)
		sleep_until(now_ns() + WARM_UP * AGGREGATE_US * 1000ull);
}

static void
set(void)
{
	marked_at = now_ns();
}

static int
get_number(unsigned i, const char *name, u64 *v)
{
	char path[256], buf[32];
	const char *s = buf;

	fmt_str(path, sizeof(path), KDAMONDS "/0/" SCHEME
		"tried_regions/%u/%s", i, name);
	return root_slurp(path, buf, sizeof(buf)) > 0 ? scan_u64(&s, v) : -1;
}

static int
map_order(const void *a, const void *b, const void *arg)
{
	const struct found_region *x = a, *y = b;

	(void)arg;
	return x->start < y->start ? -1 : x->start > y->start;
}

static void
load_regions(void)
{
	struct found_region r;

	while (map_count < REGIONS_ROOM &&
	       !get_number(map_count, "start", &r.start) &&
	       !get_number(map_count, "end", &r.end) &&
	       !get_number(map_count, "nr_accesses", &r.accesses) &&
	       !get_number(map_count, "age", &r.age)) {
		r.start >>= page_shift;
		r.end >>= page_shift;
		map[map_count++] = r;
	}
	sort_items(map, map_count, sizeof(*map), map_order, NULL);
}

/* The kernel answers at the end of its interval. It may have no regions yet
 * when the machine is busy; when the process ended, so has the kdamond. */
static void
load(void)
{
	int tries;

	map_count = 0;
	for (tries = 0; tries < 20 && !map_count && kdamond_owner() > 0;
	     tries++) {
		if (tries)
			sleep_until(now_ns() + AGGREGATE_US * 1000ull);
		if (!write_text(KDAMONDS "/0/state",
				"update_schemes_tried_regions"))
			load_regions();
	}
}

static const struct found_region *
region_of(u64 vpn)
{
	unsigned low = 0, high = map_count;

	while (low < high) {
		unsigned mid = (low + high) / 2;

		if (vpn >= map[mid].end)
			low = mid + 1;
		else
			high = mid;
	}
	return low < map_count && vpn >= map[low].start ? &map[low] : NULL;
}

/* Idle: no access seen for as long as the interval is. */
static enum page_state
state(u64 vpn, u64 e, u64 *n)
{
	const struct found_region *r = last;

	if (!(e & PM_PRESENT))
		return PAGE_SWAP;
	if (!r || vpn < r->start || vpn >= r->end)
		last = r = region_of(vpn);
	if (!r) {
		*n = 1;
		return PAGE_UNKNOWN;
	}
	if (*n > r->end - vpn)
		*n = r->end - vpn;
	return r->accesses || r->age + 1 < wanted_age ? PAGE_ACTIVE : PAGE_IDLE;
}

/* Aggregations since the mark. On a busy machine one takes longer than it
 * should; how long, the region tells that has been as it is for longest: since
 * the start, as good as always. */
static u64
aggregations(u64 now)
{
	u64 oldest = 1, took = now - started_at;
	unsigned i;

	for (i = 0; i < map_count; i++)
		if (map[i].age > oldest)
			oldest = map[i].age;
	took /= oldest;
	if (took < AGGREGATE_US * 1000ull)
		took = AGGREGATE_US * 1000ull;
	return (now - marked_at) / took;
}

/* Of the machine's frames, those of users: as page_idle counts them. */
static void
read_frames(struct mapping *r)
{
	static u64 flags[BLOCK];
	enum page_state now = PAGE_UNTRACKED;
	int user = 0;
	u64 pfn, one;
	ssize_t n, i;

	for (pfn = 0; pfn < ram_end; pfn += BLOCK) {
		n = kpage_read(flags_fd, pfn, flags, BLOCK);
		for (i = 0; i < n; i++) {
			one = 1;
			if (!(flags[i] & KPF(COMPOUND_TAIL))) {
				user = flags_tracked(flags[i]) ||
					flags[i] & KPF(HUGE);
				now = flags_tracked(flags[i])
					? state(pfn + i, PM_PRESENT, &one)
					: PAGE_UNTRACKED;
			}
			if (user)
				emit_pages(r, pfn + i, 1, now);
		}
		pages_walked += BLOCK;
		throttle();
	}
}

static void
read_physical(struct sample *s)
{
	static const char name[] = "[page frames]";
	struct mapping r = {
		.pages = ram_end, .name = name, .name_len = sizeof(name) - 1,
	};
	struct mapping *frames = emit_region(&r);

	if (!frames)
		return;
	read_frames(frames);
	emit_region_end(frames);
	s->total = frames->n;
}

static void
read_sample(struct sample *s)
{
	load();
	s->read_at = now_ns();
	last = NULL;
	wanted_age = aggregations(s->read_at);
	if (idle.kind == TARGET_SYSTEM)
		read_physical(s);
	else
		read_processes(s, state, NULL);
}

static u64
memory(void)
{
	return sizeof(map);
}

const struct backend_ops damon_ops = {
	"damon", open_backend, set, read_sample, memory,
};
