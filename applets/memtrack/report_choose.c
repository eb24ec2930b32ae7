/* report_choose.c - which tasks or modules a report shows, and in which order:
 * the sorting, the throttle and top that all of them have.
 */
#include "memtrack.h"
#include "report.h"

const struct use *
report_use(enum tree_of of, u32 index)
{
	return of == TREE_TASK ? &task_at(index)->use : &module_at(index)->use;
}

const char *
report_name(enum tree_of of, u32 index, size_t *n)
{
	static char text[32];

	if (of == TREE_TASK) {
		const struct task *t = task_at(index);
		*n = t->name_len;
		if (t->name_len)
			return t->name;
		*n = (size_t)fmt_str(text, sizeof(text), "(%d)", t->pid);
		return text;
	}
	if (index == MODULE_KERNEL || module_at(index)->name[0]) {
		const char *s = index ? module_at(index)->name : "(kernel)";
		*n = strlen(s);
		return s;
	}
	*n = (size_t)fmt_str(text, sizeof(text), "(loading by %d)",
		module_at(index)->tid);
	return text;
}

struct order {
	enum tree_of of;
	enum sort_key key;
};

static int
by_use(const void *a, const void *b, const void *arg)
{
	const struct order *order = arg;
	u32 x = *(const u32 *)a, y = *(const u32 *)b;
	const struct use *u = report_use(order->of, x);
	const struct use *v = report_use(order->of, y);
	int by_peak = order->key == SORT_PEAK;

	if (by_peak && u->peak != v->peak)
		return u->peak > v->peak ? -1 : 1;
	if (u->live != v->live)
		return u->live > v->live ? -1 : 1;
	if (u->peak != v->peak)
		return u->peak > v->peak ? -1 : 1;
	return x < y ? -1 : x > y;
}

u32
report_sorted(enum tree_of of, enum sort_key key, u32 *index, u32 max)
{
	u32 count = of == TREE_TASK ? task_count() : module_count();
	u32 i, n = 0;
	struct order order = { of, key };

	for (i = of == TREE_MODULE; i < count && n < max; i++)
		if ((of == TREE_MODULE || task_at(i)) &&
		    (report_use(of, i)->live || report_use(of, i)->peak))
			index[n++] = i;
	sort_items(index, n, sizeof(*index), by_use, &order);
	return n;
}

u64
report_value(const struct report *r, u64 live, u64 peak)
{
	return r->key == SORT_PEAK ? peak : live;
}

struct quota
quota_of(const struct report *r, u64 all)
{
	return (struct quota){
		.pages = (all * r->throttle + 99) / 100,
		.items = r->top ? r->top : ~0u,
		.throttled = r->throttle && r->throttle < 100,
	};
}

int
quota_take(struct quota *q, u64 pages)
{
	if (!q->items || (q->throttled && !q->pages))
		return 0;
	q->items--;
	q->pages -= pages < q->pages ? pages : q->pages;
	return 1;
}

u32
report_choose(const struct report *r, enum tree_of of, u32 *index, u32 max)
{
	u32 n = report_sorted(of, r->key, index, max), i;
	struct quota q;
	u64 all = 0;

	for (i = 0; i < n; i++)
		all += report_value(r, report_use(of, index[i])->live,
			report_use(of, index[i])->peak);
	q = quota_of(r, all);
	for (i = 0; i < n; i++) {
		const struct use *u = report_use(of, index[i]);
		if (of == TREE_TASK && r->key == SORT_ALLOC && !u->live &&
		    u->peak < OLD_PEAK)
			break;
		if (!quota_take(&q, report_value(r, u->live, u->peak)))
			break;
	}
	return i;
}
