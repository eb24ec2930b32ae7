/* module.c - which module an allocation is for: by the innermost frame within
 * a module's text; else, while a module is loaded, that one; else none. */
#include "memtrack.h"

enum { MODULES_MAX = 512, LOADERS_MAX = 64 };

static struct module modules[MODULES_MAX];
static u32 used;
static u32 epoch;		/* grows when a range changes */
static struct place {
	u64 base, end;
	u32 module;
} places[MODULES_MAX];		/* of what is loaded, sorted */
static u32 place_count;

/* A thread that loads modules: the one whose name is not known yet, and the
 * one whose init runs. */
static struct loader {
	int tid;
	u32 coming, current;
} loaders[LOADERS_MAX];
static u32 loader_next;

struct module *
module_at(u32 index)
{
	return &modules[index];
}

u32
module_count(void)
{
	return used;
}

static int
is_free(const struct module *m)
{
	return !m->name[0] && !m->tid;
}

static u32
module_make(void)
{
	u32 i;

	for (i = 1; i < used && !is_free(&modules[i]); i++)
		;
	if (i == MODULES_MAX) {
		counts.overflow++;
		return MODULE_KERNEL;
	}
	if (i == used)
		used++;
	memset(&modules[i], 0, sizeof(modules[i]));
	return i;
}

static u32
module_find(const char *name, size_t n)
{
	u32 i;

	for (i = 1; i < used; i++)
		if (!strncmp(modules[i].name, name, n) && !modules[i].name[n])
			return i;
	return 0;
}

static void
set_name(struct module *m, const char *name, size_t n)
{
	memcpy(m->name, name, n);
	m->name[n] = 0;
	m->tid = 0;
}

u32
module_named(const char *name, size_t n)
{
	u32 i;

	if (n > MODULE_NAME - 1)
		n = MODULE_NAME - 1;
	if (!n)
		return MODULE_KERNEL;
	i = module_find(name, n);
	if (!i && (i = module_make()))
		set_name(&modules[i], name, n);
	return i;
}

/* ---- /proc/modules ---- */

static int
by_base(const void *a, const void *b, const void *arg)
{
	const struct place *x = a, *y = b;

	(void)arg;
	return x->base < y->base ? -1 : x->base > y->base;
}

u32
module_by_address(u64 addr)
{
	u32 low = 0, high = place_count, mid;

	while (low < high) {
		mid = (low + high) / 2;
		if (places[mid].base <= addr)
			low = mid + 1;
		else
			high = mid;
	}
	return low && addr < places[low - 1].end ? places[low - 1].module : 0;
}

/* The kernel tells one size for all parts of a module, and where its text is:
 * the text's area ends where the vmalloc area does. */
static void
clip(u64 start, u64 end, u64 pages, const char *caller)
{
	u32 i;

	(void)pages;
	(void)caller;
	for (i = 0; i < place_count; i++)
		if (places[i].base >= start && places[i].base < end &&
		    places[i].end > end)
			places[i].end = end;
}

/* "zram 40960 1 - Live 0xffffffffc052a000 (O)" */
static void
line_apply(char *line)
{
	const char *p = line, *name, *word = NULL;
	size_t n, len;
	u64 size, base;
	struct module *m;
	int i;

	name = scan_word(&p, &n);
	if (!name || scan_u64(&p, &size) < 0)
		return;
	for (i = 0; i < 4; i++)	/* users, their names, state, address */
		word = scan_word(&p, &len);
	if (!word || len < 3 || word[1] != 'x')
		return;
	word += 2;
	if (scan_hex(&word, &base) < 0)
		return;
	m = &modules[module_named(name, n)];
	if (m == modules)
		return;
	m->size = size;
	m->base = base;
	m->end = base + size;
}

static void
read_modules(void)
{
	static char buf[4096];
	struct lines l;
	char *line;
	size_t n;
	u32 i;
	int fd = root_open("/proc/modules", O_RDONLY);

	if (fd < 0)
		return;		/* a kernel without modules */
	for (i = 1; i < used; i++)
		modules[i].base = modules[i].end = modules[i].size = 0;
	lines_open(&l, fd, buf, sizeof(buf));
	while ((line = lines_next(&l, &n)))
		line_apply(line);
	close(fd);
}

