/* syms.c - addresses to names.
 *
 * kallsyms is read in one pass, never kept. For each address the symbol that
 * starts at or nearest below it is wanted: a symbol can only be that for the
 * first address at or above it, or for those that follow and have no nearer. So
 * each symbol costs one binary search, in whatever order they come.
 */
#include <sys/mman.h>

#include "memtrack.h"

enum {
	NAMES_SIZE = 4 << 20, SYMS_MAX = 32768,
	INTERN_HEADS = 32768, FAR = 1 << 20, LINES_A_POLL = 8192,
};
static char *names;
static u32 names_used;
static struct sym *syms;	/* the known ones, sorted, then new ones */
static u32 sym_count, sym_known;
static u64 *starts;		/* of the symbol found for a new one */
static char text_buf[16384];

const char *
syms_text(u32 at)
{
	return names + at;
}

u32
syms_put(const char *s, size_t n)
{
	u32 at = names_used;

	if (n + 1 > NAMES_SIZE - names_used)
		return 0;
	memcpy(names + at, s, n);
	names[at + n] = 0;
	names_used += (u32)n + 1;
	return at;
}

void
syms_open(void)
{
	static const char own[] = "module's own size (/proc/modules)";
	static struct arena memory;

	if (arena_open(&memory, NAMES_SIZE + SYMS_MAX *
			(sizeof(*syms) + sizeof(*starts)) + 64) < 0)
		die("no memory for symbols:");
	madvise(memory.base, memory.size, MADV_NOHUGEPAGE);
	names = arena_take(&memory, NAMES_SIZE);
	syms = arena_take(&memory, SYMS_MAX * sizeof(*syms));
	starts = arena_take(&memory, SYMS_MAX * sizeof(*starts));
	names_used = sym_count = sym_known = 0;
	syms_put(own, sizeof(own) - 1);
}

/* ---- names ---- */

static int
by_address(const void *a, const void *b, const void *arg)
{
	const struct sym *x = a, *y = b;

	(void)arg;
	return x->addr < y->addr ? -1 : x->addr > y->addr;
}

