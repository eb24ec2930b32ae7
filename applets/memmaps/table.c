/* table.c - regions as a table, one process or many, in the order of address
 * or of what matters most. */
#include "memmaps.h"
#include "store.h"

enum { COLS_MAX = 48 };

static struct col cols[COLS_MAX];
static unsigned ncols;
static struct rows rows;
static struct subject subject;

static void
add_col(const char *name, int width, enum col_type type)
{
	cols[ncols++] = (struct col){ .name = name, .width = (signed char)width,
		.type = (u8)type };
}

static int
is_many(void)
{
	return ask.all || ask.pid_count > 1;
}

/* The plain table shows these of smaps; --extended all others too. */
static int
is_extra(unsigned key)
{
	return key != SMAPS_SIZE && key != SMAPS_RSS && key != SMAPS_PSS &&
		key != SMAPS_SWAP;
}

static int
is_plain_number(unsigned key)
{
	return key == SMAPS_THP_ELIGIBLE || key == SMAPS_PROTECTION_KEY;
}

static void
make_cols(void)
{
	unsigned key;
	int size = ask.bytes ? 14 : 9;

	if (is_many())
		add_col("pid", 7, COL_COUNT);
	add_col("start-end", -25, COL_TEXT);
	add_col("perm", -4, COL_TEXT);
	add_col("size", size, COL_BYTES);
	add_col("rss", size, COL_BYTES);
	add_col("pss", size, COL_BYTES);
	add_col("swap", size, COL_BYTES);
	for (key = 0; ask.extended && key < SMAPS_KEYS; key++)
		if (is_extra(key))
			add_col(smaps_key_names[key],
				(int)strlen(smaps_key_names[key]) < size ? size
				: (int)strlen(smaps_key_names[key]),
				is_plain_number(key) ? COL_COUNT : COL_BYTES);
	if (ask.extended) {
		add_col("offset", 8, COL_HEX);
		add_col("device", -6, COL_TEXT);
		add_col("inode", 8, COL_COUNT);
		add_col("vmflags", -36, COL_TEXT);
	}
	add_col("type", -11, COL_TEXT);
	add_col("subtype", -12, COL_TEXT);
	add_col("path", 0, COL_TEXT);
}

static void
put_extra(const struct region *g)
{
	const struct vma *v = &g->vma;
	char device[16];
	unsigned key;

	for (key = 0; key < SMAPS_KEYS; key++) {
		if (!is_extra(key))
			continue;
		if (!(g->seen >> key & 1))
			rows_null(&rows);
		else
			rows_u64(&rows, is_plain_number(key) ? g->kb[key]
				: g->kb[key] * KIB);
	}
	fmt_str(device, sizeof(device), "%02x:%02x", v->major, v->minor);
	rows_u64(&rows, v->offset);
	rows_text(&rows, device);
	rows_u64(&rows, v->inode);
	rows_text(&rows, g->flags);
}

static void
put_row(int pid, const struct region *g)
{
	const struct vma *v = &g->vma;
	char range[40];

	fmt_str(range, sizeof(range), "%lx-%lx", v->start, v->end);
	if (is_many())
		rows_u64(&rows, (u64)pid);
	rows_text(&rows, range);
	rows_text(&rows, perm_texts[v->perm]);
	rows_u64(&rows, v->end - v->start);
	rows_u64(&rows, g->kb[SMAPS_RSS] * KIB);
	rows_u64(&rows, g->kb[SMAPS_PSS] * KIB);
	rows_u64(&rows, g->kb[SMAPS_SWAP] * KIB);
	if (ask.extended)
		put_extra(g);
	rows_text(&rows, region_type_names[g->type]);
	rows_text(&rows, *region_kind_names[g->kind]
		? region_kind_names[g->kind] : "-");
	rows_textn(&rows, v->path, v->path_len);
	rows_end(&rows);
}

/* Shared pages are in the RSS of each process that maps them: RSS has no sum
 * over processes, PSS has. pid 0: of all. */
