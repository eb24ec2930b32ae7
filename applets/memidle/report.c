/* report.c - samples as rows, CSV or JSON lines; what the end adds to them. */
#include "memidle.h"

enum { COLS_MAX = 16 + MEASURES_MAX, WSS_MAX = 65536 };
static struct col cols[COLS_MAX];
static unsigned col_count;
static struct out out;
static char out_space[16384];
static struct rows rows;
static struct arena wss;	/* active + untracked of each sample: bytes */
static u64 wss_count, incomplete;

static const struct col fixed_cols[] = {
	{ "time", 9, COL_FIXED, 3 }, { "est_seconds", 11, COL_FIXED, 3 },
	{ "present", 10, COL_BYTES }, { "active", 10, COL_BYTES },
	{ "idle", 10, COL_BYTES }, { "untracked", 10, COL_BYTES },
	{ "unknown", 10, COL_BYTES }, { "swap", 10, COL_BYTES },
};
static const struct col written_col = { "written", 10, COL_BYTES };
static const struct col tainted_col = { "tainted", 0, COL_TEXT };

static void
columns(void)
{
	col_count = ARRAY_LEN(fixed_cols);
	memcpy(cols, fixed_cols, sizeof(fixed_cols));
	if (emit_written)
		cols[col_count++] = written_col;
	memcpy(cols + col_count, measure_cols,
		measure_count * sizeof(*cols));
	col_count += measure_count;
	cols[col_count++] = tainted_col;
}

void
idle_report_open(void)
{
	out_open(&out, 1);
	out_buffer(&out, out_space, sizeof(out_space));
	columns();
	if (idle.advice && arena_open(&wss, WSS_MAX * 8) < 0)
		die("memory for the advice:");
	rows_open(&rows, &out, idle.csv ? ROWS_CSV : ROWS_TABLE, cols,
		col_count);
	rows.bytes = idle.bytes;
	if (!idle.json && !(idle.csv && idle.vmas))
		rows_pass(&rows);
}

/* ---- tables ---- */

static void
taint_text(unsigned taint, char *buf, size_t size)
{
	size_t n = 0;
	int i;

	*buf = 0;
	for (i = 0; i < TAINT_BITS; i++)
		if (taint >> i & 1 && n < size)
			n += fmt_str(buf + n, size - n, "%s%s", n ? "," : "",
				taint_names[i]);
}

static void
row_counts(struct rows *r, const struct counts *n)
{
	rows_u64(r, n->present << page_shift);
	rows_u64(r, n->active << page_shift);
	rows_u64(r, n->idle << page_shift);
	rows_u64(r, n->untracked << page_shift);
	rows_u64(r, n->unknown << page_shift);
	rows_u64(r, n->swap << page_shift);
	if (emit_written)
		rows_u64(r, n->written << page_shift);
}

static void
row_sample(const struct sample *s)
{
	char taint[128];
	unsigned i;

	rows_u64(&rows, s->time / 1000000);
	rows_u64(&rows, s->est / 1000000);
	row_counts(&rows, &s->total);
	for (i = 0; i < measure_count; i++)
		rows_u64(&rows, s->measures[i]);
	taint_text(s->taint, taint, sizeof(taint));
	rows_text(&rows, taint);
	rows_end(&rows);
}

/* The sample's VMAs, those without pages left out. */
static void
table_vmas(const struct sample *s)
{
	static const struct col head[] = {
		{ "sample", 6, COL_COUNT }, { "pid", 7, COL_COUNT },
		{ "start", 12, COL_HEX }, { "size", 10, COL_BYTES },
		{ "perm", -4, COL_TEXT },
	};
	static const struct col name = { "name", 0, COL_TEXT };
	static struct col all[COLS_MAX];
	unsigned n = ARRAY_LEN(head), i;
	struct rows r;
	char perm[5];

	memcpy(all, head, sizeof(head));
	memcpy(all + n, fixed_cols + 2, 6 * sizeof(*all));
	n += 6;
	if (emit_written)
		all[n++] = written_col;
	all[n++] = name;
	rows_open(&r, &out, idle.csv ? ROWS_CSV : ROWS_TABLE, all, n);
	r.bytes = idle.bytes;
	if (!idle.csv || !s->number)
		rows_pass(&r);
	for (i = 0; i < region_count; i++) {
		const struct mapping *v = &regions[i];

		if (!v->n.present && !v->n.swap)
			continue;
		rows_u64(&r, s->number);
		rows_u64(&r, (u64)v->pid);
		rows_u64(&r, v->start << page_shift);
		rows_u64(&r, v->pages << page_shift);
		fmt_str(perm, sizeof(perm), "%c%c%c%c",
			v->perm & VMA_READ ? 'r' : '-',
			v->perm & VMA_WRITE ? 'w' : '-',
			v->perm & VMA_EXEC ? 'x' : '-',
			v->perm & VMA_SHARED ? 's' : 'p');
		rows_text(&r, perm);
		row_counts(&r, &v->n);
		rows_textn(&r, v->name, v->name_len);
		rows_end(&r);
	}
}

/* ---- JSON ---- */

static void
json_counts(struct json *j, const struct counts *n)
{
	json_key(j, "pages");
	json_object(j);
	json_ku64(j, "present", n->present);
	json_ku64(j, "active", n->active);
	json_ku64(j, "idle", n->idle);
	json_ku64(j, "untracked", n->untracked);
	json_ku64(j, "unknown", n->unknown);
	json_ku64(j, "swap", n->swap);
	if (emit_written)
		json_ku64(j, "written", n->written);
	json_close(j);
}

