/* t-memstats - filters, classes against a quadratic reference, names of
 * containers, environments. */
#include "applets/memstats/memstats.h"
#include "applets/memstats/scan.h"

#include <sys/mman.h>
#include <sys/wait.h>

#include "unit.h"

/* ---- filters ---- */

static struct process table[] = {
	{ .pid = 1, .ppid = 0, .uid = 0, .comm = "init", .rss_pages = 10 },
	{ .pid = 10, .ppid = 1, .uid = 1000, .comm = "a(b,c", .session = 10,
		.rss_pages = 3000 },
	{ .pid = 11, .ppid = 10, .uid = 1000, .comm = "x y", .session = 10 },
	{ .pid = 12, .ppid = 11, .uid = 0, .comm = "leaf", .session = 12 },
	{ .pid = 20, .ppid = 20, .uid = 0, .comm = "own parent" },
};

/* The PIDs that match, as text. */
static const char *
matches(const char *text)
{
	static char buf[256];
	const struct filter *f = filter_parse("--filter", text);
	unsigned i;

	buf[0] = 0;
	filter_forget();
	for (i = 0; i < ARRAY_LEN(table); i++)
		if (filter_match(f, &table[i]))
			sprintf(buf + strlen(buf), "%s%d", *buf ? " " : "",
				table[i].pid);
	return buf;
}

/* Exit status of parsing it, in a child: a fault ends the process. */
static int
fault(const char *text)
{
	int status;
	pid_t pid = fork();

	if (!pid) {
		if (!freopen("/dev/null", "w", stderr))
			_exit(99);
		filter_parse("--filter", text);
		_exit(0);
	}
	waitpid(pid, &status, 0);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 100;
}

static void
test_filters(void)
{
	static const char *const bad[] = {
		"", "uid", "uid(", "uid()", "uid(0", "uid(0))", "true", "true(",
		"true(1)", "and()", "and(true(),)", "not()",
		"not(true(),true())", "foo(1)", "uid(abc def)", "pid(0)",
		"pid(-1)", "pid(1x)", "comm()", "comm(\"x)", "env_kv(A)",
		"env_kv(A,)", "rss(>)", "rss(>lots)", "true() x",
		"true(),true()", "comm(a(b)", "descendants(x)", "AND(true())",
	};
	char deep[1024] = "";
	size_t i;

	procs.list = table;
	procs.count = ARRAY_LEN(table);
	ok(!strcmp(matches("true()"), "1 10 11 12 20"), "true");
	ok(!strcmp(matches("false()"), ""), "false");
	ok(!strcmp(matches("uid(1000)"), "10 11"), "uid");
	ok(!strcmp(matches(" and( uid(0) , not( pid(1) ) ) "), "12 20"),
		"and, not, blanks");
	ok(!strcmp(matches("or(pid(1),pid(12),comm(x y))"), "1 11 12"),
		"or, a blank in a value");
	ok(!strcmp(matches("comm('a(b,c')"), "10"), "quotes");
	ok(!strcmp(matches("comm(\"a\\(b,c\")"), "10"), "a backslash");
	ok(!strcmp(matches("descendants(1)"), "10 11 12"),
		"descendants, without the process itself");
	ok(!strcmp(matches("descendants(10)"), "11 12"), "of another");
	ok(!strcmp(matches("descendants(20)"), "20"),
		"a process that is its own parent ends");
	ok(!strcmp(matches("ppid(1)"), "10"), "ppid");
	ok(!strcmp(matches("session(10)"), "10 11"), "session");
	ok(!strcmp(matches("rss(>1M)"), "10"), "rss");
	ok(!strcmp(matches("rss(< 1M)"), "1 11 12 20"), "rss below");
	ok(!strcmp(matches("rss(>=12000K)"), "10"), "rss not below");
	for (i = 0; i < ARRAY_LEN(bad); i++)
		ok(fault(bad[i]) == EXIT_USAGE, "refused: %s", bad[i]);
	for (i = 0; i < 100; i++)
		strcat(deep, "not(");
	strcat(deep, "true()");
	ok(fault(deep) == EXIT_USAGE, "refused: too deep");
}

/* Every short mutation is parsed or refused, and ends. */
static void
test_mutations(void)
{
	static const char seed[] = "and(or(uid(0),comm('x')),not(rss(>1M)))";
	static const char with[] = "(),'\"\\ x0>";
	size_t i, k;
	int bad = 0, r;

	for (i = 0; i < sizeof(seed) - 1; i++)
		for (k = 0; k < sizeof(with); k++) {
			char text[sizeof(seed)];

			memcpy(text, seed, sizeof(seed));
			text[i] = with[k];
			r = fault(text);
			bad += r != 0 && r != EXIT_USAGE;
		}
	ok(!bad, "mutations are parsed or refused");
}

