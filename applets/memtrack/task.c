/* task.c - processes by the thread ids of events. Threads are folded into
 * their process; a name follows exec; who has exited keeps what he holds. */
#include <sys/mman.h>

#include "memtrack.h"

enum { TASKS_MAX = 4096, CLONE_THREAD_FLAG = 0x10000 };

static struct task *tasks;
static u32 used, free_list;
static u16 *by_tid;		/* index of the task, 0 = not known yet */
static u32 tid_max;
static int by_thread;

static u32
pid_limit(void)
{
	char text[32];
	u64 v;

	if (root_slurp("/proc/sys/kernel/pid_max", text, sizeof(text)) > 0) {
		text[strcspn(text, "\n")] = 0;
		if (!parse_u64(text, &v) && v && v < 1 << 24)
			return (u32)v + 1;
	}
	return (1 << 22) + 1;
}

void
task_open(int threads)
{
	static struct arena memory;

	by_thread = threads;
	tid_max = pid_limit();
	if (arena_open(&memory, TASKS_MAX * sizeof(*tasks) +
			tid_max * sizeof(*by_tid) + 64) < 0)
		die("no memory for the table of tasks:");
	madvise(memory.base, memory.size, MADV_NOHUGEPAGE);
	tasks = arena_take(&memory, TASKS_MAX * sizeof(*tasks));
	by_tid = arena_take(&memory, tid_max * sizeof(*by_tid));
	free_list = 0;
	used = 1;
	memcpy(tasks[TASK_OTHER].name, "(others)", 8);
	tasks[TASK_OTHER].name_len = 8;
	tasks[TASK_OTHER].named = 1;
}

enum { TASK_UNUSED = -1 };

struct task *
task_at(u32 index)
{
	return tasks[index].pid == TASK_UNUSED ? NULL : &tasks[index];
}

u32
task_count(void)
{
	return used;
}

int
task_full(void)
{
	return used == TASKS_MAX && !free_list;
}

static void
set_name(struct task *t, const char *s, size_t n)
{
	if (n > TASK_NAME)
		n = TASK_NAME;
	memcpy(t->name, s, n);
	t->name_len = (u16)n;
}

static void
set_comm(struct task *t, const char *s, size_t n)
{
	char text[24];

	set_name(t, text, (size_t)fmt_str(text, sizeof(text), "[%.*s]",
		(int)(n > 16 ? 16 : n), s));
}

/* The command line, else the comm; 0 when the process is gone. */
static int
read_name(struct task *t)
{
	char text[512];
	ssize_t n = proc_slurp(t->pid, "cmdline", text, sizeof(text)), i;

	if (n < 0)
		return 0;
	while (n && !text[n - 1])
		n--;
	for (i = 0; i < n; i++)
		if (!text[i])
			text[i] = ' ';
	if (n) {
		set_name(t, text, (size_t)n);
		return 1;
	}
	n = proc_slurp(t->pid, "comm", text, sizeof(text));
	if (n <= 0)
		return 0;
	set_comm(t, text, (size_t)n - (text[n - 1] == '\n'));
	return 1;
}

static u32
task_make(int pid)
{
	u32 i;

	if (free_list) {
		i = free_list;
		free_list = (u32)tasks[i].use.live;
	} else if (used < TASKS_MAX) {
		i = used++;
	} else {
		return TASK_OTHER;
	}
	tasks[i] = (struct task){ .pid = pid };
	return i;
}

static int
process_of(int tid)
{
	char text[1024];	/* Tgid is one of the first lines */
	u64 tgid;

	if (by_thread || proc_slurp(tid, "status", text, sizeof(text)) <= 0 ||
	    key_u64(text, "Tgid", &tgid) < 0 || tgid >= tid_max)
		return tid;
	return (int)tgid;
}

/* First seen now: it ran before tracing began, or its birth was lost. */
static u32
task_meet(int tid)
{
	int pid = tid ? process_of(tid) : 0;
	u32 i = pid && pid != tid ? by_tid[pid] : 0;

	if (!i) {
		i = task_make(pid);
		if (i == TASK_OTHER)
			return i;
		if (!pid)
			set_name(&tasks[i], "[swapper]", 9);
		else if (read_name(&tasks[i]))
			tasks[i].named = 1;
		if (pid && (u32)pid < tid_max)
			by_tid[pid] = (u16)i;
	}
	by_tid[tid] = (u16)i;
	return i;
}

u32
task_of(int tid)
{
	if ((u32)tid >= tid_max)
		return TASK_OTHER;
	if (by_tid[tid])
		return by_tid[tid];
	return task_meet(tid);
}

/* The events come later than what they tell of: a name read now may be that
 * of a later exec, which is no harm. */
void
task_new(int parent, int tid, u64 clone_flags, const char *comm, size_t n)
{
	const struct task *p;
	u32 i;

	if ((u32)tid >= tid_max)
		return;
	if (clone_flags & CLONE_THREAD_FLAG && !by_thread) {
		by_tid[tid] = (u16)task_of(parent);
		return;
	}
	if (by_tid[tid])	/* its exit was lost */
		tasks[by_tid[tid]].exited = 1;
	i = task_make(tid);
	by_tid[tid] = (u16)i;
	if (i == TASK_OTHER)
		return;
	/* A new process has its parent's command line, until it execs. */
	p = &tasks[task_of(parent)];
	if (parent > 0 && p->name_len && p->name[0] != '[') {
		set_name(&tasks[i], p->name, p->name_len);
		tasks[i].named = p->named;
	} else {
		set_comm(&tasks[i], comm, n);
	}
}

/* Only for who has no command line, or whose last exec was not seen alive. */
void
task_rename(int tid, const char *comm, size_t n)
{
	struct task *t = &tasks[task_of(tid)];

	if (t->pid != tid || t == tasks || (t->named && t->name[0] != '['))
		return;
	set_comm(t, comm, n);
}

void
task_exec(int tid, const char *file, size_t n)
{
	u32 i = task_of(tid);

	if (i == TASK_OTHER)
		return;
	tasks[i].named = (u8)read_name(&tasks[i]);
	if (!tasks[i].named)
		set_name(&tasks[i], file, n);
	user_exec(tasks[i].pid);
}

void
task_exit(int tid, const char *comm, size_t n)
{
	u32 i = (u32)tid < tid_max ? by_tid[tid] : 0;

	if (!i || tasks[i].pid != tid)
		return;
	tasks[i].exited = 1;
	if (!tasks[i].name_len)	/* it was gone before its name was read */
		set_comm(&tasks[i], comm, n);
}

u32
task_named(int pid, const char *name, size_t n)
{
	u32 i = (u32)pid < tid_max ? by_tid[pid] : 0;

	if (i || (u32)pid >= tid_max)
		return i;
	i = task_make(pid);
	by_tid[pid] = (u16)i;
	if (i != TASK_OTHER)
		set_name(&tasks[i], name, n);
	return i;
}

void
task_collect(void)
{
	u32 i, tid, freed = 0;

	for (i = 1; i < used; i++) {
		struct task *t = &tasks[i];
		if (t->pid == TASK_UNUSED || !t->exited || t->held ||
		    t->use.live)
			continue;
		t->pid = TASK_UNUSED;
		t->use.live = free_list;
		free_list = i;
		freed++;
	}
	for (tid = 0; freed && tid < tid_max; tid++)
		if (by_tid[tid] && tasks[by_tid[tid]].pid == TASK_UNUSED)
			by_tid[tid] = 0;
}
