/* procs.c - the table of processes, and what else is asked of one. */
#include "memstats.h"

enum { COMMAND_MAX = 1024, STRINGS_EACH = 4096, STRINGS_GUESS = 192 };

struct procs procs;
struct arena strings;
struct cgroups cgroups;

/* Sampling keeps the last sample's table to tell what changed. */
static struct procs last;
static struct arena last_strings;
static int strings_full;

u64
procs_cost(u32 count, u32 split_total)
{
	return (u64)count * (sizeof(struct process) + STRINGS_GUESS +
		(u64)split_total * (sizeof(struct group) + 8));
}

const char *
keep(const char *s, size_t n)
{
	char *copy = arena_take(&strings, n + 1);

	if (!copy) {
		if (!strings_full++)
			warn("too many names: some are left empty");
		return "";
	}
	memcpy(copy, s, n);
	copy[n] = 0;
	return copy;
}

struct process *
proc_find(int pid)
{
	u32 low = 0, high = procs.count;

	while (low < high) {
		u32 mid = low + (high - low) / 2;

		if (procs.list[mid].pid == pid)
			return &procs.list[mid];
		if (procs.list[mid].pid < pid)
			low = mid + 1;
		else
			high = mid;
	}
	return NULL;
}

/* The environment is read in pieces: it may be megabytes, and is not wanted
 * whole. */
struct env_scan {
	enum { ENV_KEY, ENV_VALUE, ENV_SKIP } state;
	const char *key;
	size_t at;
	char *buf;
	size_t size, used;
};

/* 1 when the value is complete. */
static int
env_byte(struct env_scan *e, char c)
{
	if (e->state == ENV_VALUE) {
		if (c && e->used < e->size - 1)
			e->buf[e->used++] = c;
		return !c;
	}
	if (!c) {
		e->state = ENV_KEY;
		e->at = 0;
	} else if (e->state == ENV_KEY) {
		if (e->key[e->at] && c == e->key[e->at])
			e->at++;
		else
			e->state = !e->key[e->at] && c == '=' ? ENV_VALUE
				: ENV_SKIP;
	}
	return 0;
}

ssize_t
proc_env(int pid, const char *key, char *buf, size_t size)
{
	struct env_scan e = { .key = key, .buf = buf, .size = size };
	char piece[1024];
	int fd = proc_open(pid, "environ", O_RDONLY), done = 0;
	ssize_t n, i;

	if (fd < 0)
		return -1;
	while (!done && (n = read(fd, piece, sizeof(piece))) > 0)
		for (i = 0; i < n && !done; i++)
			done = env_byte(&e, piece[i]);
	close(fd);
	buf[e.used] = 0;
	return e.state == ENV_VALUE ? (ssize_t)e.used : -1;
}

ssize_t
proc_cmdline(int pid, char *buf, size_t size)
{
	ssize_t n = proc_slurp(pid, "cmdline", buf, size), i;

	while (n > 0 && !buf[n - 1])
		n--;
	for (i = 0; i < n; i++)
		if (!buf[i])
			buf[i] = ' ';
	return n;
}

static int
file_int(int pid, const char *name)
{
	char buf[32];
	const char *s = buf;
	u64 v = 0;

	if (proc_slurp(pid, name, buf, sizeof(buf)) <= 0)
		return 0;
	s += *buf == '-';
	scan_u64(&s, &v);
	return *buf == '-' ? -(int)v : (int)v;
}

/* An empty command line says nothing of the kind of process: a program may
 * overwrite its own. */
static void
load_command(struct process *p, const char *comm)
{
	char buf[COMMAND_MAX];
	ssize_t n = proc_cmdline(p->pid, buf, sizeof(buf));
	size_t i = 0;

	while (n > 0 && i < (size_t)n && buf[i] == ' ')
		i++;
	if (n <= 0 || i == (size_t)n)
		n = fmt_str(buf, sizeof(buf), "[%s]", comm);
	p->comm = keep(comm, strlen(comm));
	p->command = keep(buf, (size_t)n);
}

/* 0, 1 when it is a thread of the kernel, -1 when it is gone. */
static int
load_process(struct process *p, int pid)
{
	struct procstat st;

	memset(p, 0, sizeof(*p));
	if (procstat_read(pid, &st) < 0)
		return -1;
	if (st.flags & PF_KTHREAD_FLAG)
		return 1;
	p->pid = pid;
	p->ppid = st.ppid;
	p->session = st.session;
	p->task_flags = st.flags;
	p->letter = st.state;
	p->starttime = st.starttime;
	p->rss_pages = st.rss;
	p->before = -1;
	p->shown = 1;
	proc_uid(pid, &p->uid);
	if (procs.want_oom) {
		p->oom_score = file_int(pid, "oom_score");
		p->oom_adj = file_int(pid, "oom_score_adj");
	}
	load_command(p, st.comm);
	return 0;
}

static int
by_pid(const void *a, const void *b, const void *arg)
{
	const struct process *p = a, *q = b;

	(void)arg;
	return p->pid < q->pid ? -1 : p->pid > q->pid;
}

u32
procs_now(void)
{
	struct pids ids;
	u32 n = 0;
	int pid;

	if (pids_open(&ids) < 0)
		die("open %s/proc (is it mounted?):", root_dir);
	while (pids_next(&ids, &pid) > 0)
		n++;
	pids_close(&ids);
	return n;
}

static void
table_open(struct procs *t, struct arena *names, u32 max)
{
	struct arena a;

	if (arena_open(&a, (u64)max * sizeof(struct process)) < 0 ||
	    arena_open(names, (u64)max * STRINGS_EACH + MIB) < 0)
		die("memory for %u processes:", max);
	t->list = (void *)a.base;
	t->max = max;
}

void
procs_open(int sampling)
{
	u32 max = procs_now();

	max += max / 4 + 1024;
	table_open(&procs, &strings, max);
	if (sampling)
		table_open(&last, &last_strings, max);
	cgroups_open(&cgroups);
}

static void
carry_over(void)
{
	u32 i, j = 0;

	for (i = 0; i < procs.count; i++) {
		struct process *p = &procs.list[i];

		while (j < last.count && last.list[j].pid < p->pid)
			j++;
		if (j < last.count && last.list[j].pid == p->pid &&
		    last.list[j].starttime == p->starttime)
			p->before = (s64)(last.list[j].u.pss >> PSS_SHIFT);
	}
}

static void
swap_tables(void)
{
	struct procs t = last;
	struct arena a = last_strings;

	t.want_oom = procs.want_oom;
	last = procs;
	procs = t;
	last_strings = strings;
	strings = a;
	strings.used = 0;
}

void
procs_load(void)
{
	static struct pids ids;
	int pid, sorted = 1, r;

	if (last.max)
		swap_tables();
	procs.count = 0;
	if (pids_open(&ids) < 0)
		die("open %s/proc:", root_dir);
	while (pids_next(&ids, &pid) > 0) {
		if (procs.count == procs.max) {
			warn("more than %u processes: the rest is left out",
				procs.max);
			scan.cut = 1;
			break;
		}
		r = load_process(&procs.list[procs.count], pid);
		scan.vanished += r < 0;
		if (r)
			continue;
		sorted &= !procs.count ||
			procs.list[procs.count - 1].pid < pid;
		procs.count++;
	}
	pids_close(&ids);
	if (!sorted)
		sort_items(procs.list, procs.count, sizeof(struct process),
			by_pid, NULL);
	carry_over();
}
