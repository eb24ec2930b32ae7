/* lru_gen.c - the multi-generational LRU (mm/vmscan.c), for cgroups and the
 * machine. Aging makes a new youngest generation, and what was accessed since
 * the aging before moves to the one that was youngest until then. So after an
 * aging at the begin and one at the end of an interval, what was touched in it
 * is in the two youngest generations.
 */
#include "memidle.h"

#define LRU_GEN "/sys/kernel/debug/lru_gen"
#define ENABLED "/sys/kernel/mm/lru_gen/enabled"

enum { LISTS_MAX = 16384, GENERATIONS = 8, LIST_NAME = 232 };
struct list {			/* of a cgroup on a node */
	u64 memcg, node;
	unsigned count;		/* generations, oldest first */
	u64 number[GENERATIONS];
	u64 pages[GENERATIONS][2];	/* anon, file */
	char name[LIST_NAME];	/* the cgroup's path */
};

static struct arena arena;
static struct list *lists;
static unsigned list_count;

/* The cgroup's path as the kernel has it, from its root. */
static const char *
wanted_path(void)
{
	static const char root[] = "/sys/fs/cgroup";
	size_t n = sizeof(root) - 1;

	if (idle.kind != TARGET_CGROUP)
		return "/";
	return !strncmp(idle.cgroup, root, n)
		? idle.cgroup[n] ? idle.cgroup + n : "/" : idle.cgroup;
}

/* It or one below it. */
static int
is_wanted(const char *path)
{
	const char *want = wanted_path();
	size_t n = strlen(want);

	while (n && want[n - 1] == '/')
		n--;
	return !strncmp(path, want, n) && (!path[n] || path[n] == '/');
}

static u64
next_u64(const char **s)
{
	u64 v = 0;

	scan_u64(s, &v);
	return v;
}

/* "memcg  ID PATH" */
static void
memcg_line(const char *s, u64 *memcg, char *name)
{
	*memcg = next_u64(&s);
	s += strspn(s, " ");
	fmt_str(name, LIST_NAME, "%.*s", (int)strcspn(s, " \n"), s);
}

/* "NUMBER AGE ANON FILE" */
static void
generation_line(struct list *l, const char *s)
{
	unsigned g = l->count;

	if (g == GENERATIONS)
		return;
	l->number[g] = next_u64(&s);
	next_u64(&s);
	l->pages[g][0] = next_u64(&s);
	l->pages[g][1] = next_u64(&s);
	l->count++;
}

static void
node_line(u64 memcg, u64 node, const char *name)
{
	struct list *l = &lists[list_count];

	if (list_count == LISTS_MAX)
		die("more than %d cgroups (LISTS_MAX)", LISTS_MAX);
	*l = (struct list){ .memcg = memcg, .node = node };
	strcpy(l->name, name);
	list_count++;
}

static void
load(void)
{
	static char buf[8192], name[LIST_NAME];
	struct lines lines;
	const char *s;
	char *line;
	size_t n;
	u64 memcg = 0;
	int fd = open(LRU_GEN, O_RDONLY | O_CLOEXEC), wanted = 0;

	if (fd < 0)
		die("open " LRU_GEN ":");
	list_count = 0;
	lines_open(&lines, fd, buf, sizeof(buf));
	while ((line = lines_next(&lines, &n))) {
		s = line + strspn(line, " ");
		if (!strncmp(s, "memcg", 5)) {
			memcg_line(s + 5, &memcg, name);
			wanted = is_wanted(name);
		} else if (wanted && !strncmp(s, "node", 4)) {
			s += 4;
			node_line(memcg, next_u64(&s), name);
		} else if (wanted && list_count) {
			generation_line(&lists[list_count - 1], s);
		}
	}
	close(fd);
	if (!list_count)
		die("no cgroup %s in " LRU_GEN, wanted_path());
}

/* "+ memcg node generation can_swap force_scan": a cgroup that is gone by now
 * is no error. */
static void
age_all(void)
{
	char text[96];
	unsigned i;

	load();
	for (i = 0; i < list_count; i++) {
		const struct list *l = &lists[i];

		if (!l->count)
			continue;
		fmt_str(text, sizeof(text), "+ %lu %lu %lu 1 1", l->memcg,
			l->node, l->number[l->count - 1]);
		if (write_text(LRU_GEN, text) < 0 && errno != EINVAL &&
		    errno != ERANGE)
			die("write " LRU_GEN ":");
		throttle();
	}
}

/* Aging, too, clears accessed bits without a flush. */
static void
set(void)
{
	age_all();
	flush_targets();
}

static void
emit_list(struct sample *s, const struct list *l, int file)
{
	char name[LIST_NAME + 40];
	struct mapping given = { .name = name }, *r;
	unsigned g;

	given.name_len = (size_t)fmt_str(name, sizeof(name), "%s node %lu %s",
		l->name, l->node, file ? "file" : "anon");
	r = emit_region(&given);
	if (!r)
		return;
	for (g = 0; g < l->count; g++) {
		counts_page(&r->n, g + 2 >= l->count ? PAGE_ACTIVE : PAGE_IDLE,
			l->pages[g][file]);
		r->pages += l->pages[g][file];
	}
	pages_walked += r->pages;
	counts_add(&s->total, &r->n);
	emit_region_end(r);
}

static void
read_sample(struct sample *s)
{
	unsigned i;

	age_all();
	s->read_at = now_ns();
	load();
	for (i = 0; i < list_count; i++) {
		emit_list(s, &lists[i], 0);
		emit_list(s, &lists[i], 1);
	}
}

static void
open_backend(void)
{
	char old[32] = "";

	if (arena_open(&arena, LISTS_MAX * sizeof(*lists)) < 0)
		die("memory for the list of cgroups:");
	lists = (void *)arena.base;
	if (lru_gen_enabled())
		return;
	root_slurp(ENABLED, old, sizeof(old));
	old[strcspn(old, "\n")] = 0;
	keep_file(ENABLED, old);
	if (write_text(ENABLED, "y") < 0)
		die("write " ENABLED ":");
}

/* The list of cgroups takes what is used of it: a page for a dozen. */
static u64
memory(void)
{
	return list_count * sizeof(*lists);
}

const struct backend_ops lru_gen_ops = {
	"lru_gen", open_backend, set, read_sample, memory,
};
