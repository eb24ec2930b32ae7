/* mit_read.c - a trace, FILE.mit, is read: the reports get what they got when
 * it was measured. */
#include <sys/mman.h>

#include "mit.h"

static struct sample sample;
static struct mapping *region;
static u64 at;			/* page after the last run */

static void
read_begin(struct bytes *b)
{
	sample = (struct sample){ .number = get_number(b) };
	sample.time = get_number(b);
	sample.wall = get_number(b);
	region = NULL;
	emit_begin(&sample);
}

static void
read_region(struct bytes *b)
{
	struct mapping r = { .pid = (int)(get_number(b) & INT_MAX) };
	struct vma v;

	r.start = get_number(b) & ((1ull << 52) - 1);
	r.pages = get_number(b) & ((1ull << 52) - 1);
	r.perm = (u32)get_number(b);
	r.name = get_text(b, &r.name_len);
	at = r.start;
	v = (struct vma){
		.start = r.start << page_shift,
		.end = (r.start + r.pages) << page_shift, .perm = r.perm,
		.path = r.name, .path_len = r.name_len,
	};
	region = vma_filter_wants(&v) ? emit_region(&r) : NULL;
}

/* A run that leaves its VMA is damage. */
static void
read_runs(struct bytes *b)
{
	while (region && b->p < b->end && !b->bad) {
		u64 gap = get_number(b), n = get_number(b);
		u64 room = region->start + region->pages - at;

		if (gap > room || n >> 3 > room - gap ||
		    (n & 7) >= PAGE_STATES) {
			b->bad = 1;
			return;
		}
		emit_run(at + gap, n >> 3, n & 7);
		at += gap + (n >> 3);
	}
}

static void
read_region_end(struct bytes *b)
{
	if (!region)
		return;
	get_counts(b, &region->n);
	emit_region_end(region);
	region = NULL;
}

/* With a filter the totals are those of the VMAs that are left. */
static void
read_end(struct bytes *b)
{
	unsigned i;

	sample.est = get_number(b);
	sample.taint = (unsigned)get_number(b);
	sample.processes = (unsigned)get_number(b);
	sample.gone = (unsigned)get_number(b);
	sample.denied = (unsigned)get_number(b);
	get_counts(b, &sample.total);
	for (i = 0; i < measure_count; i++)
		sample.measures[i] = get_number(b);
	if (!idle.filter)
		return;
	sample.total = (struct counts){ 0 };
	for (i = 0; i < region_count; i++)
		counts_add(&sample.total, &regions[i].n);
}

static int
read_sample(struct bytes from)
{
	struct bytes body;
	int type, bad = 0;

	while ((type = get_record(&from, &body))) {
		switch (type) {
		case 'S': read_begin(&body); break;
		case 'V': read_region(&body); break;
		case 'R': read_runs(&body); break;
		case 'v': read_region_end(&body); break;
		case 'T': read_end(&body); break;
		}
		bad |= body.bad;
	}
	if (bad)
		sample.taint |= TAINT_CUT;
	emit_end(&sample);
	return bad;
}

static char names[MEASURES_MAX][32];

static void
read_columns(struct bytes *b)
{
	u64 n = get_number(b);
	unsigned i;
	const char *s;
	size_t len;

	if (n > MEASURES_MAX)
		b->bad = 1;
	for (i = 0; i < n && !b->bad; i++) {
		s = get_text(b, &len);
		fmt_str(names[i], sizeof(names[i]), "%.*s", (int)len, s);
		measure_cols[i] = (struct col){ .name = names[i], .width = 10 };
		measure_cols[i].type = (u8)get_number(b);
		measure_cols[i].digits = (u8)get_number(b);
		if (measure_cols[i].type == COL_COUNT)
			measure_cols[i].width = 8;
		if (measure_cols[i].type < COL_COUNT ||
		    measure_cols[i].type > COL_FIXED ||
		    measure_cols[i].digits > 9)
			b->bad = 1;
		measure_count = i + 1;
	}
}