/* ---- classes ---- */

enum { PAGES = 400, PROCS = 12, GROUPS = 4 };
static u8 has[PROCS][PAGES];	/* 0, or enum page_type + 1 */

static u64
entry(u64 pfn, int type)
{
	if (type - 1 == TYPE_SWAP)
		return PM_SWAP | pfn << 5;
	return PM_PRESENT | pfn | (type - 1 == TYPE_ANON ? PM_EXCLUSIVE
		: PM_FILE);
}

/* Random sets; a page is of one type. Pages are on their own, or (seed even)
 * neighbours are alike for a while, as in a real machine. */
static void
make_sets(unsigned seed)
{
	unsigned p, i, alike = 0;

	srand(seed);
	memset(has, 0, sizeof(has));
	for (i = 1; i < PAGES; i++) {
		u8 type = 1 + rand() % TYPE_SYSV;
		unsigned sharers = rand() % 3 ? 1 : PROCS;

		if (alike) {
			alike--;
			for (p = 0; p < PROCS; p++)
				has[p][i] = has[p][i - 1];
			continue;
		}
		alike = seed % 2 ? 0 : (unsigned)rand() % 70;
		for (p = 0; p < PROCS; p++)
			if (rand() % PROCS < (int)sharers)
				has[p][i] = type;
	}
}

/* In the order of the pages, or (seed a multiple of 3) in some places not. */
static size_t
make_entries(u64 *e, u32 me, u8 type, unsigned seed)
{
	size_t n = 0, i, k;

	for (i = 1; i < PAGES; i++) {
		if (has[me][i] != type)
			continue;
		e[n++] = entry(i, type);
		/* mapped twice by the same process */
		if (i % 37 == 0)
			e[n++] = entry(i, type);
		if (i % 41 == 0)
			e[n++] = 0;
		if (i % 29 == 0)
			e[n++] = entry(i, type) | PM_SOFT_DIRTY;
	}
	/* a device's, right behind RAM */
	for (i = PAGES; has[me][PAGES - 1] == type && i < PAGES + 20; i++)
		e[n++] = entry(i, type);
	for (i = 0; seed % 3 == 0 && n && i < 5; i++) {
		u64 swap = e[k = (size_t)rand() % n];

		e[k] = e[n - 1];
		e[n - 1] = swap;
	}
	return n;
}

static void
feed(u32 me, unsigned seed)
{
	struct part part = { .end = PAGES };
	static u64 entries[2 * PAGES];
	u64 *e, *piece;
	size_t n, take;
	u8 t;

	for (t = TYPE_ANON; t < TYPE_SYSV; t++) {
		part.type = (u8)(t == TYPE_ANON ? TYPE_FILE : t);
		n = make_entries(entries, me, t + 1, seed);
		for (e = entries; n; e += take, n -= take) {
			take = 1 + (size_t)rand() % 300;
			take = take < n ? take : n;
			/* nothing behind it may be looked at */
			piece = malloc(take * sizeof(*piece));
			memcpy(piece, e, take * sizeof(*piece));
			scan_entries(piece, take, &part, me);
			free(piece);
		}
	}
}

/* The plain way: for each group, each page, look at everybody. */
static int
reference_differs(const struct split *s, u32 group)
{
	u64 rss = 0, uss = 0, pss = 0;
	const struct usage *u = &s->groups[group].u;
	unsigned i, p;

	for (i = 1; i < PAGES; i++) {
		unsigned inside = 0, all = 0;

		for (p = 0; p < PROCS; p++) {
			all += !!has[p][i];
			inside += has[p][i] && s->group_of[p] == group;
		}
		if (!inside)
			continue;
		rss += page_size;
		uss += inside == all ? page_size : 0;
		pss += (page_size << PSS_SHIFT) * inside / all;
	}
	pss >>= PSS_SHIFT;
	/* both round on the way */
	return rss != usage_rss(u) || uss != u->uss ||
		pss + 1 - (u->pss >> PSS_SHIFT) > 2;
}

static unsigned
references_differ(void)
{
	static struct process list[PROCS];
	static struct group groups[GROUPS];
	static u32 group_of[PROCS];
	unsigned seed, bad = 0;
	u32 i;

	procs.list = list;
	procs.count = PROCS;
	split_count = 1;
	splits[0] = (struct split){ .groups = groups, .group_of = group_of,
		.count = GROUPS };
	for (seed = 1; seed <= 200; seed++) {
		make_sets(seed);
		memset(list, 0, sizeof(list));
		memset(groups, 0, sizeof(groups));
		classes_reset();
		for (i = 0; i < PROCS; i++) {
			/* one is outside of all groups: filtered out */
			group_of[i] = i == 5 ? GROUP_NONE
				: (u32)rand() % GROUPS;
			feed(i, seed);
		}
		scan_usage();
		splits_usage();
		for (i = 0; i < GROUPS; i++)
			bad += (unsigned)reference_differs(&splits[0], i);
	}
	return bad;
}

