/* target.c - which processes are measured. Each is held by a pidfd and by its
 * start time, so a number that is given to another process is noticed. */
#include <poll.h>
#include <sys/resource.h>
#include <sys/syscall.h>

#include "memidle.h"

struct target *watched;
unsigned watched_count, watched_gone;

static struct arena target_arena;

/* The random bytes' address and the stack in the auxiliary vector change with
 * every exec. */
u64
image_of(int pid)
{
	u64 aux[64], hash = 1469598103934665603u;
	ssize_t n = proc_slurp(pid, "auxv", (char *)aux, sizeof(aux));
	ssize_t i;

	for (i = 0; i < n / 8; i++)
		hash = (hash ^ aux[i]) * 1099511628211u;
	return n > 0 ? hash : 0;
}

static struct target *
target_find(int pid)
{
	unsigned i;

	for (i = 0; i < watched_count; i++)
		if (watched[i].pid == pid && !watched[i].gone)
			return &watched[i];
	return NULL;
}

int
target_add(int pid)
{
	struct procstat st;
	struct target *t = &watched[watched_count];

	if (target_find(pid))
		return 0;
	if (procstat_read(pid, &st) < 0)
		return -1;
	if (st.flags & PF_KTHREAD_FLAG) {
		errno = EINVAL;
		return -1;
	}
	if (watched_count == TARGETS_MAX)
		die("more than %d processes (TARGETS_MAX)", TARGETS_MAX);
	*t = (struct target){ .pid = pid, .start = st.starttime };
	t->pidfd = (int)syscall(SYS_pidfd_open, pid, 0);
	if (t->pidfd < 0 && errno == EINVAL)
		return -1;	/* a thread, not a process */
	t->ticks = st.utime + st.stime;
	t->image = image_of(pid);
	memcpy(t->comm, st.comm, sizeof(t->comm));
	watched_count++;
	return 0;
}

static void
target_gone(struct target *t)
{
	t->gone = 1;
	if (t->pidfd >= 0)
		close(t->pidfd);
	t->pidfd = -1;
}

static void
target_check(struct target *t)
{
	struct pollfd p = { t->pidfd, POLLIN };
	struct procstat st;
	u64 image;

	if (t->gone)
		return;
	if ((t->pidfd >= 0 && poll(&p, 1, 0) > 0) ||
	    procstat_read(t->pid, &st) < 0 || st.starttime != t->start ||
	    st.state == 'Z' || st.state == 'X') {
		target_gone(t);
		return;
	}
	image = image_of(t->pid);
	t->execed = image && image != t->image;
	t->image = image;
	t->stopped = st.state == 'T' || st.state == 't';
	t->ran = st.utime + st.stime != t->ticks;
	t->ticks = st.utime + st.stime;
	memcpy(t->comm, st.comm, sizeof(t->comm));
}

/* ---- descendants ---- */

/* A pass over /proc finds the children of all that are known; a grandchild
 * whose number is lower than its parent's needs one more. */
static void
add_descendants(void)
{
	struct pids p;
	struct procstat st;
	unsigned before;
	int pid;

	do {
		before = watched_count;
		if (pids_open(&p) < 0)
			return;
		while (pids_next(&p, &pid) > 0)
			if (!target_find(pid) && !procstat_read(pid, &st) &&
			    target_find(st.ppid) && st.state != 'Z')
				target_add(pid);
		pids_close(&p);
	} while (watched_count != before);
}

/* ---- all ---- */

static void
targets_arena(void)
{
	struct rlimit files;

	if (arena_open(&target_arena, TARGETS_MAX * sizeof(*watched)) < 0)
		die("memory for the list of processes:");
	watched = (void *)target_arena.base;
	/* a pidfd each */
	if (!getrlimit(RLIMIT_NOFILE, &files)) {
		files.rlim_cur = files.rlim_max;
		setrlimit(RLIMIT_NOFILE, &files);
	}
}

static void
add_list(const char *list)
{
	char word[16];
	size_t n;
	int pid;

	do {
		n = strcspn(list, ",");
		fmt_str(word, sizeof(word), "%.*s", (int)n, list);
		pid = xparse_pid("PID", n < sizeof(word) ? word : list);
		if (target_add(pid) < 0)
			die(errno == EINVAL ? "process %d: a kernel thread or "
				"a thread of another process, not a process"
				: "process %d: no such process", pid);
		list += n;
	} while (*list++);
}

void
watched_open(void)
{
	targets_arena();
	if (idle.command)
		command_start(idle.command);
	else if (idle.kind == TARGET_PIDS || idle.kind == TARGET_TREE)
		add_list(idle.pids);
	else if (idle.kind == TARGET_CGROUP)
		cgroup_find();
	watched_update();
}

/* Who is gone makes room: short-lived children would fill the list. */
static void
drop_gone(void)
{
	unsigned i, n = 0;

	for (i = 0; i < watched_count; i++) {
		if (watched[i].gone)
			watched_gone++;
		else if (n++ != i)
			watched[n - 1] = watched[i];
	}
	watched_count = n;
}

void
watched_update(void)
{
	unsigned i;

	drop_gone();
	for (i = 0; i < watched_count; i++)
		target_check(&watched[i]);
	if (idle.kind == TARGET_TREE)
		add_descendants();
	else if (idle.kind == TARGET_CGROUP)
		cgroup_add_members();
}

unsigned
watched_lost(void)
{
	unsigned i, n = 0;

	for (i = 0; i < watched_count; i++) {
		struct pollfd p = { watched[i].pidfd, POLLIN };

		if (!watched[i].gone && p.fd >= 0 && poll(&p, 1, 0) > 0) {
			target_gone(&watched[i]);
			n++;
		}
	}
	return n;
}

int
watched_ended(void)
{
	unsigned i;

	for (i = 0; i < watched_count; i++) {
		struct pollfd p = { watched[i].pidfd, POLLIN };

		/* without pidfds the next sample finds out */
		if (!watched[i].gone && (p.fd < 0 || !poll(&p, 1, 0)))
			return 0;
	}
	return 1;
}

unsigned
watched_alive(void)
{
	unsigned i, n = 0;

	for (i = 0; i < watched_count; i++)
		n += !watched[i].gone;
	return n;
}
