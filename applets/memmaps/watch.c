/* watch.c - two samples side by side: regions of a process that overlap and
 * are of the same type and path are one region that changed. */
#include "watch.h"

enum { TOP_MAX = 1000 };

struct change {
	const struct record *now;	/* or, when gone, what was */
	s64 size, rss, pss, swap;	/* bytes */
	const char *state;
};

static struct store stores[2];
static struct change top[TOP_MAX];
static unsigned shown;
static u64 changed;
static struct change sum;
static struct json json;

/* ---- a sample into a store ---- */

static int
order_address(const void *a, const void *b, const void *arg)
{
	const struct record *ra = a, *rb = b;

	(void)arg;
	if (ra->pid != rb->pid)
		return ra->pid < rb->pid ? -1 : 1;
	return ra->start < rb->start ? -1 : ra->start > rb->start;
}

static void
sort_store(struct store *s)
{
	size_t i;

	for (i = 1; i < s->count; i++)
		if (order_address(store_at(s, i - 1), store_at(s, i), NULL) > 0)
			break;
	if (i < s->count)
		sort_items(s->arena.base, s->count, sizeof(struct record),
			order_address, NULL);
}

/* Processes read; the reasons for the others go to skipped. */
static u64
fill_store(struct store *s, struct skipped *skipped)
{
	static struct subject subject;
	static struct region g;
	struct targets t;
	enum skip why;
	u64 read = 0;
	int pid;

	if (!s->arena.base)
		store_open(s);
	store_clear(s);
	if (targets_open(&t) < 0)
		_exit(EXIT_FAILED);
	while (targets_next(&t, &pid)) {
		why = subject_open(&subject, pid);
		skipped->count[why]++;
		if (why != SKIP_NOT)
			continue;
		while (subject_next(&subject, &g) > 0)
			store_add(s, pid, &g);
		subject_close(&subject);
		read += subject.stat.state != 'Z';
	}
	targets_close(&t);
	sort_store(s);
	return read;
}

/* ---- the differences ---- */

static u64
weight(const struct change *c)
{
	s64 v = c->rss + c->swap;

	return v < 0 ? -(u64)v : (u64)v;
}

static u64
size_weight(const struct change *c)
{
	return c->size < 0 ? -(u64)c->size : (u64)c->size;
}

static int
outweighs(const struct change *a, const struct change *b)
{
	if (weight(a) != weight(b))
		return weight(a) > weight(b);
	return size_weight(a) > size_weight(b);
}

/* Keeps the biggest, in order. */
static void
keep(const struct change *c)
{
	unsigned i;

	if (!c->size && !c->rss && !c->pss && !c->swap)
		return;
	changed++;
	sum.size += c->size;
	sum.rss += c->rss;
	sum.pss += c->pss;
	sum.swap += c->swap;
	if (shown == ask.top && !outweighs(c, &top[shown - 1]))
		return;
	if (shown < ask.top)
		shown++;
	for (i = shown - 1; i && outweighs(c, &top[i - 1]); i--)
		top[i] = top[i - 1];
	top[i] = *c;
}

static void
add_record(struct change *c, const struct record *r, int sign)
{
	c->size += sign * (s64)(r->end - r->start);
	c->rss += sign * (s64)(r->kb[SMAPS_RSS] * KIB);
	c->pss += sign * (s64)(r->kb[SMAPS_PSS] * KIB);
	c->swap += sign * (s64)(r->kb[SMAPS_SWAP] * KIB);
}

static int
is_same(const struct record *a, const struct record *b)
{
	return a->pid == b->pid && a->type == b->type && a->path == b->path &&
		a->start < b->end && b->start < a->end;
}

static s64
growth(const struct record *now, const struct record *was)
{
	return ((s64)now->kb[SMAPS_RSS] + now->kb[SMAPS_SWAP]) -
		((s64)was->kb[SMAPS_RSS] + was->kb[SMAPS_SWAP]);
}

/* What --leak-suspects knows of a region goes on with it. */
static void
inherit(struct record *now, const struct record *was)
{
	s64 grown = growth(now, was);

	now->grew = was->grew + (grown > 0);
	now->shrank = was->shrank + (grown < 0);
	now->first_rss = was->first_rss;
	now->first_swap = was->first_swap;
}

