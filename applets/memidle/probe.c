/* probe.c - what this kernel can do for us, and why not. */
#include "memidle.h"

const char *const backend_names[BACKEND_COUNT] = {
	[BACKEND_AUTO] = "auto", [BACKEND_PAGE_IDLE] = "page_idle",
	[BACKEND_CLEAR_REFS] = "clear_refs", [BACKEND_LRU_GEN] = "lru_gen",
	[BACKEND_DAMON] = "damon", [BACKEND_SOFT_DIRTY] = "soft_dirty",
};
struct found backend_found[BACKEND_COUNT];

static void
say(enum backend b, int works, const char *text)
{
	backend_found[b].works = works;
	fmt_str(backend_found[b].why, sizeof(backend_found[b].why), "%s",
		text);
}

/* Another caveat behind the first. */
static void
add(enum backend b, const char *text)
{
	size_t n = strlen(backend_found[b].why);

	fmt_str(backend_found[b].why + n, sizeof(backend_found[b].why) - n, "%s%s",
		n ? "; " : "", text);
}

static int
exists(const char *path)
{
	struct stat st;
	int at = root_at(&path);

	return !fstatat(at, path, &st, 0);
}

static int
can_open(const char *path, int flags)
{
	int fd = root_open(path, flags), error = errno;

	if (fd >= 0)
		close(fd);
	errno = error;
	return fd >= 0;
}

/* "... : why it cannot be opened" */
static void
say_errno(enum backend b, const char *path)
{
	char text[160];

	fmt_str(text, sizeof(text), "%s: %s", path,
		errno == EPERM && exists("/sys/kernel/security/lockdown")
		? "not permitted: root, or /sys/kernel/security/lockdown"
		: errno == EACCES || errno == EPERM
		? "not permitted: needs root (CAP_SYS_ADMIN)"
		: strerror(errno));
	say(b, 0, text);
}

/* ---- the others who clear accessed bits ---- */

u64
lru_gen_enabled(void)
{
	char buf[32];
	const char *s = buf;
	u64 v = 0;

	if (root_slurp("/sys/kernel/mm/lru_gen/enabled", buf, sizeof(buf)) < 3)
		return 0;
	s += buf[1] == 'x' ? 2 : 0;
	scan_hex(&s, &v);
	return v & 1 ? v : 0;
}

#define KDAMONDS "/sys/kernel/mm/damon/admin/kdamonds"

static s64
slurp_number(const char *path)
{
	char buf[32];
	const char *s = buf;
	u64 v;

	if (root_slurp(path, buf, sizeof(buf)) < 0 || scan_u64(&s, &v) < 0)
		return -1;
	return (s64)v;
}

int
kdamond_owner(void)
{
	char path[128], state[16];
	s64 n = slurp_number(KDAMONDS "/nr_kdamonds"), i;

	for (i = 0; i < n; i++) {
		fmt_str(path, sizeof(path), KDAMONDS "/%ld/state", i);
		if (root_slurp(path, state, sizeof(state)) < 2 ||
		    strncmp(state, "on", 2))
			continue;
		fmt_str(path, sizeof(path), KDAMONDS "/%ld/pid", i);
		return (int)slurp_number(path);
	}
	return n > 0 ? -1 : 0;
}

/* ---- each backend ---- */

/* Frame numbers read as 0 without CAP_SYS_ADMIN. */
static int
frames_hidden(void)
{
	volatile char here = 0;
	u64 entry = 0;
	int fd = open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return 1;
	pagemap_read(fd, (u64)(uintptr_t)&here >> page_shift, &entry, 1);
	close(fd);
	return !PM_PFN(entry);
}

