/* taint.c - who else clears accessed bits. A sample during which somebody did
 * is marked: its active pages may look idle. */
#include "memidle.h"

static u64 generations, numa, reclaim;
static int owner;

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
look(u64 *gen, u64 *hints, u64 *scanned)
{
	static char buf[16384];

	*gen = lru_gen_enabled() ? lru_gen_sum() : 0;
	*hints = *scanned = 0;
	if (root_slurp("/proc/vmstat", buf, sizeof(buf)) < 0)
		return;
	*hints = vmstat(buf, "numa_pte_updates");
	*scanned = vmstat(buf, "pgscan_kswapd") + vmstat(buf, "pgscan_direct");
}

void
taint_before(void)
{
	look(&generations, &numa, &reclaim);
	owner = kdamond_owner();
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

unsigned
taint_after(const struct sample *s)
{
	u64 gen, hints, scanned;
	unsigned taint = 0, i;

	look(&gen, &hints, &scanned);
	if (idle.backend != BACKEND_LRU_GEN && lru_gen_enabled() &&
	    (gen != generations || (!gen && scanned != reclaim)))
		taint |= TAINT_LRU_GEN;
	if (idle.backend != BACKEND_DAMON &&
	    (owner > 0 || kdamond_owner() > 0))
		taint |= TAINT_DAMON;
	if (hints != numa)
		taint |= TAINT_NUMA;
	if (idle.backend <= BACKEND_CLEAR_REFS && all_idle_though_running(s))
		taint |= TAINT_REFS;
	for (i = 0; i < watched_count; i++) {
		taint |= watched[i].execed && !watched[i].gone ? TAINT_EXEC : 0;
		taint |= watched[i].stopped && !watched[i].gone
			? TAINT_STOPPED : 0;
	}
	return taint;
}