/* Both sorted by process and address. An old region counts for the first new
 * one it overlaps. */
static void
compare(struct store *old, struct store *new)
{
	size_t i, k, from = 0;

	shown = 0;
	changed = 0;
	sum = (struct change){ 0 };
	for (i = 0; i < new->count; i++) {
		struct record *n = store_at(new, i);
		struct change c = { .now = n, .state = "new" };

		while (from < old->count && (store_at(old, from)->pid < n->pid ||
		       (store_at(old, from)->pid == n->pid &&
			store_at(old, from)->end <= n->start)))
			from++;
		add_record(&c, n, 1);
		for (k = from; k < old->count; k++) {
			struct record *o = store_at(old, k);

			if (o->pid != n->pid || o->start >= n->end)
				break;
			if (o->matched || !is_same(o, n))
				continue;
			o->matched = 1;
			add_record(&c, o, -1);
			inherit(n, o);
			c.state = "changed";
		}
		keep(&c);
	}
	for (k = 0; k < old->count; k++) {
		struct change c = { .now = store_at(old, k), .state = "gone" };

		if (c.now->matched)
			continue;
		add_record(&c, c.now, -1);
		keep(&c);
	}
}

/* ---- the view ---- */

static const struct col cols[] = {
	{ "pid", 7, COL_COUNT }, { "start-end", -25, COL_TEXT },
	{ "size", 11, COL_TEXT }, { "rss", 11, COL_TEXT },
	{ "pss", 11, COL_TEXT }, { "swap", 11, COL_TEXT },
	{ "state", -7, COL_TEXT }, { "type", -11, COL_TEXT },
	{ "subtype", -12, COL_TEXT }, { "path", 0, COL_TEXT },
};

static void
put_signed(struct rows *r, s64 v)
{
	char text[FMT_SIZE_MAX + 1], size[FMT_SIZE_MAX];
	u64 absolute = v < 0 ? -(u64)v : (u64)v;

	if (ask.bytes)
		fmt_u64(size, absolute, 10);
	else
		fmt_size(size, absolute);
	fmt_str(text, sizeof(text), "%s%s", v > 0 ? "+" : v < 0 ? "-" : "",
		size);
	rows_text(r, text);
}

static void
put_change(struct rows *r, const struct change *c)
{
	const struct record *n = c->now;
	char range[40];

	fmt_str(range, sizeof(range), "%lx-%lx", n->start, n->end);
	rows_u64(r, (u64)n->pid);
	rows_text(r, range);
	put_signed(r, c->size);
	put_signed(r, c->rss);
	put_signed(r, c->pss);
	put_signed(r, c->swap);
	rows_text(r, c->state);
	rows_text(r, region_type_names[n->type]);
	rows_text(r, n->kind ? region_kind_names[n->kind] : "-");
	rows_text(r, name_text(n->path));
	rows_end(r);
}

static void
put_sum(struct rows *r)
{
	char text[40];

	fmt_str(text, sizeof(text), "total: %lu changed", changed);
	rows_null(r);
	rows_text(r, text);
	put_signed(r, sum.size);
	put_signed(r, sum.rss);
	put_signed(r, sum.pss);
	put_signed(r, sum.swap);
	while (r->at < r->ncols)
		rows_text(r, "");
	rows_end(r);
}

static void
show_table(void)
{
	struct rows rows;
	unsigned i;

	rows_open(&rows, &report, ROWS_TABLE, cols, ARRAY_LEN(cols));
	rows_pass(&rows);
	for (i = 0; i < shown; i++)
		put_change(&rows, &top[i]);
	put_sum(&rows);
}

static void
json_deltas(const struct change *c)
{
	static const char *const keys[] = { "size_delta", "rss_delta",
		"pss_delta", "swap_delta" };
	const s64 values[] = { c->size, c->rss, c->pss, c->swap };
	unsigned i;

	for (i = 0; i < ARRAY_LEN(keys); i++) {
		json_key(&json, keys[i]);
		json_s64(&json, values[i]);
	}
}