static void
probe_page_idle(void)
{
	static const char path[] = "/sys/kernel/mm/page_idle/bitmap";
	enum backend b = BACKEND_PAGE_IDLE;
	char text[64];
	int owner = kdamond_owner();

	if (!exists(path)) {
		say(b, 0, "no /sys/kernel/mm/page_idle/bitmap: the kernel is "
			"built without CONFIG_IDLE_PAGE_TRACKING");
		return;
	}
	if (!can_open(path, *root_dir ? O_RDONLY : O_RDWR)) {
		say_errno(b, path);
		return;
	}
	if (!can_open("/proc/kpageflags", O_RDONLY)) {
		say_errno(b, "/proc/kpageflags");
		return;
	}
	if (!*root_dir && frames_hidden()) {
		say(b, 0, "page frame numbers are hidden: needs "
			"CAP_SYS_ADMIN in the first user namespace");
		return;
	}
	say(b, 1, "page-exact");
	if (lru_gen_enabled())
		add(b, "MGLRU is on: read(2) and write(2) of page cache are "
			"not seen, samples in which it ages are marked");
	if (owner > 0) {
		fmt_str(text, sizeof(text), "kdamond %d clears bits too",
			owner);
		add(b, text);
	}
}

static void
probe_clear_refs(void)
{
	enum backend b = BACKEND_CLEAR_REFS;

	if (!exists("/proc/self/clear_refs") || !exists("/proc/self/smaps"))
		say(b, 0, "no /proc/PID/clear_refs: the kernel is built "
			"without CONFIG_PROC_PAGE_MONITOR");
	else
		say(b, 1, "sums of a VMA; holds up the process's page faults "
			"while it clears; misleads reclaim");
}

static void
probe_lru_gen(void)
{
	static const char path[] = "/sys/kernel/debug/lru_gen";
	enum backend b = BACKEND_LRU_GEN;

	if (!exists("/sys/kernel/mm/lru_gen/enabled"))
		say(b, 0, "no /sys/kernel/mm/lru_gen: the kernel is built "
			"without CONFIG_LRU_GEN");
	else if (!exists(path))
		say(b, 0, "no /sys/kernel/debug/lru_gen: mount -t debugfs "
			"debugfs /sys/kernel/debug");
	else if (!can_open(path, *root_dir ? O_RDONLY : O_RDWR))
		say_errno(b, path);
	else if (!lru_gen_enabled() && !idle.enable_lru_gen)
		say(b, 0, "MGLRU is off: --enable-lru-gen turns it on for "
			"the run");
	else
		say(b, 1, "sums of a cgroup, for --cgroup and --system; ages "
			"the lists that reclaim uses");
}

static void
probe_damon(void)
{
	static const char path[] = KDAMONDS "/nr_kdamonds";
	enum backend b = BACKEND_DAMON;
	int owner = kdamond_owner();
	char text[96];

	if (!exists(path)) {
		say(b, 0, "no /sys/kernel/mm/damon: the kernel is built "
			"without CONFIG_DAMON_SYSFS");
	} else if (!can_open(path, *root_dir ? O_RDONLY : O_RDWR)) {
		say_errno(b, path);
	} else if (owner > 0) {
		fmt_str(text, sizeof(text), "in use: kdamond %d runs, and it "
			"is not ours to touch", owner);
		say(b, 0, text);
	} else if (owner < 0) {
		say(b, 0, "in use: somebody has set up kdamonds (not "
			"running), and they are not ours to touch");
	} else {
		say(b, 1, "regions found by sampling, not pages");
	}
}

static void
probe_soft_dirty(void)
{
	enum backend b = BACKEND_SOFT_DIRTY;

	if (!*root_dir && !soft_dirty_works())
		say(b, 0, "pagemap has no soft-dirty bit: the kernel is built "
			"without CONFIG_MEM_SOFT_DIRTY");
	else
		say(b, 1, "page-exact for writes only; a minor fault for each "
			"page written, disturbs CRIU");
}

void
backend_probe_all(void)
{
	probe_page_idle();
	probe_clear_refs();
	probe_lru_gen();
	probe_damon();
	probe_soft_dirty();
}

/* Processes or the machine: not both need be there. */
static int
damon_watches(int what)
{
	static int operations = -1;

	if (!CFG_MEMIDLE_DAMON || !backend_found[BACKEND_DAMON].works ||
	    *root_dir)
		return 1;
	if (operations < 0)
		operations = damon_operations();
	return !!(operations & what);
}

/* ---- the table, the choice ---- */