/* NULL, or why it is none. */
static const char *
read_header(struct bytes *from)
{
	static char why[80];
	struct bytes body;
	u64 version, page, backend;

	if (from->end - from->p < MIT_MAGIC_SIZE ||
	    memcmp(from->p, MIT_MAGIC, MIT_MAGIC_SIZE))
		return "not a trace of memidle";
	from->p += MIT_MAGIC_SIZE;
	if (get_record(from, &body) != 'H')
		return "its header is missing or damaged";
	version = get_number(&body);
	page = get_number(&body);
	backend = get_number(&body);
	get_number(&body);	/* when it was made */
	emit_written = !!get_number(&body);
	if (version != MIT_VERSION) {
		fmt_str(why, sizeof(why), "version %lu of the format, this "
			"program knows %d", version, MIT_VERSION);
		return why;
	}
	measure_count = 0;
	read_columns(&body);
	if (body.bad || page < 1024 || page & (page - 1) ||
	    page > 1 << 20 || backend >= BACKEND_COUNT)
		return "its header is damaged";
	page_size = page;
	page_shift = (unsigned)__builtin_ctzll(page);
	idle.backend = backend;
	return NULL;
}

/* Pages of the first sample's regions: what reports make room for. */
static u64
pages_of(struct bytes from)
{
	struct bytes body;
	struct counts n;
	u64 most = 0, pages = 0;
	int type;

	while ((type = get_record(&from, &body))) {
		if (type == 'S')
			pages = 0;
		if (type != 'v')
			continue;
		get_counts(&body, &n);
		pages += n.present;
		if (pages > most)
			most = pages;
	}
	return most < 1ull << 40 ? most : 1ull << 40;
}

static struct bytes samples_left;

const char *
mit_open_bytes(const u8 *data, size_t n, u64 *pages)
{
	const char *why;

	samples_left = (struct bytes){ data, data + n, 0 };
	why = read_header(&samples_left);
	if (!why)
		*pages = pages_of(samples_left);
	return why;
}

enum mit_end
mit_read_samples(u64 *good)
{
	struct bytes next, now;

	for (*good = 0; samples_left.p < samples_left.end && !stop_signal;
	     ++*good) {
		now = next = samples_left;
		if (!whole_sample(&next))
			return MIT_CUT;
		now.end = next.p;
		if (read_sample(now))
			return MIT_IMPOSSIBLE;
		samples_left = next;
	}
	return MIT_WHOLE;
}

static int
read_all(const char *path)
{
	u64 good;

	switch (mit_read_samples(&good)) {
	case MIT_CUT:
		warn("%s: damaged or cut after %lu samples; what is before "
			"that is shown", path, good);
		return EXIT_PARTIAL;
	case MIT_IMPOSSIBLE:
		warn("%s: sample %lu has impossible values", path, good);
		return EXIT_PARTIAL;
	default:
		return EXIT_DONE;
	}
}

int
mit_read_bytes(const u8 *data, size_t n, const char *path)
{
	int status, closed;
	u64 pages;
	const char *why = mit_open_bytes(data, n, &pages);

	if (why)
		die("%s: %s", path, why);
	emit_open();
	if (CFG_MEMIDLE_HISTORY && (idle.ages || idle.reuse))
		history_open(pages);
	if (CFG_MEMIDLE_HEAT && (idle.heat || idle.png))
		heat_open(pages);
	idle_report_open();
	status = read_all(path);
	closed = idle_report_close();
	if (CFG_MEMIDLE_HEAT && idle.png && heat_png(idle.png))
		closed = EXIT_FAILED;
	return closed == EXIT_FAILED || !status ? closed : status;
}

int
mit_read(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct stat st;
	void *p;

	if (fd < 0 || fstat(fd, &st) < 0)
		die("open %s:", path);
	if (!S_ISREG(st.st_mode) || !st.st_size)
		die("%s: %s", path, S_ISREG(st.st_mode) ? "empty"
			: "not a regular file");
	stop_on_signals();
	p = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
	if (p == MAP_FAILED)
		die("read %s:", path);
	close(fd);
	return mit_read_bytes(p, (size_t)st.st_size, path);
}
