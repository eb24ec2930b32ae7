/* pages.c - every page of a process: where it lies, what the kernel says of
 * it, who else maps it. Runs of alike pages are one row. */
#include "walk.h"

enum { BATCH = 512, TEXT_MAX = 640 /* all the flags' names */ };

enum state { ABSENT, PRESENT, SWAPPED, GUARD, MARKER, STATES };
static const char *const state_names[STATES] = {
	"absent", "present", "swapped", "guard", "marker",
};

/* A page, or a run of pages that differ in nothing but their number. */
struct page {
	u64 vpn, count;
	u64 at;			/* PFN, or offset in swap */
	u64 kflags, mapcount;
	u32 pm;			/* entry's flags, from bit 32 up */
	u8 state;
	u8 swap_type;
	u8 known;		/* kflags and mapcount are */
};

static const struct col cols[] = {
	{ "start", -16, COL_HEX }, { "end", -16, COL_HEX },
	{ "pages", 8, COL_COUNT }, { "state", -7, COL_TEXT },
	{ "pfn", 9, COL_HEX }, { "mapcount", 8, COL_COUNT },
	{ "pagemap", -16, COL_TEXT }, { "swap_type", 9, COL_COUNT },
	{ "swap_offset", 11, COL_HEX },
	{ "path", 0, COL_TEXT, .hidden = 1 },
	{ "flags", 0, COL_TEXT },
};

static struct rows rows;
static struct page run;
static const struct region *region;
static int flags_fd, count_fd;
static u64 totals[STATES];
static int hidden;		/* PFNs read as 0 */

/* ---- rows ---- */

static void
add_name(char *text, const char *name)
{
	if (*text)
		strcat(text, ",");
	strcat(text, name);
}

/* The last text is kept: neighbours are mostly alike. */
static const char *
flags_text(u64 flags)
{
	static char text[TEXT_MAX];
	static u64 of;
	unsigned i;

	if (flags == of)
		return text;
	of = flags;
	*text = 0;
	for (i = 0; i < KPF_COUNT; i++)
		if (flags >> i & 1 && page_flag_names[i])
			add_name(text, page_flag_names[i]);
	return text;
}

static void
pagemap_text(char *text, u32 pm)
{
	static const struct {
		u64 bit;
		const char *name;
	} names[] = {
		{ PM_SOFT_DIRTY, "soft_dirty" }, { PM_EXCLUSIVE, "exclusive" },
		{ PM_UFFD_WP, "uffd_wp" }, { PM_FILE, "file" },
	};
	unsigned i;

	*text = 0;
	for (i = 0; i < ARRAY_LEN(names); i++)
		if ((u64)pm << 32 & names[i].bit)
			add_name(text, names[i].name);
}

static void
put_known(int is_known, u64 v)
{
	if (is_known)
		rows_u64(&rows, v);
	else
		rows_null(&rows);
}

static void
put_run(void)
{
	char text[TEXT_MAX];
	int is_swap = run.state == SWAPPED || run.state == MARKER;
	int has_pfn = run.state == PRESENT && run.at;

	if (!run.count)
		return;
	totals[run.state] += run.count;
	rows_u64(&rows, run.vpn * page_size);
	rows_u64(&rows, (run.vpn + run.count) * page_size);
	rows_u64(&rows, run.count);
	rows_text(&rows, state_names[run.state]);
	put_known(has_pfn, run.at);
	put_known(run.known, run.mapcount);
	pagemap_text(text, run.pm);
	rows_text(&rows, text);
	put_known(is_swap, run.swap_type);
	put_known(is_swap, run.at);
	rows_textn(&rows, region->vma.path, region->vma.path_len);
	rows_text(&rows, flags_text(run.kflags));
	rows_end(&rows);
	run.count = 0;
}

/* ---- runs ---- */

static int
continues(const struct page *p)
{
	return run.count && run.state == p->state &&
		run.vpn + run.count == p->vpn && run.pm == p->pm &&
		run.kflags == p->kflags && run.mapcount == p->mapcount &&
		run.known == p->known && run.swap_type == p->swap_type &&
		(p->state == ABSENT || p->state == GUARD ||
		 (!run.at && !p->at) || run.at + run.count == p->at);
}

static void
add_page(const struct page *p)
{
	if (continues(p)) {
		run.count += p->count;
		return;
	}
	put_run();
	run = *p;
}

static void
add_absent(u64 vpn, u64 end)
{
	struct page p = { .vpn = vpn, .count = end - vpn };

	if (vpn < end)
		add_page(&p);
}

static void
decode(struct page *p, u64 vpn, u64 entry)
{
	const u64 flags = PM_SOFT_DIRTY | PM_EXCLUSIVE | PM_UFFD_WP | PM_FILE;

	*p = (struct page){ .vpn = vpn, .count = 1 };
	if (!(entry & (PM_PRESENT | PM_SWAP)))
		return;
	p->pm = (u32)((entry & flags) >> 32);
	if (entry & PM_PRESENT) {
		p->state = PRESENT;
		p->at = PM_PFN(entry);
		hidden |= !p->at;
		return;
	}
	p->swap_type = (u8)PM_SWAP_TYPE(entry);
	p->at = PM_SWAP_OFFSET(entry);
	p->state = entry & PM_GUARD ? GUARD :
		p->swap_type >= SWAP_TYPES_MAX ? MARKER : SWAPPED;
}