static void
put_totals(int pid, const struct totals *t, const char *name)
{
	char text[40];

	fmt_str(text, sizeof(text), "total: %lu regions", t->regions);
	if (is_many() && pid)
		rows_u64(&rows, (u64)pid);
	else if (is_many())
		rows_null(&rows);
	rows_text(&rows, text);
	rows_text(&rows, "");
	rows_u64(&rows, t->vsize);
	if (pid)
		rows_u64(&rows, t->rss);
	else
		rows_null(&rows);
	rows_u64(&rows, t->pss);
	rows_u64(&rows, t->swap);
	while (rows.at < rows.ncols - 1)
		rows_text(&rows, "");
	rows_text(&rows, name);
	rows_end(&rows);
}

static int
order_records(const void *a, const void *b, const void *arg)
{
	static const u8 keys[] = { [BY_RSS] = SMAPS_RSS,
		[BY_PSS] = SMAPS_PSS, [BY_SWAP] = SMAPS_SWAP };
	const struct record *ra = a, *rb = b;
	u64 x, y;

	(void)arg;
	if (ask.order == BY_SIZE) {
		x = ra->end - ra->start;
		y = rb->end - rb->start;
	} else {
		x = ra->kb[keys[ask.order]];
		y = rb->kb[keys[ask.order]];
	}
	if (x != y)
		return x > y ? -1 : 1;
	if (ra->pid != rb->pid)
		return ra->pid < rb->pid ? -1 : 1;
	return ra->start < rb->start ? -1 : 1;
}

static void
put_sorted(struct store *s)
{
	static struct region g;
	size_t i;

	sort_items(s->arena.base, s->count, sizeof(struct record),
		order_records, NULL);
	for (i = 0; i < s->count; i++) {
		record_region(store_at(s, i), &g);
		put_row(store_at(s, i)->pid, &g);
	}
}

/* One process's rows, or its regions into the store. */
static enum skip
table_process(int pid, struct store *store, struct totals *all)
{
	static struct region g;
	struct totals t = { 0 };
	enum skip why = subject_open(&subject, pid);
	int r;

	if (why != SKIP_NOT)
		return why;
	while ((r = subject_next(&subject, &g)) > 0) {
		totals_add(&t, &g);
		if (store)
			store_add(store, pid, &g);
		else
			put_row(pid, &g);
	}
	if (r < 0)
		why = skip_of_errno();
	subject_close(&subject);
	if (t.regions && !store)
		put_totals(pid, &t, subject.stat.comm);
	all->regions += t.regions;
	all->vsize += t.vsize;
	all->rss += t.rss;
	all->pss += t.pss;
	all->swap += t.swap;
	return why;
}

int
table_sample(void)
{
	static struct store store;
	struct store *sorted = ask.order == BY_ADDRESS ? NULL : &store;
	struct skipped skipped = { 0 };
	struct totals all = { 0 };
	struct targets t;
	u64 read = 0;
	int pid = 0;

	if (!ncols)
		make_cols();
	if (sorted && !store.arena.base)
		store_open(&store);
	store_clear(&store);
	if (targets_open(&t) < 0)
		return EXIT_FAILED;
	rows_open(&rows, &report, ROWS_TABLE, cols, ncols);
	rows.bytes = ask.bytes;
	rows_pass(&rows);
	while (!stop_signal && targets_next(&t, &pid)) {
		enum skip why = table_process(pid, sorted, &all);

		skipped.count[why]++;
		read += why == SKIP_NOT;
		if (why != SKIP_NOT && !ask.all)
			skip_tell(pid, why);
		else if (!ask.all)
			empty_tell(pid);
	}
	targets_close(&t);
	if (sorted)
		put_sorted(sorted);
	if (is_many() || sorted)
		put_totals(is_many() ? 0 : pid, &all, "");
	if (stop_signal)
		warn("stopped by a signal: the rest was not read");
	if (!ask.all && !read)
		return EXIT_FAILED;
	if (stop_signal || (!ask.all && read < ask.pid_count))
		return EXIT_PARTIAL;
	return ask.all ? skipped_tell(&skipped, read) : EXIT_DONE;
}