static void
test_classes(void)
{
	scan.ram_end = scan.limit = PAGES;
	root_dir = "";
	classes_open();
	attach_reset();
	ok(!references_differ(),
		"RSS, USS, PSS of groups equal the quadratic reference");
}

/* More classes than 16 bits: the map is widened on the way, nothing changes. */
static void
test_widen(void)
{
	enum { MANY = 70000, LATE = 40 };
	static struct process list[LATE];
	struct part part = { .end = MANY, .type = TYPE_FILE };
	u64 e, sum = 0;
	u32 i;

	procs.list = list;
	procs.count = LATE;
	scan.ram_end = scan.limit = MANY + 1;
	scan.mem_limit = GIB;
	classes_open();
	classes_reset();
	for (i = 1; i <= MANY; i++) {
		e = entry(i, TYPE_ANON + 1);
		scan_entries(&e, 1, &part, 0);
	}
	/* As if most numbers were taken by then. */
	scan.class_count = 65530;
	for (i = 2; i < LATE; i++) {
		e = entry(i, TYPE_ANON + 1);
		scan_entries(&e, 1, &part, i);
	}
	ok(scan.wide && scan.class_count > 65536, "the map was widened");
	for (i = CLASS_FIRST; i < scan.class_count; i++)
		sum += scan.classes[i].count;
	ok(sum == MANY, "no page was lost on the way");
	scan.ram_end = PAGES;
	ok(!references_differ(), "classes of 32 bits equal the reference");
}

static void
test_names(void)
{
	static const char id[] = "0123456789abcdef0123456789abcdef"
		"0123456789abcdef0123456789abcdef";
	char path[512];

	snprintf(path, sizeof(path), "/system.slice/docker-%s.scope", id);
	ok(container_id(path) && !strncmp(container_id(path), id, 64) &&
		container_id(path) == path + 21, "docker's scope");
	snprintf(path, sizeof(path), "/%s/x/%s", id, id);
	ok(container_id(path) == path + 1 + 64 + 3, "the innermost");
	snprintf(path, sizeof(path), "/a%s", id);
	ok(!container_id(path), "65 digits are none");
	ok(!container_id("/user.slice"), "none");
}

static void
put(const char *path, const char *text, size_t n)
{
	FILE *f = fopen(path, "w");

	if (!f || fwrite(text, 1, n, f) != n || fclose(f))
		abort();
}

static void
test_env(void)
{
	char dir[] = "/tmp/t-memstats.XXXXXX", command[64], buf[16];
	static const char env[] = "AA=1\0A=two\0AB\0LONG=0123456789abcdefgh\0"
		"E=\0=x\0Z=last";

	if (!mkdtemp(dir) || chdir(dir))
		abort();
	mkdir("proc", 0755);
	mkdir("proc/5", 0755);
	put("proc/5/environ", env, sizeof(env) - 1);
	root_set(dir);
	ok(proc_env(5, "A", buf, sizeof(buf)) == 3 && !strcmp(buf, "two"),
		"a key that begins another");
	ok(proc_env(5, "AA", buf, sizeof(buf)) == 1 && !strcmp(buf, "1"),
		"the first");
	ok(proc_env(5, "AB", buf, sizeof(buf)) == -1, "no '='");
	ok(proc_env(5, "LONG", buf, sizeof(buf)) == 15, "cut to the buffer");
	ok(proc_env(5, "E", buf, sizeof(buf)) == 0, "an empty value");
	ok(proc_env(5, "Z", buf, sizeof(buf)) == 4 && !strcmp(buf, "last"),
		"the last, without NUL");
	ok(proc_env(5, "Q", buf, sizeof(buf)) == -1, "not set");
	snprintf(command, sizeof(command), "rm -rf %s", dir);
	ok(!system(command), "cleaned up");
}

static void
test_shm_rss(void)
{
	struct shm_segment s = { .size = 4 * MIB, .rss = GIB };

	ok(shm_rss(&s) == 2 * MIB, "512 times too much");
	s.rss = 4 * MIB;
	ok(shm_rss(&s) == 4 * MIB, "full");
	s.size = 5 * MIB;
	s.rss = 6 * MIB;
	ok(shm_rss(&s) == 6 * MIB, "a huge page that passes the end");
	s.size = 5;
	s.rss = 4096;
	ok(shm_rss(&s) == 4096, "a page of a smaller segment");
}

int
main(void)
{
	page_init();
	test_filters();
	test_mutations();
	test_classes();
	test_widen();
	test_names();
	test_env();
	test_shm_rss();
	return unit_failed;
}