/* Pages first .. first + n - 1 lie one after the other in memory: one read of
 * each file tells of all. */
static void
look_up(struct page *first, size_t n)
{
	static u64 flags[BATCH], counts[BATCH];
	ssize_t a = 0, b = 0, i;

	if (first->state == PRESENT && first->at) {
		a = kpage_read(flags_fd, first->at, flags, n);
		b = kpage_read(count_fd, first->at, counts, n);
	}
	for (i = 0; i < (ssize_t)n; i++) {
		first[i].known = i < a && i < b;
		if (first[i].known) {
			first[i].kflags = flags[i];
			first[i].mapcount = counts[i];
		}
		add_page(&first[i]);
	}
}

static u64 expected;		/* the page that comes next */

static void
take_entries(void *arg, u64 vpn, const u64 *entries, size_t n)
{
	static struct page pages[BATCH];
	size_t i, held = 0;

	(void)arg;
	add_absent(expected, vpn);
	for (i = 0; i < n; i++) {
		struct page *p = &pages[held];

		decode(p, vpn + i, entries[i]);
		if (held && (held == BATCH - 1 || p->state != PRESENT ||
		    p->at != p[-1].at + 1 || p[-1].state != PRESENT)) {
			struct page next = *p;

			look_up(pages, held);
			held = 0;
			pages[0] = next;
		}
		held++;
	}
	look_up(pages, held);
	expected = vpn + n;
}

/* ---- the process ---- */

static void
put_heading(const struct region *g)
{
	char size[FMT_SIZE_MAX];

	if (rows.format != ROWS_TABLE)
		return;
	out_fmt(&report, "%lx-%lx %s %s %s%s%s ", g->vma.start, g->vma.end,
		perm_texts[g->vma.perm],
		fmt_size(size, g->vma.end - g->vma.start),
		region_type_names[g->type], g->kind ? " " : "",
		region_kind_names[g->kind]);
	out_escaped(&report, g->vma.path, g->vma.path_len);
	out_char(&report, '\n');
}

static int
put_region_pages(struct walk *w, const struct region *g)
{
	u64 end = g->vma.end / page_size;
	int r;

	region = g;
	expected = g->vma.start / page_size;
	put_heading(g);
	/* pagemap does not reach the vsyscall page. */
	r = g->type == REGION_VSYSCALL ? 0 : walk_pages(w, expected, end);
	add_absent(expected, end);
	put_run();
	return r;
}

static int
open_kpage(const char *path)
{
	int fd = root_open(path, O_RDONLY);

	if (fd < 0)
		warn("open %s%s (flags and map counts are left out; needs root "
			"and CONFIG_PROC_PAGE_MONITOR):", root_dir, path);
	return fd;
}

static void
open_rows(int pid)
{
	flags_fd = open_kpage("/proc/kpageflags");
	count_fd = open_kpage("/proc/kpagecount");
	rows_open(&rows, &report, ask.ndjson ? ROWS_NDJSON : ask.json
		? ROWS_JSON : ROWS_TABLE, cols, ARRAY_LEN(cols));
	if (rows.format == ROWS_JSON) {
		json_object(&rows.json);
		json_ku64(&rows.json, "pid", (u64)pid);
		json_key(&rows.json, "pages");
		json_array(&rows.json);
	}
	rows_pass(&rows);
}

static void
close_rows(void)
{
	unsigned i;

	if (rows.format == ROWS_JSON) {
		json_close(&rows.json);
		for (i = 0; i < STATES; i++)
			json_ku64(&rows.json, state_names[i], totals[i]);
		json_close(&rows.json);
	} else if (rows.format == ROWS_TABLE) {
		out_str(&report, "total pages:");
		for (i = 0; i < STATES; i++)
			out_fmt(&report, "%s %lu %s", i ? "," : "", totals[i],
				state_names[i]);
		out_char(&report, '\n');
	}
}

int
pages_sample(void)
{
	static struct subject subject;
	static struct region g;
	struct walk w = { .entries = take_entries };
	enum skip why;
	int pid = 0, r = 0, walked = 0;

	parse_pid(*ask.pids, &pid);
	why = subject_open(&subject, pid);
	if (why == SKIP_NOT && walk_open(&w, pid,
	    subject.stat.rss * page_size) < 0)
		why = skip_of_errno();
	if (why != SKIP_NOT) {
		skip_tell(pid, why);
		return EXIT_FAILED;
	}
	open_rows(pid);
	while (!stop_signal && !walked && (r = subject_next(&subject, &g)) > 0)
		walked = put_region_pages(&w, &g);
	close_rows();
	if (hidden)
		warn("page frame numbers are hidden: needs CAP_SYS_ADMIN");
	if (r < 0 || walked < 0 || subject_ended(&subject)) {
		warn("%d ended while it was read: the list is short", pid);
		return EXIT_PARTIAL;
	}
	return hidden || flags_fd < 0 || count_fd < 0 || stop_signal
		? EXIT_PARTIAL : EXIT_DONE;
}
