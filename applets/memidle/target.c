/* target.c - which processes are measured. Each is held by a pidfd and by its
 * start time, so a number that is given to another process is noticed. */
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "memidle.h"

struct target *watched;
unsigned watched_count, watched_gone;

static struct arena target_arena;
static int command_pid, command_pipe[2] = { -1, -1 }, command_status = -1;

/* The random bytes' address and the stack in the auxiliary vector change with
 * every exec. */
static u64
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

/* 0, or -1 with errno when there is no such process. */
static int
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

/* ---- cgroup members, below it too ---- */

struct dirent64 {
	u64 ino;
	s64 off;
	u16 len;
	u8 type;
	char name[];
};
enum { IS_DIR = 4, CGROUP_PATH = 1024 };

/* Cgroups are named by their directories. */
const struct cgroups any_cgroup = { .mount = "/" };

static void
add_procs(const char *dir)
{
	struct cgroup_pids p;
	int pid;

	if (cgroup_pids_open(&p, &any_cgroup, dir) < 0)
		return;
	while (cgroup_pids_next(&p, &pid) > 0)
		target_add(pid);
	cgroup_pids_close(&p);
}

typedef void visit_fn(const char *dir);

/* path is one buffer for the whole descent. */
static void
each_cgroup(char *path, int depth, visit_fn *visit)
{
	_Alignas(8) char buf[512];
	size_t len = strlen(path);
	int fd, n, at;

	visit(path);
	if (depth > 32)
		return;
	fd = root_open(path, O_RDONLY | O_DIRECTORY);
	if (fd < 0)
		return;
	while ((n = (int)syscall(SYS_getdents64, fd, buf, sizeof(buf))) > 0)
		for (at = 0; at < n;) {
			const struct dirent64 *d = (void *)(buf + at);

			at += d->len;
			if (d->type != IS_DIR || *d->name == '.' ||
			    len + strlen(d->name) + 2 > CGROUP_PATH)
				continue;
			path[len] = '/';
			strcpy(path + len + 1, d->name);
			each_cgroup(path, depth + 1, visit);
			path[len] = 0;
		}
	close(fd);
}

static void
visit_cgroup(visit_fn *visit)
{
	static char path[CGROUP_PATH + 1];

	fmt_str(path, sizeof(path), "%s", idle.cgroup);
	each_cgroup(path, 0, visit);
}

enum { INODES_MAX = 16384 };
static u64 *inodes;
static unsigned inode_count;

static void
add_inode(const char *dir)
{
	struct stat st;
	int fd = root_open(dir, O_RDONLY | O_DIRECTORY);

	if (fd < 0)
		return;
	if (!fstat(fd, &st) && inode_count < INODES_MAX)
		inodes[inode_count++] = st.st_ino;
	close(fd);
}

static int
inode_order(const void *a, const void *b, const void *arg)
{
	u64 x = *(const u64 *)a, y = *(const u64 *)b;

	(void)arg;
	return x < y ? -1 : x > y;
}

void
cgroup_inodes(void)
{
	static struct arena arena;

	if (!inodes && arena_open(&arena, INODES_MAX * 8) < 0)
		die("memory for the list of cgroups:");
	inodes = (void *)arena.base;
	inode_count = 0;
	visit_cgroup(add_inode);
	sort_items(inodes, inode_count, 8, inode_order, NULL);
}

int
cgroup_has(u64 inode)
{
	unsigned low = 0, high = inode_count;

	while (low < high) {
		unsigned mid = (low + high) / 2;

		if (inodes[mid] == inode)
			return 1;
		if (inodes[mid] < inode)
			low = mid + 1;
		else
			high = mid;
	}
	return 0;
}

static int
is_dir(const char *path)
{
	struct stat st;
	int at = root_at(&path);

	return !fstatat(at, path, &st, 0) && S_ISDIR(st.st_mode);
}

/* A directory, or the cgroup's own path below the mount. */
static void
find_cgroup(void)
{
	static char path[CGROUP_PATH];
	static struct cgroups c;
	size_t n = strlen(idle.cgroup);

	while (n > 1 && idle.cgroup[n - 1] == '/')
		n--;
	fmt_str(path, sizeof(path), "%.*s", (int)n, idle.cgroup);
	if (*path == '/' && !is_dir(path) && !cgroups_open(&c))
		fmt_str(path, sizeof(path), "%s%.*s", c.mount, (int)n,
			idle.cgroup);
	if (*path != '/' || !is_dir(path))
		die("%s: no such cgroup (give its directory, like "
			"/sys/fs/cgroup/system.slice)", idle.cgroup);
	idle.cgroup = path;
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
		find_cgroup();
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
		visit_cgroup(add_procs);
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

/* ---- the command ---- */

void
command_start(char **argv)
{
	char byte;

	if (pipe2(command_pipe, O_CLOEXEC) < 0)
		die("pipe:");
	command_pid = fork();
	if (command_pid < 0)
		die("fork:");
	if (!command_pid) {
		close(command_pipe[1]);
		signal(SIGPIPE, SIG_DFL);
		if (read(command_pipe[0], &byte, 1) != 1)
			_exit(EXIT_FAILED);
		execvp(argv[0], argv);
		warn("run %s:", argv[0]);
		_exit(errno == ENOENT ? 127 : 126);
	}
	close(command_pipe[0]);
	idle.kind = TARGET_TREE;
	if (target_add(command_pid) < 0)
		die("the command's process:");
}

/* The exec is waited for: what was before it is not the command's. */
void
command_go(void)
{
	u64 until = now_ns() + 1000000000;
	u64 before = watched[0].image;

	if (!command_pid)
		return;
	full_write(command_pipe[1], "", 1);
	close(command_pipe[1]);
	while (image_of(command_pid) == before && now_ns() < until &&
	       command_wait(0) < 0)
		sleep_until(now_ns() + 1000000);
	watched[0].image = image_of(command_pid);
}

int
command_wait(int block)
{
	int status, r;

	if (!command_pid)
		return EXIT_DONE;
	if (command_status >= 0)
		return command_status;
	do {
		/* who asks us to end asks the command too */
		if (block && stop_signal > 0)
			kill(command_pid, stop_signal);
		r = waitpid(command_pid, &status, block ? 0 : WNOHANG);
	} while (r < 0 && errno == EINTR);
	if (r != command_pid)
		return -1;
	command_status = WIFSIGNALED(status) ? 128 + WTERMSIG(status)
		: WEXITSTATUS(status);
	return command_status;
}
