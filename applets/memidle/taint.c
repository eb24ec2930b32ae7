/* taint.c - who else clears accessed bits. A sample during which somebody did
 * is marked: its active pages may look idle. */
#include "memidle.h"

/* What moves when somebody does. */
static struct seen {
	u64 generations;	/* MGLRU's, summed */
	u64 hints;		/* NUMA balancing's in page tables */
	u64 scanned;		/* pages that reclaim looked at */
	u64 collapsed;		/* huge pages made of small ones */
	int owner;		/* of DAMON */
} before, now;
static int looked;

/* The youngest generation's number, summed over cgroups and nodes: it moves
 * when any of them is aged. The file's lines are "memcg", " node", and a line
 * a generation. 0 when debugfs cannot tell. */
static u64
lru_gen_sum(void)
{
	static char buf[512];
	struct lines l;
	const char *s;
	char *line;
	size_t n;
	u64 sum = 0, last = 0, v;
	int fd = root_open("/sys/kernel/debug/lru_gen", O_RDONLY);

	if (fd < 0)
		return 0;
	lines_open(&l, fd, buf, sizeof(buf));
	while ((line = lines_next(&l, &n))) {
		s = line;
		if (scan_u64(&s, &v) == 0) {
			last = v;
		} else {
			sum += last;
			last = 0;
		}
	}
	close(fd);
	return sum + last;
}

/* A counter of /proc/vmstat: "name value". */
static u64
vmstat(const char *text, const char *name)
{
	size_t n = strlen(name);
	const char *s = text;
	u64 v = 0;

	for (; s; s = strchr(s, '\n')) {
		s += *s == '\n';
		if (!strncmp(s, name, n) && s[n] == ' ') {
			s += n;
			scan_u64(&s, &v);
			return v;
		}
	}
	return 0;
}

static void
look(struct seen *seen)
{
	static char buf[16384];

	*seen = (struct seen){ .owner = kdamond_owner() };
	if (lru_gen_enabled())
		seen->generations = lru_gen_sum();
	if (root_slurp("/proc/vmstat", buf, sizeof(buf)) < 0)
		return;
	seen->hints = vmstat(buf, "numa_pte_updates");
	seen->scanned = vmstat(buf, "pgscan_anon") +
		vmstat(buf, "pgscan_file");
	seen->collapsed = vmstat(buf, "thp_collapse_alloc");
}

/* From one sample to the next nothing is left out: what was found idle is not
 * marked anew. */
void
taint_before(void)
{
	if (!looked)
		look(&now);
	looked = 1;
	before = now;
}

/* Who runs touches his stack at least: nothing but idle pages are somebody
 * else's clearing. It is a guess, so its name has a question mark. */
static int
all_idle_though_running(const struct sample *s)
{
	unsigned i;

	if (s->total.active || s->total.idle < 16)
		return 0;
	for (i = 0; i < watched_count; i++)
		if (watched[i].ran)
			return 1;
	return 0;
}

/* MGLRU takes accessed bits away when it ages and, around the pages that it
 * looks at, when it reclaims. */
static unsigned
others(void)
{
	unsigned taint = 0;

	if (idle.backend != BACKEND_LRU_GEN && lru_gen_enabled() &&
	    (now.generations != before.generations ||
	     now.scanned != before.scanned))
		taint |= TAINT_LRU_GEN;
	if (idle.backend != BACKEND_DAMON &&
	    (before.owner > 0 || now.owner > 0))
		taint |= TAINT_DAMON;
	if (now.hints != before.hints)
		taint |= TAINT_NUMA;
	/* a huge page that was made of idle pages is new */
	if (now.collapsed != before.collapsed &&
	    (idle.backend == BACKEND_CLEAR_REFS || bitmap_folio_came()))
		taint |= TAINT_COLLAPSE;
	return taint;
}

unsigned
taint_after(const struct sample *s)
{
	unsigned taint, i;

	look(&now);
	taint = others();
	if (idle.backend <= BACKEND_CLEAR_REFS && all_idle_though_running(s))
		taint |= TAINT_REFS;
	for (i = 0; i < watched_count; i++) {
		taint |= watched[i].execed && !watched[i].gone ? TAINT_EXEC : 0;
		taint |= watched[i].stopped && !watched[i].gone
			? TAINT_STOPPED : 0;
	}
	return taint;
}
