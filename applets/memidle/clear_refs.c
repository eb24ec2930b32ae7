/* clear_refs.c - the backend of every kernel: 1 to clear_refs, later the sums
 * of "Referenced" in smaps. A VMA is the smallest thing it sees. */
#include "memidle.h"

static void
set(void)
{
	unsigned i;

	for (i = 0; i < watched_count; i++) {
		struct target *t = &watched[i];

		if (!t->gone && clear_refs(t->pid, 1) < 0)
			t->denied = errno == EACCES || errno == EPERM;
		throttle();
	}
	flush_targets();
}

static u64
field_pages(const char *text)
{
	u64 kib = 0;

	scan_u64(&text, &kib);
	return kib * KIB >> page_shift;
}

static void
take_field(struct counts *n, const char *key, const char *text)
{
	if (!strcmp(key, "Rss"))
		n->present += field_pages(text);
	else if (!strcmp(key, "Referenced"))
		n->active = field_pages(text);
	else if (!strcmp(key, "Swap"))
		n->swap = field_pages(text);
	else if (!strcmp(key, "Shared_Hugetlb") ||
		 !strcmp(key, "Private_Hugetlb"))
		n->untracked += field_pages(text);
}

static void
read_vma(struct maps *m, const struct target *t, const struct vma *v,
	struct sample *s)
{
	struct mapping given = {
		.pid = t->pid, .start = v->start >> page_shift,
		.pages = (v->end - v->start) >> page_shift, .perm = v->perm,
		.name = v->path, .name_len = v->path_len,
	};
	struct mapping *r = emit_region(&given);
	const char *key, *text;

	if (!r)
		return;
	while (smaps_field(m, &key, &text))
		take_field(&r->n, key, text);
	if (r->n.active > r->n.present)
		r->n.active = r->n.present;
	r->n.idle = r->n.present - r->n.active;
	r->n.present += r->n.untracked;	/* hugetlb is not in Rss */
	pages_walked += r->n.present;
	counts_add(&s->total, &r->n);
	emit_region_end(r);
}

static void
read_process(struct target *t, struct sample *s)
{
	static char buf[8192];
	struct maps m;
	struct vma v;

	if (maps_open(&m, t->pid, "smaps", buf, sizeof(buf)) < 0) {
		t->denied = errno == EACCES || errno == EPERM;
		return;
	}
	while (maps_next(&m, &v) > 0) {
		if (vma_filter_wants(&v))
			read_vma(&m, t, &v, s);
		throttle();
	}
	maps_close(&m);
}

static void
read_sample(struct sample *s)
{
	unsigned i;

	for (i = 0; i < watched_count; i++)
		if (!watched[i].gone)
			read_process(&watched[i], s);
}

static void
open_backend(void)
{
}

static u64
memory(void)
{
	return 0;
}

const struct backend_ops clear_refs_ops = {
	"clear_refs", open_backend, set, read_sample, memory,
};