static void
json_taint(struct json *j, unsigned taint)
{
	int i;

	json_kbool(j, "tainted", !!taint);
	json_key(j, "taint");
	json_array(j);
	for (i = 0; i < TAINT_BITS; i++)
		if (taint >> i & 1)
			json_str(j, taint_names[i]);
	json_close(j);
}

static void
json_measures(struct json *j, const struct sample *s)
{
	unsigned i;

	if (!measure_count)
		return;
	json_key(j, "measures");
	json_object(j);
	for (i = 0; i < measure_count; i++) {
		json_key(j, measure_cols[i].name);
		if (measure_cols[i].type == COL_FIXED)
			json_fixed(j, s->measures[i], measure_cols[i].digits);
		else
			json_u64(j, s->measures[i]);
	}
	json_close(j);
}

static void
json_vmas(struct json *j)
{
	unsigned i;

	json_key(j, "vmas");
	json_array(j);
	for (i = 0; i < region_count; i++) {
		const struct mapping *v = &regions[i];

		json_object(j);
		if (v->pid)
			json_ku64(j, "pid", (u64)v->pid);
		json_ku64(j, "start", v->start << page_shift);
		json_ku64(j, "end", (v->start + v->pages) << page_shift);
		json_kstrn(j, "name", v->name, v->name_len);
		json_counts(j, &v->n);
		json_close(j);
	}
	json_close(j);
}

static void
json_sample(const struct sample *s)
{
	struct json j;

	json_open(&j, &out, 0);
	json_object(&j);
	json_ku64(&j, "sample", s->number);
	json_key(&j, "time");
	json_fixed(&j, s->time / 1000, 6);
	json_key(&j, "est_seconds");
	json_fixed(&j, s->est / 1000, 6);
	json_taint(&j, s->taint);
	json_kstr(&j, "backend", backend_names[idle.backend]);
	json_ku64(&j, "page_size", page_size);
	json_ku64(&j, "processes", s->processes);
	json_ku64(&j, "gone", s->gone);
	json_ku64(&j, "denied", s->denied);
	json_counts(&j, &s->total);
	json_measures(&j, s);
	json_vmas(&j);
	json_close(&j);
}

/* ---- all ---- */

static void
wss_keep(const struct counts *n)
{
	((u64 *)wss.base)[wss_count++ % WSS_MAX] =
		(n->active + n->untracked) << page_shift;
}

void
idle_report_sample(const struct sample *s)
{
	incomplete += s->denied;
	if (idle.advice)
		wss_keep(&s->total);
	if (idle.json)
		json_sample(s);
	else if (!(idle.csv && idle.vmas))
		row_sample(s);
	if (!idle.json && idle.vmas)
		table_vmas(s);
	/* who waits for a sample gets it now */
	if (out_flush(&out) < 0)
		stop_signal = -1;
}

static int
u64_order(const void *a, const void *b, const void *arg)
{
	u64 x = *(const u64 *)a, y = *(const u64 *)b;

	(void)arg;
	return x < y ? -1 : x > y;
}

static u64
wss_percentile(unsigned percent)
{
	u64 n = wss_count < WSS_MAX ? wss_count : WSS_MAX;

	return n ? ((u64 *)wss.base)[(n * percent + 99) / 100 - 1] : 0;
}

static void
advice_print(void)
{
	char size[3][FMT_SIZE_MAX];

	fmt_size(size[0], wss_percentile(50));
	fmt_size(size[1], wss_percentile(95));
	fmt_size(size[2], wss_percentile(100));
	out_fmt(&out, "\nactive + untracked of %lu samples: median %s, "
		"95th percentile %s, largest %s\n", wss_count, size[0],
		size[1], size[2]);
	out_fmt(&out, "a limit to set: %s (the 95th percentile)\n", size[1]);
}

static void
advice_json(struct json *j)
{
	json_key(j, "advice");
	json_object(j);
	json_ku64(j, "samples", wss_count);
	json_ku64(j, "p50", wss_percentile(50));
	json_ku64(j, "p95", wss_percentile(95));
	json_ku64(j, "max", wss_percentile(100));
	json_close(j);
}

static void
close_json(void)
{
	struct json j;

	if (!idle.ages && !idle.reuse && !idle.advice)
		return;
	json_open(&j, &out, 0);
	json_object(&j);
	if (CFG_MEMIDLE_HISTORY)
		history_json(&j);
	if (idle.advice)
		advice_json(&j);
	json_close(&j);
}

int
idle_report_close(void)
{
	if (idle.advice)
		sort_items(wss.base, wss_count < WSS_MAX ? wss_count : WSS_MAX,
			8, u64_order, NULL);
	if (idle.json) {
		close_json();
	} else if (!idle.csv) {
		if (CFG_MEMIDLE_HISTORY)
			history_print(&out);
		if (CFG_MEMIDLE_HEAT && idle.heat)
			heat_print(&out);
		if (idle.advice)
			advice_print();
	}
	if (out_finish(&out, "standard output"))
		return EXIT_FAILED;
	return incomplete ? EXIT_PARTIAL : EXIT_DONE;
}
