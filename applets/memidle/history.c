/* history.c - for each page the number of samples since it was last touched,
 * one byte: from it come ages and reuse distances, without a list of what was
 * touched when.
 *
 * The bytes lie in blocks of 512 pages of one process, found by a hash. A sweep
 * over all of them at a sample's begin makes every page a sample older and
 * counts how many there are of each age; then only what is touched is visited.
 */
#include "memidle.h"

enum {
	AREA = 512,		/* pages of a block */
	OLDEST = 255,		/* and older */
	SLACK = 4096,		/* blocks for pages that come, or lie thin */
};
struct area {
	u64 key;		/* pid << 40 | page number / AREA; 0 = free */
	u8 age[AREA];		/* 0 never, 1 this sample, 2 the one before.. */
};

static struct arena arena;
static struct area *areas;
static u32 *table;		/* hash: index + 1 */
static u64 area_count, area_max, table_size;
static int full;

static u64 times[OLDEST + 1];	/* of the last samples, by number */
static u64 number;
static int pid;

/* ---- ages ---- */

static u64 edges[AGES_MAX];	/* ns, ascending */
static char edge_names[AGES_MAX][16];
static unsigned edge_count;
static u64 age_pages[AGES_MAX];		/* of the last sample with pages */
static u64 counting[AGES_MAX];		/* of this one */
static u8 bucket_of[OLDEST + 1];	/* by a page's byte */

/* ---- reuse ---- */

static u64 population[OLDEST + 1];	/* pages by byte, after the sweep */
static u64 reused[OLDEST + 1];	/* pages of this sample by byte before */
static u64 lower[DISTANCES], upper[DISTANCES], cold, accesses;

static void
parse_ages(const char *list)
{
	size_t n;

	do {
		n = strcspn(list, ",");
		if (edge_count == AGES_MAX || n >= sizeof(edge_names[0]))
			usage_die("--ages: more than %d bounds, or a bound "
				"that is too long", AGES_MAX);
		fmt_str(edge_names[edge_count], sizeof(edge_names[0]), "%.*s",
			(int)n, list);
		edges[edge_count] = xparse_time("--ages",
			edge_names[edge_count], 1000000000);
		if (edge_count && edges[edge_count] <= edges[edge_count - 1])
			usage_die("--ages: the bounds are to ascend");
		edge_count++;
		list += n;
	} while (*list++);
}

/* Before anything is opened: a wrong list is a wrong command line. */
void
history_ages(const char *list)
{
	edge_count = 0;
	parse_ages(list);
}

void
history_open(u64 pages)
{
	area_max = pages / AREA + 1 + SLACK;
	for (table_size = 1024; table_size < area_max * 2; table_size *= 2)
		;
	if (arena_open(&arena, area_max * sizeof(*areas) +
			table_size * sizeof(*table) + 64) < 0)
		die("memory for a byte a page:");
	areas = arena_take(&arena, area_max * sizeof(*areas));
	table = arena_take(&arena, table_size * sizeof(*table));
}

/* What is going to be used, when the pages lie dense. */
u64
history_memory(void)
{
	return arena.size ? (area_max - SLACK) * sizeof(*areas) +
		table_size * sizeof(*table) : 0;
}

/* The block's bytes; NULL when there is no room for it. */
static u8 *
area_of(u64 vpn)
{
	u64 key = (u64)(unsigned)pid << 40 | (vpn / AREA + 1);
	u64 at = key * 0x9e3779b97f4a7c15u >> 20;

	for (;; at++) {
		u32 *slot = &table[at & (table_size - 1)];

		if (*slot && areas[*slot - 1].key == key)
			return areas[*slot - 1].age;
		if (*slot)
			continue;
		if (area_count == area_max) {
			full = 1;
			return NULL;
		}
		areas[area_count].key = key;
		*slot = (u32)++area_count;
		return areas[area_count - 1].age;
	}
}

/* ---- a sample ---- */

static void
sweep(void)
{
	u64 i;
	unsigned k;

	memset(population, 0, sizeof(population));
	for (i = 0; i < area_count; i++)
		for (k = 0; k < AREA; k++) {
			u8 *age = &areas[i].age[k];

			*age += *age && *age < OLDEST;
			population[*age]++;
		}
}

/* How long a page with this byte has not been touched: since the end of the
 * interval in which it was; a page never seen touched, since the start. */
static u64
age_time(unsigned byte, u64 now)
{
	u64 ago = byte ? byte - 1 : number;

	if (!byte)
		return now;
	if (ago > number)
		ago = number;
	return now - times[(number - ago) % ARRAY_LEN(times)];
}

static void
map_ages(u64 now)
{
	unsigned byte, b;

	memset(counting, 0, sizeof(counting));
	for (byte = 0; byte <= OLDEST; byte++) {
		u64 age = age_time(byte, now);

		for (b = edge_count; b > 1 && edges[b - 1] > age; b--)
			;
		bucket_of[byte] = (u8)(b ? b - 1 : 0);
	}
}

void
history_begin(u64 time)
{
	times[number % ARRAY_LEN(times)] = time;
	sweep();
	map_ages(time);
	memset(reused, 0, sizeof(reused));
}

void
history_region(const struct mapping *r)
{
	pid = r->pid;
}

static void
touch_pages(u8 *age, u64 n)
{
	u64 i;

	for (i = 0; i < n; i++) {
		reused[age[i]]++;
		age[i] = 1;
	}
	counting[0] += n;
}

static void
idle_pages(const u8 *age, u64 n)
{
	u64 i;

	for (i = 0; i < n; i++)
		counting[bucket_of[age[i]]]++;
}

