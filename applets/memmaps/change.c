/* change.c - two samples side by side: regions of a process that overlap and
 * are of the same type and path are one region that changed. The biggest
 * changes are kept and shown. */
#include "watch.h"

enum { TOP_MAX = 1000 };

static struct change top[TOP_MAX];
static unsigned shown;
static u64 changed;
static struct change sum;
static struct json json;

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
void
change_keep(const struct change *c)
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

void
change_clear(void)
{
	shown = 0;
	changed = 0;
	sum = (struct change){ 0 };
}

/* Both sorted by process and address. An old region counts for the first new
 * one it overlaps. */
void
change_compare(struct store *old, struct store *new)
{
	size_t i, k, from = 0;

	change_clear();
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
		change_keep(&c);
	}
	for (k = 0; k < old->count; k++) {
		struct change c = { .now = store_at(old, k), .state = "gone" };

		if (c.now->matched)
			continue;
		add_record(&c, c.now, -1);
		change_keep(&c);
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

void
change_show(void)
{
	if (ask.json)
		show_json();
	else
		show_table();
}