static void
places_sort(void)
{
	u32 i;

	place_count = 0;
	for (i = 1; i < used; i++)
		if (modules[i].base)
			places[place_count++] = (struct place){
				modules[i].base, modules[i].end, i };
	if (!place_count)
		return;
	vmap_areas(clip);
	sort_items(places, place_count, sizeof(places[0]), by_base, NULL);
}

/* What of a module's size no event has shown is counted as it stands. */
static void
own_update(u32 i)
{
	struct module *m = &modules[i];
	u64 want = m->tracked ? (m->size + page_size - 1) >> page_shift : 0;
	u32 leaf;

	want = want > m->text ? want - m->text : 0;
	if (want == m->own)
		return;
	leaf = acct_leaf(m->own_task, i, STACK_OWN);
	if (want > m->own)
		leaf_add(leaf, want - m->own, last_ts);
	else
		leaf_sub(leaf, m->own - want);
	m->own = want;
}

void
module_refresh(void)
{
	u32 i;

	read_modules();
	places_sort();
	epoch++;
	for (i = 1; i < used; i++)
		own_update(i);
}

void
module_open(void)
{
	used = 1;
	epoch = 1;
	module_refresh();
}

/* ---- loading ---- */

static struct loader *
loader_of(int tid)
{
	struct loader *l;

	for (l = loaders; l < loaders + LOADERS_MAX; l++)
		if (l->tid == tid)
			return l;
	l = &loaders[loader_next++ % LOADERS_MAX];
	*l = (struct loader){ .tid = tid };
	return l;
}

static u32
coming_of(int tid)
{
	struct loader *l = loader_of(tid);

	if (!l->coming) {
		l->coming = module_make();
		if (l->coming)
			modules[l->coming].tid = tid;
	}
	return l->coming;
}

static u32
innermost(const struct stack *s)
{
	const u64 *f = stack_frames(s);
	u32 i, m;

	if (!place_count)
		return MODULE_KERNEL;
	for (i = 0; i < s->frames; i++)
		if (f[i] >= places[0].base && (m = module_by_address(f[i])))
			return m;
	return MODULE_KERNEL;
}

u32
module_of(struct stack *s, int tid)
{
	u32 m;

	if (s->epoch != epoch) {
		s->module = (u16)innermost(s);
		s->epoch = epoch;
	}
	if (s->module || !(s->flags & (STACK_LOADS | STACK_INITS)))
		return s->module;
	if (s->flags & STACK_INITS) {
		m = loader_of(tid)->current;
		if (!s->held) {
			s->held = 1;
			syms_learn_init(s, m);
		}
		return m;
	}
	return coming_of(tid);
}

/* The pages of the nameless one become the named one's, and its slot free. */
static void
merge(u32 from, u32 to)
{
	struct module *m = &modules[to], *f = &modules[from];

	acct_move(from, to);
	m->text += f->text;
	m->use.live += f->use.live;
	if (m->use.live > m->use.peak) {
		m->use.peak = m->use.live;
		m->use.peak_ts = last_ts;
	}
	memset(f, 0, sizeof(*f));
}

void
module_loaded(int tid, const char *name, size_t n)
{
	struct loader *l = loader_of(tid);

	if (n > MODULE_NAME - 1)
		n = MODULE_NAME - 1;
	l->current = module_find(name, n);
	if (l->coming && l->current) {
		merge(l->coming, l->current);
	} else if (l->coming) {
		l->current = l->coming;
		set_name(&modules[l->coming], name, n);
	} else {
		l->current = module_named(name, n);
	}
	l->coming = 0;
	if (l->current) {
		modules[l->current].tracked = 1;
		modules[l->current].own_task = task_of(tid);
	}
	module_refresh();
}

void
module_freed(const char *name, size_t n)
{
	u32 i = module_find(name, n);

	if (i) {
		modules[i].tracked = 0;
		syms_learn_module(i);
	}
	module_refresh();
}
