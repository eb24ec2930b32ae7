/* pfns.c - which physical pages a segment has. A page that is resident is
 * mapped by a touch, which makes nothing; what is absent is not touched. */
#include "shmat.h"

enum { BATCH = SEGMENT_BATCH };

enum { C_OFFSET, C_PFN, C_PAGES, C_FLAGS };
static const struct col cols[] = {
	[C_OFFSET] = { "offset", 12, COL_HEX, .label = 1 },
	[C_PFN] = { "pfn", 10, COL_HEX, .label = 1 },
	[C_PAGES] = { "pages", 8, COL_COUNT },
	[C_FLAGS] = { "flags", 0, COL_TEXT },
};

struct run {
	u64 page, pfn, count, flags;
};
static struct run run;
static struct rows rows;
static int flags_fd;
static u64 total;

static void
flags_text(u64 flags, char *buf, size_t size)
{
	int used = 0, bit;

	buf[0] = 0;
	for (bit = 0; bit < KPF_COUNT && (size_t)used < size; bit++)
		if (flags >> bit & 1 && page_flag_names[bit])
			used += fmt_str(buf + used, size - (size_t)used,
				"%s%s", used ? "," : "", page_flag_names[bit]);
}

static void
run_end(void)
{
	char text[256];

	if (!run.count)
		return;
	flags_text(run.flags, text, sizeof(text));
	rows_u64(&rows, run.page * page_size);
	rows_u64(&rows, run.pfn);
	rows_u64(&rows, run.count);
	rows_text(&rows, text);
	rows_end(&rows);
	run.count = 0;
}

static void
page_found(u64 page, u64 pfn)
{
	u64 flags = 0;

	total++;
	if (flags_fd >= 0 && kpage_read(flags_fd, pfn, &flags, 1) != 1)
		flags = 0;
	/* The touch itself changes these. */
	flags &= ~(KPF(REFERENCED) | KPF(IDLE) | KPF(MMAP));
	if (run.count && run.page + run.count == page &&
	    run.pfn + run.count == pfn && run.flags == flags) {
		run.count++;
		return;
	}
	run_end();
	run = (struct run){ page, pfn, 1, flags };
}

/* Pages of one mapping, from its page map: base is the first page's number in
 * the segment. 0, or -1 when page numbers are not shown. */
static int
read_pagemap(int fd, u64 vpn, u64 base, u64 n)
{
	u64 entries[128], i;

	while (n) {
		u64 want = n < ARRAY_LEN(entries) ? n : ARRAY_LEN(entries);
		ssize_t got = pagemap_read(fd, vpn, entries, want);

		if (got <= 0)
			return 0;
		for (i = 0; i < (u64)got; i++) {
			if (!(entries[i] & PM_PRESENT))
				continue;
			if (!PM_PFN(entries[i]))
				return -1;
			page_found(base + i, PM_PFN(entries[i]));
		}
		vpn += (u64)got;
		base += (u64)got;
		n -= (u64)got;
	}
	return 0;
}

static int
own_pages(struct segment_file *f)
{
	u64 pages = segment_pages(&f->seg), at, n;
	int fd = proc_open(getpid(), "pagemap", O_RDONLY), r = 0;

	if (fd < 0)
		return warn("open /proc/self/pagemap:");
	for (at = 0; at < pages && !r; at += n) {
		n = pages - at < BATCH ? pages - at : BATCH;
		segment_map(&f->seg, f->map, at, n);
		r = read_pagemap(fd, (uintptr_t)f->map / page_size + at, at, n);
	}
	close(fd);
	return r;
}

static void
mapping_pages(int pid, const struct vma *v, int *hidden)
{
	int fd = proc_open(pid, "pagemap", O_RDONLY);

	if (fd < 0)
		return;
	*hidden |= read_pagemap(fd, v->start / page_size,
		v->offset / page_size, (v->end - v->start) / page_size);
	close(fd);
}

/* Huge pages cannot be told from holes by mincore: the first process is asked
 * that has the segment attached and has touched some. */
static int
huge_pages(struct segment_file *f)
{
	static char buf[2 * PATH_MAX];
	static struct pids ids;
	int pid, id, hidden = 0, asked = 0;

	if (opts.populate)
		return own_pages(f);
	if (pids_open(&ids) < 0)
		return warn("open /proc:");
	while (!total && pids_next(&ids, &pid) > 0) {
		struct maps m;
		struct vma v;

		if (pid == getpid() ||
		    maps_open(&m, pid, "maps", buf, sizeof(buf)) < 0)
			continue;
		while (maps_next(&m, &v) > 0)
			if (shm_vma(&v, &id) && id == f->seg.id) {
				asked++;
				mapping_pages(pid, &v, &hidden);
			}
		maps_close(&m);
	}
	pids_close(&ids);
	if (!asked)
		warn("segment %d: huge pages, and nobody has it attached: "
			"which are there is not known; --populate makes all",
			f->seg.id);
	return hidden ? -1 : asked ? 0 : EXIT_PARTIAL;
}

int
verb_pfns(char **words)
{
	static struct out o;
	struct segment_file f;
	int r;

	if (!words[0] || words[1])
		usage_die("pfns: one ID or 0xKEY");
	if (segment_open(&f, words[0]))
		return EXIT_FAILED;
	flags_fd = root_open("/proc/kpageflags", O_RDONLY);
	out_open(&o, 1);
	rows_open(&rows, &o, opts.list.format, cols, ARRAY_LEN(cols));
	rows.prefix = "shmat_pfns";
	if (opts.list.format == ROWS_JSON) {
		json_object(&rows.json);
		json_ku64(&rows.json, "id", (u64)f.seg.id);
		json_key(&rows.json, "runs");
		json_array(&rows.json);
	}
	rows_pass(&rows);
	r = f.huge ? huge_pages(&f) : own_pages(&f);
	run_end();
	if (opts.list.format == ROWS_JSON) {
		json_close(&rows.json);
		json_ku64(&rows.json, "pages", total);
		json_close(&rows.json);
	}
	if (out_finish(&o, "standard output"))
		return EXIT_FAILED;
	if (r < 0)
		return warn("segment %d: page numbers are not shown (no "
			"CAP_SYS_ADMIN): run as root", f.seg.id);
	if (opts.list.format == ROWS_TABLE)
		note("%lu of %lu pages resident", total,
			segment_pages(&f.seg));
	segment_close(&f);
	return r;
}