static void
json_change(const struct change *c)
{
	const struct record *n = c->now;

	json_object(&json);
	json_ku64(&json, "pid", (u64)n->pid);
	json_ku64(&json, "start", n->start);
	json_ku64(&json, "end", n->end);
	json_kstr(&json, "state", c->state);
	json_deltas(c);
	json_ku64(&json, "rss", n->kb[SMAPS_RSS] * KIB);
	if (ask.leaks) {
		json_ku64(&json, "grew", n->grew);
		json_ku64(&json, "shrank", n->shrank);
	}
	json_kstr(&json, "type", region_type_names[n->type]);
	json_kstr(&json, "subtype", region_kind_names[n->kind]);
	json_kstr(&json, "path", name_text(n->path));
	json_close(&json);
}

static void
show_json(void)
{
	unsigned i;

	json_open(&json, &report, ask.compact || ask.sampling ? 0 : 2);
	json_object(&json);
	json_ku64(&json, "timestamp_ms", wall_ns() / 1000000);
	json_ku64(&json, "changed", changed);
	json_deltas(&sum);
	json_key(&json, "changes");
	json_array(&json);
	for (i = 0; i < shown; i++)
		json_change(&top[i]);
	json_close(&json);
	json_close(&json);
}

static void
show(void)
{
	if (ask.json)
		show_json();
	else
		show_table();
}

/* ---- --watch ---- */

/* A sample into the store that is not the last one's; < 0 when nothing is left
 * of what was named. */
static int
next_sample(struct store **old, struct store **new)
{
	static unsigned samples;
	static struct skipped first;
	struct skipped skipped = { 0 };
	u64 read;
	int code = 0;

	*new = &stores[samples % 2];
	*old = samples ? &stores[(samples + 1) % 2] : NULL;
	read = fill_store(*new, &skipped);
	if (!samples++) {
		first = skipped;
		if (ask.all)
			code = skipped_tell(&first, read);
	}
	if (read)
		return code;
	if (!*old)
		die("none of the processes can be read: no such process, or "
			"denied");
	note("%s: ended", applet_name);
	return -1;
}

int
watch_sample(void)
{
	struct store *old, *new;
	char when[FMT_TIME_MAX];
	int code = next_sample(&old, &new);

	if (code < 0 || !old)
		return code;
	compare(old, new);
	if (!ask.json)
		out_fmt(&report, "%s\n", fmt_time(when,
			(s64)(wall_ns() / 1000000000)));
	show();
	return code;
}

/* ---- --leak-suspects ---- */

static struct store *latest;
static u64 samples_taken;

int
leak_sample(void)
{
	struct store *old, *new;
	int code = next_sample(&old, &new);

	if (code < 0)
		return code;
	if (old)
		compare(old, new);
	latest = new;
	samples_taken++;
	return code;
}

void
leak_report(void)
{
	size_t i;

	shown = 0;
	changed = 0;
	sum = (struct change){ 0 };
	for (i = 0; latest && i < latest->count; i++) {
		const struct record *r = store_at(latest, i);
		struct change c = { .now = r, .state = "grows" };

		/* One step may be the program's start. */
		if (r->shrank || r->grew < 2)
			continue;
		c.rss = ((s64)r->kb[SMAPS_RSS] - r->first_rss) * (s64)KIB;
		c.swap = ((s64)r->kb[SMAPS_SWAP] - r->first_swap) * (s64)KIB;
		keep(&c);
	}
	if (!ask.json)
		out_fmt(&report, "%lu samples; regions that grew twice or more "
			"and never shrank:\n", samples_taken);
	show();
}

/* ---- --diff ---- */

static int
load(struct store *s, const char *file)
{
	struct skipped skipped = { 0 };
	struct stat st;

	store_open(s);
	if (stat(file, &st) < 0)
		die("%s:", file);
	if (!S_ISDIR(st.st_mode)) {
		int has_rss = load_json(file, s);

		sort_store(s);
		return has_rss;
	}
	if (root_set(file) < 0)
		die("%s:", file);
	ask.all = ask.smaps = 1;
	if (!fill_store(s, &skipped))
		die("%s: no processes in it: not the directory of an unpacked "
			"--snapshot", file);
	return 1;
}

int
diff_files(void)
{
	int a = load(&stores[0], ask.pids[0]), b = load(&stores[1], ask.pids[1]);

	if (a != b)
		warn("%s has no RSS: made without --smaps",
			ask.pids[a ? 1 : 0]);
	compare(&stores[0], &stores[1]);
	show();
	return EXIT_DONE;
}