int
backend_probe_print(void)
{
	static const struct col cols[] = {
		{ "backend", -10, COL_TEXT }, { "works", -5, COL_TEXT },
		{ "why", 0, COL_TEXT },
	};
	struct out out;
	struct rows r;
	int b;

	if (!damon_watches(DAMON_PADDR))
		add(BACKEND_DAMON, "no --system: no CONFIG_DAMON_PADDR");
	if (!damon_watches(DAMON_VADDR))
		add(BACKEND_DAMON, "no processes: no CONFIG_DAMON_VADDR");
	keep_restore();
	out_open(&out, 1);
	rows_open(&r, &out, idle.json ? ROWS_NDJSON : idle.csv ? ROWS_CSV
		: ROWS_TABLE, cols, ARRAY_LEN(cols));
	while (rows_pass(&r))
		for (b = BACKEND_AUTO + 1; b < BACKEND_COUNT; b++) {
			rows_text(&r, backend_names[b]);
			rows_text(&r, backend_found[b].works ? "yes" : "no");
			rows_text(&r, backend_found[b].why);
			rows_end(&r);
		}
	if (out_finish(&out, "standard output"))
		return EXIT_FAILED;
	return backend_found[BACKEND_PAGE_IDLE].works ? EXIT_DONE : EXIT_FAILED;
}

static int
is_group(void)
{
	return idle.kind == TARGET_CGROUP || idle.kind == TARGET_SYSTEM;
}

/* What can answer for these targets, best first. */
static const enum backend for_processes[] = {
	BACKEND_PAGE_IDLE, BACKEND_CLEAR_REFS, BACKEND_DAMON,
	BACKEND_SOFT_DIRTY, BACKEND_AUTO,
};
static const enum backend for_cgroup[] = {
	BACKEND_PAGE_IDLE, BACKEND_LRU_GEN, BACKEND_AUTO,
};
static const enum backend for_system[] = {
	BACKEND_PAGE_IDLE, BACKEND_LRU_GEN, BACKEND_DAMON, BACKEND_AUTO,
};

static int
is_built(enum backend b)
{
	return (b != BACKEND_LRU_GEN || CFG_MEMIDLE_LRU_GEN) &&
		(b != BACKEND_DAMON || CFG_MEMIDLE_DAMON);
}

static _Noreturn void
nothing_works(const enum backend *list)
{
	for (; *list; list++)
		note("memidle: %s: %s", backend_names[*list],
			is_built(*list) ? backend_found[*list].why
			: "not in this build");
	die("no backend can measure this here (memidle --probe tells more)");
}

static void
choose(void)
{
	const enum backend *list = idle.kind == TARGET_SYSTEM ? for_system
		: idle.kind == TARGET_CGROUP ? for_cgroup : for_processes;
	const enum backend *b;

	for (b = list; *b; b++) {
		if (idle.backend && *b != idle.backend)
			continue;
		if (*b == BACKEND_DAMON && !damon_watches(list == for_system
				? DAMON_PADDR : DAMON_VADDR))
			say(*b, 0, list == for_system
				? "DAMON cannot watch the machine: the kernel "
				"is built without CONFIG_DAMON_PADDR"
				: "DAMON cannot watch processes: the kernel "
				"is built without CONFIG_DAMON_VADDR");
		if (backend_found[*b].works && is_built(*b)) {
			idle.backend = *b;
			return;
		}
		if (idle.backend)
			die("%s: %s", backend_names[*b], is_built(*b)
				? backend_found[*b].why : "not in this build");
	}
	if (idle.backend && idle.kind == TARGET_CGROUP)
		return;		/* by the cgroup's processes */
	if (idle.backend)
		usage_die("-b %s: cannot measure %s",
			backend_names[idle.backend],
			is_group() ? "the whole system" : "processes");
	nothing_works(list);
}

/* Ages and distances are of pages. */
void
backend_probe_choose(void)
{
	choose();
	if (idle.filter && is_group() &&
	    (idle.backend == BACKEND_PAGE_IDLE ||
	     idle.backend == BACKEND_LRU_GEN))
		usage_die("--filter is for processes: %s finds no VMAs of %s",
			backend_names[idle.backend],
			idle.cgroup ? "a cgroup" : "the system");
	if ((idle.ages || idle.reuse) && (idle.backend == BACKEND_CLEAR_REFS ||
					idle.backend == BACKEND_LRU_GEN))
		die("--ages and --reuse need single pages, and %s gives only "
			"sums (-b damon or, of processes, -b soft_dirty)",
			backend_names[idle.backend]);
}
