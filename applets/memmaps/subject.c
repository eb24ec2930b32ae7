/* subject.c - the processes to look at, one open at a time, and the account of
 * those that could not be looked at. */
#include "memmaps.h"

enum { LINE_BUF = 32 * 1024 };

const char *const skip_names[] = {
	[SKIP_NOT] = "", [SKIP_DENIED] = "denied",
	[SKIP_VANISHED] = "vanished", [SKIP_KERNEL] = "kernel",
	[SKIP_ERROR] = "unreadable",
};

int
targets_open(struct targets *t)
{
	t->list = ask.pids;
	if (!ask.all)
		return 0;
	if (!pids_open(&t->pids))
		return 0;
	warn("open %s/proc (is it mounted?):", root_dir);
	return -1;
}

int
targets_next(struct targets *t, int *pid)
{
	if (ask.all)
		return pids_next(&t->pids, pid) > 0;
	return *t->list && !parse_pid(*t->list++, pid);
}

void
targets_close(struct targets *t)
{
	if (ask.all)
		pids_close(&t->pids);
}

enum skip
skip_of_errno(void)
{
	switch (errno) {
	case EACCES:
	case EPERM:
		return SKIP_DENIED;
	case ENOENT:
	case ESRCH:
		return SKIP_VANISHED;
	}
	return SKIP_ERROR;
}

int
is_kernel_thread(int pid)
{
	struct procstat st;

	return !procstat_read(pid, &st) && st.flags & PF_KTHREAD_FLAG;
}

enum skip
subject_open(struct subject *s, int pid)
{
	return subject_open_fd(s, pid, -1);
}

enum skip
subject_open_fd(struct subject *s, int pid, int fd)
{
	static char lines[LINE_BUF];

	s->pid = pid;
	s->when = wall_ns();
	s->has_stat = !procstat_read(pid, &s->stat);
	if (!s->has_stat)
		s->stat = (struct procstat){ .pid = pid, .comm = "unknown" };
	if (fd < 0 && ask.skip_kernel && s->stat.flags & PF_KTHREAD_FLAG)
		return SKIP_KERNEL;
	if (fd >= 0)
		regions_open_fd(&s->regions, fd, ask.smaps, lines,
			sizeof(lines));
	else if (regions_open(&s->regions, pid, ask.smaps, lines, sizeof(lines)) < 0)
		return skip_of_errno();
	return SKIP_NOT;
}

void
subject_close(struct subject *s)
{
	regions_close(&s->regions);
}

static u64
ordered_bytes(const struct region *g)
{
	switch (ask.order) {
	case BY_RSS:
		return g->kb[SMAPS_RSS] * KIB;
	case BY_PSS:
		return g->kb[SMAPS_PSS] * KIB;
	case BY_SWAP:
		return g->kb[SMAPS_SWAP] * KIB;
	default:
		return g->vma.end - g->vma.start;
	}
}

int
region_wanted(const struct region *g)
{
	if ((ask.types | ask.kinds) && !(ask.types >> g->type & 1) &&
	    !(ask.kinds >> g->kind & 1))
		return 0;
	return !ask.min || ordered_bytes(g) >= ask.min;
}

int
subject_next(struct subject *s, struct region *g)
{
	int r;

	while ((r = regions_next(&s->regions, g)) > 0 && !region_wanted(g))
		;
	return r;
}

int
subject_ended(const struct subject *s)
{
	/* Kernel threads and zombies have had no memory before. */
	return !s->regions.whole && !(s->stat.flags & PF_KTHREAD_FLAG) && s->stat.state != 'Z' &&
		process_ended(s->pid);
}

void
totals_add(struct totals *t, const struct region *g)
{
	t->regions++;
	t->vsize += g->vma.end - g->vma.start;
	t->rss += g->kb[SMAPS_RSS] * KIB;
	t->pss += g->kb[SMAPS_PSS] * KIB;
	t->swap += g->kb[SMAPS_SWAP] * KIB;
}

/* NULL: it has memory, or is not there. */
static const char *
why_empty(int pid)
{
	struct procstat st;

	if (procstat_read(pid, &st) < 0)
		return NULL;
	if (st.flags & PF_KTHREAD_FLAG)
		return "a kernel thread: it has no memory of its own";
	return st.state == 'Z' ? "it has ended; its parent has not asked for "
		"its status yet" : NULL;
}

void
empty_tell(int pid)
{
	const char *why = why_empty(pid);

	if (why)
		note("%s: %d: %s", applet_name, pid, why);
}

void
skip_tell(int pid, enum skip why)
{
	const char *empty = why == SKIP_VANISHED ? why_empty(pid) : NULL;

	switch (why) {
	case SKIP_DENIED:
		warn("%d: denied: %s", pid, geteuid()
			? "another user's process; run as root or with "
			"CAP_SYS_PTRACE"
			: "a container's limits or a security module forbid "
			"it even to root");
		break;
	case SKIP_VANISHED:
		if (empty)
			warn("%d: %s", pid, empty);
		else if (*root_dir)
			warn("%d: no %s/proc/%d/%s: no such process, or it "
				"could not be read when the tree was made",
				pid, root_dir, pid, ask.smaps ? "smaps" : "maps");
		else
			warn("%d: no such process", pid);
		break;
	case SKIP_KERNEL:
		warn("%d: a kernel thread, left out by --skip-kernel", pid);
		break;
	default:
		warn("%d: read %s/proc/%d/%s:", pid, root_dir, pid,
			ask.smaps ? "smaps" : "maps");
	}
}

int
skipped_tell(const struct skipped *s, u64 read)
{
	const u64 *n = s->count;

	out_flush(&report);	/* on a terminal not in the middle of it */
	if (n[SKIP_DENIED])
		warn("%lu of %lu processes denied: %s", n[SKIP_DENIED],
			read + n[SKIP_DENIED], geteuid()
			? "run as root or with CAP_SYS_PTRACE to see them"
			: "a container's limits or a security module "
			"(dmesg may tell) forbid it even to root");
	if (n[SKIP_ERROR])
		warn("%lu processes unreadable", n[SKIP_ERROR]);
	return n[SKIP_DENIED] || n[SKIP_ERROR] ? EXIT_PARTIAL : EXIT_DONE;
}

const char perm_texts[16][5] = {
	"---p", "r--p", "-w-p", "rw-p", "--xp", "r-xp", "-wxp", "rwxp",
	"---s", "r--s", "-w-s", "rw-s", "--xs", "r-xs", "-wxs", "rwxs",
};