void
history_run(u64 vpn, u64 count, enum page_state state)
{
	u64 n;
	u8 *age;

	if (state != PAGE_ACTIVE && state != PAGE_WRITTEN &&
	    state != PAGE_IDLE)
		return;
	for (; count; count -= n, vpn += n) {
		n = AREA - vpn % AREA;
		if (n > count)
			n = count;
		age = area_of(vpn);
		if (!age)
			continue;
		if (state == PAGE_IDLE)
			idle_pages(age + vpn % AREA, n);
		else
			touch_pages(age + vpn % AREA, n);
	}
}

/* 0 -> 0, 1 -> 1, 2..3 -> 2, 4..7 -> 3: bucket b holds [2^(b-1), 2^b). */
static unsigned
bucket(u64 distance)
{
	unsigned b = distance ? 64 - (unsigned)__builtin_clzll(distance) : 0;

	return b < DISTANCES ? b : DISTANCES - 1;
}

/* Page p was last touched in sample i and is touched again in j. Surely between
 * the two: every page last touched after i and before j. Perhaps: all of i's
 * and j's others too. All pages of one byte share i, and so both bounds. */
void
history_end(void)
{
	u64 between = 0, known = 0, others = 0;
	unsigned byte, b;

	/* a process that ended has no pages, but it had */
	for (b = 0; b < edge_count && !counting[b]; b++)
		;
	if (b < edge_count)
		memcpy(age_pages, counting, sizeof(counting));
	for (byte = 1; byte <= OLDEST; byte++)
		others += reused[byte];
	others += reused[0];
	cold += reused[0];
	accesses += others;
	/* others: pages of this sample that are older than byte, or new */
	for (byte = 2; byte <= OLDEST; byte++) {
		known += population[byte];
		others -= reused[byte];
		if (reused[byte]) {
			lower[bucket(between)] += reused[byte];
			upper[bucket(known + others - 1)] += reused[byte];
		}
		between += population[byte];
	}
	number++;
}

/* ---- the end ---- */

static void
print_ages(struct out *o)
{
	static const struct col cols[] = {
		{ "idle_for", -12, COL_TEXT }, { "pages", 10, COL_COUNT },
		{ "size", 10, COL_BYTES }, { "percent", 8, COL_FIXED, 1 },
	};
	struct rows r;
	u64 sum = 0;
	unsigned b;
	char name[24];

	for (b = 0; b < edge_count; b++)
		sum += age_pages[b];
	out_char(o, '\n');
	rows_open(&r, o, ROWS_TABLE, cols, ARRAY_LEN(cols));
	r.bytes = idle.bytes;
	rows_pass(&r);
	for (b = 0; b < edge_count; b++) {
		fmt_str(name, sizeof(name), ">= %s", edge_names[b]);
		rows_text(&r, name);
		rows_u64(&r, age_pages[b]);
		rows_u64(&r, age_pages[b] << page_shift);
		rows_u64(&r, sum ? age_pages[b] * 1000 / sum : 0);
		rows_end(&r);
	}
}

static u64
distance_sum(const u64 *histogram)
{
	u64 sum = 0;
	unsigned b;

	for (b = 0; b < DISTANCES; b++)
		sum += histogram[b];
	return sum;
}

static void
print_reuse(struct out *o)
{
	static const struct col cols[] = {
		{ "distance", -12, COL_TEXT }, { "size", 10, COL_BYTES },
		{ "lower", 10, COL_COUNT }, { "lower_cdf", 9, COL_FIXED, 1 },
		{ "upper", 10, COL_COUNT }, { "upper_cdf", 9, COL_FIXED, 1 },
	};
	u64 sum = distance_sum(lower), low = 0, high = 0;
	struct rows r;
	unsigned b;
	char name[24];

	out_char(o, '\n');
	rows_open(&r, o, ROWS_TABLE, cols, ARRAY_LEN(cols));
	r.bytes = idle.bytes;
	rows_pass(&r);
	for (b = 0; b < DISTANCES; b++) {
		low += lower[b];
		high += upper[b];
		if (!lower[b] && !upper[b])
			continue;
		fmt_str(name, sizeof(name), "< %lu", 1ul << b);
		rows_text(&r, name);
		rows_u64(&r, (1ull << b) << page_shift);
		rows_u64(&r, lower[b]);
		rows_u64(&r, low * 1000 / sum);
		rows_u64(&r, upper[b]);
		rows_u64(&r, high * 1000 / sum);
		rows_end(&r);
	}
	out_fmt(o, "%lu page touches, %lu of them the first\n", accesses,
		cold);
}

void
history_print(struct out *o)
{
	if (idle.ages)
		print_ages(o);
	if (idle.reuse)
		print_reuse(o);
	if (full)
		note("%s: more pages than there was room for: ages and reuse "
			"leave some out", applet_name);
}

static void
json_reuse(struct json *j)
{
	unsigned b;

	json_key(j, "reuse");
	json_object(j);
	json_ku64(j, "touches", accesses);
	json_ku64(j, "first", cold);
	json_key(j, "distances");
	json_array(j);
	for (b = 0; b < DISTANCES; b++) {
		if (!lower[b] && !upper[b])
			continue;
		json_object(j);
		json_ku64(j, "below", 1ull << b);
		json_ku64(j, "lower", lower[b]);
		json_ku64(j, "upper", upper[b]);
		json_close(j);
	}
	json_close(j);
	json_close(j);
}

void
history_json(struct json *j)
{
	unsigned b;

	if (idle.ages) {
		json_key(j, "ages");
		json_array(j);
		for (b = 0; b < edge_count; b++) {
			json_object(j);
			json_key(j, "idle_for");
			json_fixed(j, edges[b] / 1000, 6);
			json_ku64(j, "pages", age_pages[b]);
			json_close(j);
		}
		json_close(j);
	}
	if (idle.reuse)
		json_reuse(j);
	json_kbool(j, "complete", !full);
}
