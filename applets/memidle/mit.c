/* mit.c - FILE.mit (docs/formats.md): what was seen, as runs of pages.
 *
 * Records of a type byte, a length and that many bytes; numbers are base-128,
 * low bits first. A sample ends with a check of all its bytes, so a file that
 * was cut is good up to its last whole sample.
 */
#include <sys/mman.h>

#include "memidle.h"

enum { PIECE = 4096, VERSION = 1 };
static const char magic[8] = "membox-i";

/* ---- writing ---- */

static struct outfile file;
static struct out out;
static char out_space[65536];
static u8 record[PIECE + 512];
static size_t used;
static u32 sum;			/* FNV-1a of the sample so far */
static u64 at;			/* page after the last run */

static u32
fnv(u32 hash, const void *data, size_t n)
{
	const u8 *s = data;

	while (n--)
		hash = (hash ^ *s++) * 16777619;
	return hash;
}

static void
put_number(u64 v)
{
	for (; v >= 128; v >>= 7)
		record[used++] = (u8)(v | 128);
	record[used++] = (u8)v;
}

static void
put_text(const char *s, size_t n)
{
	if (n > 4096 - 256)
		n = 4096 - 256;
	put_number(n);
	memcpy(record + used, s, n);
	used += n;
}

/* The record that was put together goes out. */
static void
put_record(char type)
{
	u8 head[4] = { (u8)type, (u8)(used & 127) | 128, (u8)(used >> 7) };

	sum = fnv(sum, head, 3);
	sum = fnv(sum, record, used);
	out_put(&out, head, 3);
	out_put(&out, record, used);
	used = 0;
}

static void
put_counts(const struct counts *n)
{
	put_number(n->present);
	put_number(n->active);
	put_number(n->idle);
	put_number(n->untracked);
	put_number(n->unknown);
	put_number(n->swap);
	put_number(n->written);
}

void
mit_create(const char *path)
{
	unsigned i;

	if (outfile_open(&file, path, OUTFILE_ANYFS |
			(idle.force ? OUTFILE_FORCE : 0)) < 0)
		_exit(EXIT_FAILED);
	out_open(&out, file.fd);
	out_buffer(&out, out_space, sizeof(out_space));
	out_put(&out, magic, sizeof(magic));
	put_number(VERSION);
	put_number(page_size);
	put_number(idle.backend);
	put_number(wall_ns());
	put_number((u64)emit_written);
	put_number(measure_count);
	for (i = 0; i < measure_count; i++) {
		put_text(measure_cols[i].name, strlen(measure_cols[i].name));
		put_number(measure_cols[i].type);
		put_number(measure_cols[i].digits);
	}
	put_record('H');
}

void
mit_begin(const struct sample *s)
{
	sum = 2166136261u;
	put_number(s->number);
	put_number(s->time);
	put_number(s->wall);
	put_record('S');
}

void
mit_region(const struct mapping *r)
{
	put_number((u64)r->pid);
	put_number(r->start);
	put_number(r->pages);
	put_number(r->perm);
	put_text(r->name, r->name_len);
	put_record('V');
	at = r->start;
}

/* Runs are a gap, and length and state in one. */
void
mit_run(u64 vpn, u64 count, enum page_state state)
{
	put_number(vpn - at);
	put_number(count << 3 | state);
	at = vpn + count;
	if (used > PIECE - 32)
		put_record('R');
}

void
mit_region_end(const struct mapping *r)
{
	if (used)
		put_record('R');
	put_counts(&r->n);
	put_record('v');
}

void
mit_end(const struct sample *s)
{
	unsigned i;

	put_number(s->est);
	put_number(s->taint);
	put_number(s->processes);
	put_number(s->gone);
	put_number(s->denied);
	put_counts(&s->total);
	for (i = 0; i < measure_count; i++)
		put_number(s->measures[i]);
	put_record('T');
	memcpy(record, &sum, 4);
	used = 4;
	put_record('E');
	if (out_flush(&out) < 0)
		stop_signal = -1;
}

int
mit_close(int keep)
{
	if (!keep || out_flush(&out) < 0) {
		warn("write %s:", idle.trace);
		outfile_abort(&file);
		return 1;
	}
	return outfile_commit(&file) < 0;
}

/* ---- reading ---- */

/* Bytes that are left; a number too many makes it bad, and all that follow
 * are 0. */
struct bytes {
	const u8 *p, *end;
	int bad;
};

static u64
get_number(struct bytes *b)
{
	u64 v = 0;
	unsigned shift = 0;

	while (b->p < b->end && shift < 64) {
		u8 c = *b->p++;

		v |= (u64)(c & 127) << shift;
		if (!(c & 128))
			return v;
		shift += 7;
	}
	b->bad = 1;
	return 0;
}

static const char *
get_text(struct bytes *b, size_t *n)
{
	const char *s;
	u64 len = get_number(b);

	if (len > (u64)(b->end - b->p)) {
		b->bad = 1;
		len = 0;
	}
	s = (const char *)b->p;
	b->p += len;
	*n = len;
	return s;
}

/* The next record's type and body; 0 when no whole one is left. */
static int
get_record(struct bytes *from, struct bytes *body)
{
	int type;
	size_t n;

	if (from->end - from->p < 3 || !(from->p[1] & 128))
		return 0;
	type = *from->p;
	n = (from->p[1] & 127) | (size_t)from->p[2] << 7;
	if (n > (size_t)(from->end - from->p - 3))
		return 0;
	*body = (struct bytes){ from->p + 3, from->p + 3 + n, 0 };
	from->p += 3 + n;
	return type;
}

static void
get_counts(struct bytes *b, struct counts *n)
{
	n->present = get_number(b);
	n->active = get_number(b);
	n->idle = get_number(b);
	n->untracked = get_number(b);
	n->unknown = get_number(b);
	n->swap = get_number(b);
	n->written = get_number(b);
}

static struct sample sample;
static struct mapping *region;

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

/* 1 when a sample begins here that is whole and undamaged; *from moves past
 * it. Samples have the order S (V R* v)* T E; other records are skipped. */
static int
whole_sample(struct bytes *from)
{
	struct bytes b = *from, body;
	const u8 *begin = b.p;
	u32 hash;
	int type = get_record(&b, &body);

	if (type != 'S')
		return 0;
	while ((type = get_record(&b, &body)) && type != 'E' && type != 'S')
		;
	if (type != 'E' || body.end - body.p != 4)
		return 0;
	memcpy(&hash, body.p, 4);
	if (hash != fnv(2166136261u, begin, body.p - 3 - begin))
		return 0;
	*from = b;
	return 1;
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

	if (from->end - from->p < (ptrdiff_t)sizeof(magic) ||
	    memcmp(from->p, magic, sizeof(magic)))
		return "not a trace of memidle";
	from->p += sizeof(magic);
	if (get_record(from, &body) != 'H')
		return "its header is missing or damaged";
	version = get_number(&body);
	page = get_number(&body);
	backend = get_number(&body);
	get_number(&body);	/* when it was made */
	emit_written = !!get_number(&body);
	if (version != VERSION) {
		fmt_str(why, sizeof(why), "version %lu of the format, this "
			"program knows %d", version, VERSION);
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