static u32
first_not_below(const struct sym *v, u32 n, u64 addr)
{
	u32 low = 0, high = n, mid;

	while (low < high) {
		mid = (low + high) / 2;
		if (v[mid].addr < addr)
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

static const struct sym *
sym_find(u64 addr)
{
	u32 i = first_not_below(syms, sym_known, addr);

	return i < sym_known && syms[i].addr == addr ? &syms[i] : NULL;
}

/* Sorts the new ones and throws doubles out. */
static void
tidy_new(void)
{
	struct sym *v = syms + sym_known;
	u32 n = sym_count - sym_known, i, kept = 0;

	sort_items(v, n, sizeof(*v), by_address, NULL);
	for (i = 0; i < n; i++)
		if (!kept || v[kept - 1].addr != v[i].addr)
			v[kept++] = v[i];
	sym_count = sym_known + kept;
}

static void
collect_new(void)
{
	u32 i, j;
	const u64 *f;

	for (i = 1; i < leaf_count(); i++) {
		const struct leaf *l = leaf_at(i);
		const struct stack *s = l ? stack_at(l->stack) : NULL;
		if (!s || !(l->live || l->peak))
			continue;
		f = stack_frames(s);
		for (j = 0; j < s->frames; j++) {
			if (f[j] >> 61 == FRAME_TEXT >> 61 ||
			    sym_find(f[j]))
				continue;
			if (sym_count == SYMS_MAX)
				tidy_new();
			if (sym_count < SYMS_MAX)
				syms[sym_count++] = (struct sym){ f[j] };
		}
	}
	tidy_new();
}

/* The last symbol that fell to one address: it is put down only when the next
 * one falls elsewhere, since most are followed by a nearer one. */
struct nearest {
	u32 at;			/* ~0 = none */
	u64 start;
	char name[256], module[MODULE_NAME];
};

static void
nearest_put(const struct nearest *p, struct sym *v)
{
	if (p->at == ~0u || starts[p->at] > p->start)
		return;
	starts[p->at] = p->start;
	v[p->at].name = syms_put(p->name, strlen(p->name));
	v[p->at].module = *p->module ? syms_put(p->module, strlen(p->module))
		: 0;
}

static void
nearest_offer(struct nearest *p, struct sym *v, u32 n, const struct ksym *s)
{
	u32 at;

	if ((s->type | 0x20) != 't' && (s->type | 0x20) != 'w')
		return;
	at = first_not_below(v, n, s->addr);
	if (at == n || starts[at] > s->addr)
		return;
	if (at == p->at && p->start == s->addr)
		return;		/* an alias: the first stands */
	if (at != p->at)
		nearest_put(p, v);
	p->at = at;
	p->start = s->addr;
	fmt_str(p->name, sizeof(p->name), "%s", s->name);
	fmt_str(p->module, sizeof(p->module), "%s", s->module);
}

/* The nearest symbol below may be of something else: of a module that is not
 * there, or of what has no symbols. */
static int
is_plausible(const struct sym *s, u64 start)
{
	u32 m;

	if (s->addr - start > FAR)
		return 0;
	m = module_by_address(s->addr);
	if (!s->module)
		return !m;
	return m ? !strcmp(module_at(m)->name, names + s->module)
		: s->addr - start < 4096;
}

static void
settle(struct sym *v, u32 n)
{
	u32 i;

	for (i = 1; i < n; i++)
		if (starts[i] < starts[i - 1]) {
			starts[i] = starts[i - 1];
			v[i].name = v[i - 1].name;
			v[i].module = v[i - 1].module;
		}
	for (i = 0; i < n; i++)
		if (v[i].name && !is_plausible(&v[i], starts[i]))
			v[i].name = v[i].module = 0;
}

static void
resolve_kernel(struct sym *v, u32 n)
{
	static struct nearest p;
	struct ksyms k;
	struct ksym s;
	u32 lines = 0;

	if (!n || ksyms_open(&k, text_buf, sizeof(text_buf)) < 0)
		return;
	memset(starts, 0, n * sizeof(*starts));
	p.at = ~0u;
	while (ksyms_next(&k, &s) > 0) {
		if (s.addr)
			nearest_offer(&p, v, n, &s);
		/* The pass takes long; the rings must not fill meanwhile. */
		if (!(++lines % LINES_A_POLL))
			trace_poll(0);
	}
	ksyms_close(&k);
	nearest_put(&p, v);
	settle(v, n);
}

void
syms_resolve(void)
{
	struct sym *v = syms + sym_known;
	u32 n, users;

	collect_new();
	n = sym_count - sym_known;
	users = first_not_below(v, n, 1ull << 63);
	if (CFG_MEMTRACK_USER_STACKS)
		user_resolve(v, users);
	resolve_kernel(v + users, n - users);
	sym_known = sym_count;
	sort_items(syms, sym_known, sizeof(*syms), by_address, NULL);
}

/* ---- what will be gone ---- */

static void
learn(u64 addr, u32 name, u32 module)
{
	u32 at = first_not_below(syms, sym_known, addr);

	if (sym_count != sym_known || sym_known == SYMS_MAX ||
	    (at < sym_known && syms[at].addr == addr))
		return;
	memmove(syms + at + 1, syms + at, (sym_known - at) * sizeof(*syms));
	syms[at] = (struct sym){ addr, name, module };
	sym_count = ++sym_known;
}

void
syms_learn_init(const struct stack *s, u32 module)
{
	const u64 *f = stack_frames(s);
	const char *name = module_at(module)->name;
	u32 i, init = 0, in = 0;

	if (!frames_classified())
		return;
	for (i = 0; i < s->frames; i++) {
		if (frame_inits(f[i]))
			break;
		if (frame_is_kernel(f[i]) || module_by_address(f[i]) ||
		    sym_find(f[i]))
			continue;
		if (!init) {
			init = syms_put("(init)", 6);
			in = syms_put(name, strlen(name));
		}
		learn(f[i], init, in);
	}
}

void
syms_learn_module(u32 module)
{
	const struct module *m = module_at(module);
	char text[32];
	u32 i, j, in = 0, n;

	for (i = 1; m->base && i < leaf_count(); i++) {
		const struct leaf *l = leaf_at(i);
		const struct stack *s = l ? stack_at(l->stack) : NULL;
		const u64 *f = s ? stack_frames(s) : NULL;
		for (j = 0; s && j < s->frames; j++) {
			if (f[j] < m->base || f[j] >= m->end ||
			    sym_find(f[j]))
				continue;
			if (!in)
				in = syms_put(m->name, strlen(m->name));
			n = (u32)fmt_str(text, sizeof(text), "(text+0x%lx)",
				(unsigned long)(f[j] - m->base));
			learn(f[j], syms_put(text, n), in);
		}
	}
}

const char *
sym_name(u64 frame, char *buf, size_t size)
{
	const struct sym *s;
	u32 m;

	if (frame >> 61 == FRAME_TEXT >> 61)
		return names + (u32)frame;
	s = sym_find(frame);
	if (CFG_MEMTRACK_USER_STACKS && !(frame >> 63))
		return user_sym(frame, s, buf, size);
	if (s && s->module)
		fmt_str(buf, size, "%s %s (0x%lx)", names + s->name,
			names + s->module, (unsigned long)frame);
	else if (s && s->name)
		fmt_str(buf, size, "%s (0x%lx)", names + s->name,
			(unsigned long)frame);
	else if ((m = module_by_address(frame)))
		fmt_str(buf, size, "%s+0x%lx (0x%lx)", module_at(m)->name,
			(unsigned long)(frame - module_at(m)->base),
			(unsigned long)frame);
	else
		fmt_str(buf, size, "(no symbol) (0x%lx)",
			(unsigned long)frame);
	return buf;
}

/* ---- names that are there already ---- */

u64
syms_intern(const char *s, size_t n)
{
	static u32 heads[INTERN_HEADS];
	u32 hash = 0, at;
	size_t i;

	for (i = 0; i < n; i++)
		hash = (hash ^ (u8)s[i]) * 0x01000193u;
	/* A full table only makes doubles, which cost names' room. */
	for (i = 0; i < 64; i++) {
		u32 *head = &heads[(hash + i) % INTERN_HEADS];
		if (!*head) {
			at = syms_put(s, n);
			*head = at;
			return FRAME_TEXT | at;
		}
		if (!strncmp(names + *head, s, n) && !names[*head + n])
			return FRAME_TEXT | *head;
	}
	return FRAME_TEXT | syms_put(s, n);
}
