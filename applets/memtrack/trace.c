/* trace.c - a private tracing instance, and its rings merged by time.
 *
 * Each CPU has one sub-buffer here at a time; the rings themselves hold what
 * was not read yet. In a pass, the CPU with the oldest event goes first. A CPU
 * that had no more events when it was read cannot come up with one older than
 * the pass's beginning, so what is older than that (less a margin for clocks
 * that differ) is applied, and the rest waits for the next pass: the order is
 * right and nothing is sorted or stored.
 */
#include <poll.h>
#include <sys/wait.h>

#include "memtrack.h"

enum { CPUS_MAX = 2048, HORIZON_MARGIN = 1000000, TEXT_MAX = 16384 };

static struct cpu {
	int fd;
	u8 ready;		/* event is valid */
	u32 number;
	u8 *page;
	struct ring ring;
	struct ring_event event;
	struct decoder decoder;
} cpus[CPUS_MAX];
static unsigned cpu_count;
static u16 heap[CPUS_MAX];	/* of the CPUs that have an event, by time */
static unsigned heap_used;
static struct pollfd polls[CPUS_MAX];

static int tracefs = -1, dir = -1, free_buffer = -1;
static char name[64];		/* of the instance; "" = the global one */
static int adopted, own_clock;
static pid_t clock_setter;
static u64 kernel_bytes, slab_before, cpu_spent;
static struct ring_layout layout;
static char text[TEXT_MAX];

/* ---- errors ---- */

static int
is_locked_down(void)
{
	char mode[128];

	return root_slurp("/sys/kernel/security/lockdown", mode,
		sizeof(mode)) > 0 && strstr(mode, "[confidentiality]");
}

static _Noreturn void
no_tracefs(void)
{
	if (is_locked_down())
		die("the kernel is locked down (/sys/kernel/security/lockdown: "
			"confidentiality): tracefs is closed then; boot without "
			"lockdown=confidentiality");
	if (geteuid())
		die("tracing needs root: run it as root, or with sudo");
	if (errno == EPERM || errno == EACCES)
		die("tracefs is refused to root: no CAP_SYS_ADMIN here (a "
			"container?), or the kernel is locked down (see "
			"/sys/kernel/security/lockdown)");
	die("no tracefs: 'mount -t tracefs tracefs /sys/kernel/tracing' failed "
		"(a kernel without CONFIG_TRACING, or locked down?):");
}

/* Nothing is left behind by a start that failed. */
static _Noreturn void
give_up(const char *what, const char *path)
{
	if (errno == EPERM && is_locked_down())
		warn("%s %s: the kernel is locked down (confidentiality)",
			what, path);
	else
		warn("%s %s:", what, path);
	trace_close();
	_exit(EXIT_FAILED);
}

/* ---- instance ---- */

static u64
slab_bytes(void)
{
	u64 v = 0;

	if (root_slurp("/proc/meminfo", text, sizeof(text)) > 0)
		key_u64(text, "Slab", &v);
	return v;
}

static void
make_instance(void)
{
	char path[96];

	tracefs_sweep(tracefs, "membox");
	fmt_str(name, sizeof(name), "membox.%d", (int)getpid());
	fmt_str(path, sizeof(path), "instances/%s", name);
	if (mkdirat(tracefs, path, 0700) < 0 && errno != EEXIST) {
		int error = errno;
		name[0] = 0;
		errno = error;
		if (error == EPERM || error == EACCES)
			no_tracefs();
		die("make the tracing instance %s (a kernel without "
			"CONFIG_TRACING?):", path);
	}
	dir = openat(tracefs, path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (dir < 0)
		give_up("open", path);
}

/* The parameter trace_trigger= sets its triggers in the global instance, too:
 * there they cost time and are of no use. */
static void
drop_boot_triggers(void)
{
	const struct event_type *t;
	char path[96];

	if (root_slurp("/proc/cmdline", text, sizeof(text)) <= 0 ||
	    !strstr(text, "trace_trigger="))
		return;
	for (t = event_types; t->path; t++) {
		fmt_str(path, sizeof(path), "events/%s/trigger", t->path);
		if (t->stacks)
			at_write(tracefs, path, "!stacktrace");
	}
}

static void
adopt_instance(const char *wanted)
{
	char path[96];

	adopted = 1;
	if (!strcmp(wanted, "global")) {
		dir = openat(tracefs, ".", O_PATH | O_DIRECTORY | O_CLOEXEC);
		return;
	}
	if (strchr(wanted, '/') || !strcmp(wanted, "..") ||
	    strlen(wanted) >= sizeof(name))
		die("--adopt %s: not an instance's name", wanted);
	fmt_str(path, sizeof(path), "instances/%s", wanted);
	dir = openat(tracefs, path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (dir < 0)
		die("open the tracing instance %s (was the kernel booted with "
			"what --boot-params prints?):", wanted);
	fmt_str(name, sizeof(name), "%s", wanted);
	drop_boot_triggers();
}

/* SIGKILL, too, ends tracing and frees the rings. */
static void
hold_free_buffer(void)
{
	at_write(dir, "options/disable_on_free", "1");
	free_buffer = openat(dir, "free_buffer", O_WRONLY | O_CLOEXEC);
}

/* The kernel clears the rings then, behind two or three grace periods of RCU:
 * a process of its own waits for them. */
static void
set_clock(void)
{
	clock_setter = fork();
	if (clock_setter > 0)
		return;
	own_clock = !at_write(dir, "trace_clock", "mono");
	if (!clock_setter)
		_exit(!own_clock);
}

static void
wait_clock(void)
{
	int status;

	if (clock_setter <= 0)
		return;
	while (waitpid(clock_setter, &status, 0) < 0)
		if (errno != EINTR)
			return;
	own_clock = !status;
}

static void
set_buffer(u64 bytes)
{
	char kib[24];

	fmt_str(kib, sizeof(kib), "%lu", (unsigned long)(bytes / KIB));
	at_write(dir, "buffer_percent", "25");
	if (adopted)
		return;
	if (at_write(dir, "tracing_on", "0") < 0)
		give_up("write", "tracing_on");
	if (at_write(dir, "buffer_size_kb", kib) < 0)
		give_up("no room for the ring buffers; try a smaller "
			"--buf-size: write", "buffer_size_kb");
	set_clock();
}

/* ---- events ---- */

/* 0 = of no use here; exits when it is needed. */
static int
read_format(const struct event_type *t)
{
	char path[96];
	const char *field;

	fmt_str(path, sizeof(path), "events/%s/format", t->path);
	if (at_slurp(tracefs, path, text, sizeof(text)) <= 0) {
		if (t->needed)
			give_up("this kernel has no event", path);
		return 0;
	}
	if (!decode_format(t, text, &field))
		return 1;
	if (!t->needed)
		return 0;
	warn("%s: no field %s: this kernel's format is not known", path,
		field);
	trace_close();
	_exit(EXIT_FAILED);
}

static int
event_write(const struct event_type *t, const char *file, const char *value)
{
	char path[96];

	fmt_str(path, sizeof(path), "events/%s/%s", t->path, file);
	return at_write(dir, path, value);
}

static int
has_stacks(const struct event_type *t)
{
	char path[96];

	if (at_slurp(dir, "options/stacktrace", text, sizeof(text)) > 0 &&
	    *text == '1' && adopted)
		return 1;
	fmt_str(path, sizeof(path), "events/%s/trigger", t->path);
	return at_slurp(dir, path, text, sizeof(text)) > 0 &&
		!strncmp(text, "stacktrace", 10);
}

/* The tracer's own allocations are not to be in what it reads. */
static void
enable(const struct event_type *t)
{
	char value[64];

	fmt_str(value, sizeof(value), "common_pid != %d", (int)getpid());
	event_write(t, "filter", value);
	fmt_str(value, sizeof(value), "stacktrace if common_pid != %d",
		(int)getpid());
	if (t->stacks && !has_stacks(t) &&
	    event_write(t, "trigger", value) < 0 && t->needed)
		give_up("set the stacktrace trigger of", t->path);
	if (event_write(t, "enable", "1") < 0 && t->needed)
		give_up("enable the event", t->path);
}

static void
open_events(int user_stacks)
{
	const struct event_type *t;

	decode_reset();
	for (t = event_types; t->path; t++) {
		if (t->kind == EVENT_USER && !user_stacks)
			continue;
		if (read_format(t) && t->kind != EVENT_STACK &&
		    t->kind != EVENT_USER)
			enable(t);
	}
	if (!user_stacks)
		return;
	if (at_write(dir, "options/userstacktrace", "1") < 0)
		give_up("no user stacks on this kernel: write",
			"options/userstacktrace");
}

/* ---- rings ---- */

static void
add_cpu(void *arg, unsigned number)
{
	char path[64];
	int fd;

	(void)arg;
	if (cpu_count == CPUS_MAX)
		return;
	fmt_str(path, sizeof(path), "per_cpu/cpu%u/trace_pipe_raw", number);
	fd = openat(dir, path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	if (fd < 0)
		return;		/* a CPU that never was: no ring */
	memset(&cpus[cpu_count], 0, sizeof(cpus[0]));
	cpus[cpu_count].fd = fd;
	cpus[cpu_count].number = number;
	polls[cpu_count].fd = fd;
	polls[cpu_count].events = POLLIN;
	cpu_count++;
}

/* CPUs that may come online later have their directories from the start. */
static void
open_rings(void)
{
	static struct arena pages;
	unsigned i;

	if (at_slurp(tracefs, "events/header_page", text, sizeof(text)) <= 0 ||
	    ring_layout(text, &layout) < 0)
		give_up("cannot read the rings' layout:", "events/header_page");
	cpu_count = heap_used = 0;
	if (tracefs_cpus(dir, add_cpu, NULL) < 0 || !cpu_count)
		give_up("open", "per_cpu/cpu*/trace_pipe_raw");
	if (arena_open(&pages, cpu_count * (size_t)layout.size) < 0)
		give_up("no memory for", "sub-buffers");
	for (i = 0; i < cpu_count; i++)
		cpus[i].page = arena_take(&pages, layout.size);
}

void
trace_open(const struct trace_options *o)
{
	root_refuse("tracing");
	tracefs = tracefs_open();
	if (tracefs < 0)
		no_tracefs();
	slab_before = slab_bytes();
	if (o->adopt)
		adopt_instance(o->adopt);
	else
		make_instance();
	set_buffer(o->buffer);
	hold_free_buffer();
	open_rings();
}

void
trace_start(const struct trace_options *o)
{
	wait_clock();
	open_events(o->user_stacks);
	if (at_write(dir, "tracing_on", "1") < 0)
		give_up("write", "tracing_on");
	kernel_bytes = slab_bytes();
	kernel_bytes -= kernel_bytes > slab_before ? slab_before : kernel_bytes;
}

int
trace_is_on(void)
{
	return tracefs >= 0;
}

u64
trace_kernel_bytes(void)
{
	return kernel_bytes;
}

u64
trace_ring_bytes(void)
{
	u64 kib;
	const char *p = text;

	if (at_slurp(dir, "buffer_total_size_kb", text, sizeof(text)) <= 0 ||
	    scan_u64(&p, &kib) < 0)
		return 0;
	return kib * KIB;
}

/* ---- merge ---- */

/* The next sub-buffer of the ring; 0 when there is none now. */
static int
read_page(struct cpu *c)
{
	ssize_t n = read(c->fd, c->page, layout.size);

	if (n <= 0)
		return 0;
	if (ring_open(&c->ring, &layout, c->page, (size_t)n) < 0)
		counts.torn++;
	if (c->ring.missed) {
		counts.lost_pages++;
		decode_flush(&c->decoder);
	}
	return 1;
}

static int
next_event(struct cpu *c)
{
	int r;

	do {
		r = ring_next(&c->ring, &c->event);
		if (r < 0)
			counts.torn++;
	} while (r <= 0 && read_page(c));
	c->ready = r > 0;
	return c->ready;
}

static u64
heap_ts(unsigned i)
{
	return cpus[heap[i]].event.ts;
}

static void
heap_sift(unsigned i)
{
	unsigned child;

	for (; (child = 2 * i + 1) < heap_used; i = child) {
		u16 t = heap[i];
		if (child + 1 < heap_used &&
		    heap_ts(child + 1) < heap_ts(child))
			child++;
		if (heap_ts(i) <= heap_ts(child))
			return;
		heap[i] = heap[child];
		heap[child] = t;
	}
}

static void
heap_fill(void)
{
	unsigned i;

	heap_used = 0;
	for (i = 0; i < cpu_count; i++)
		if (cpus[i].ready || next_event(&cpus[i]))
			heap[heap_used++] = (u16)i;
	for (i = heap_used / 2; i-- > 0;)
		heap_sift(i);
}

u64
trace_cpu_ns(void)
{
	return cpu_spent;
}

/* Applies what is not younger than horizon, in the order of time. */
static void
merge(u64 horizon)
{
	u64 begin = cpu_ns();

	heap_fill();
	while (heap_used && heap_ts(0) <= horizon) {
		struct cpu *c = &cpus[heap[0]];
		decode_record(&c->decoder, &c->event);
		if (!next_event(c))
			heap[0] = heap[--heap_used];
		heap_sift(0);
	}
	cpu_spent += cpu_ns() - begin;
}

/* "now ts: 12345.678901" (or a bare number, for clocks that count). */
static u64
ring_clock(void)
{
	char path[64], *line;
	const char *p;
	u64 whole, part = 0;

	fmt_str(path, sizeof(path), "per_cpu/cpu%u/stats", cpus[0].number);
	if (at_slurp(dir, path, text, sizeof(text)) <= 0 ||
	    !(line = strstr(text, "now ts:")))
		return 0;
	p = line + 7;
	if (scan_u64(&p, &whole) < 0)
		return 0;
	if (*p != '.')
		return whole;
	p++;
	scan_u64(&p, &part);
	return whole * 1000000000 + part * 1000;
}

void
trace_poll(int ms)
{
	u64 now;
	unsigned i;

	if (!cpu_count)
		return;
	/* A CPU that has no ring yet says so without waiting. */
	if (poll(polls, cpu_count, ms) > 0)
		for (i = 0; i < cpu_count; i++)
			if (polls[i].revents & (POLLERR | POLLNVAL))
				polls[i].fd = -1;
	now = own_clock ? now_ns() : ring_clock();
	if (now > HORIZON_MARGIN)
		merge(now - HORIZON_MARGIN);
}

/* ---- the end ---- */

void
trace_count_lost(void)
{
	char path[64];
	u64 v;
	unsigned i;

	counts.lost = 0;
	for (i = 0; i < cpu_count; i++) {
		fmt_str(path, sizeof(path), "per_cpu/cpu%u/stats",
			cpus[i].number);
		if (at_slurp(dir, path, text, sizeof(text)) <= 0)
			continue;
		if (!key_u64(text, "overrun", &v))
			counts.lost += v;
		if (!key_u64(text, "dropped events", &v))
			counts.lost += v;
	}
}

void
trace_stop(void)
{
	unsigned i;

	at_write(dir, "tracing_on", "0");
	merge(~0ull);
	for (i = 0; i < cpu_count; i++)
		decode_flush(&cpus[i].decoder);
	trace_count_lost();
}

/* What was taken over goes back to what it is by default. */
static void
quiet_adopted(void)
{
	const struct event_type *t;

	for (t = event_types; t->path; t++) {
		event_write(t, "enable", "0");
		event_write(t, "filter", "0");
		if (t->stacks)
			event_write(t, "trigger", "!stacktrace");
	}
	at_write(dir, "options/stacktrace", "0");
	at_write(dir, "options/userstacktrace", "0");
}

void
trace_close(void)
{
	char path[96];

	if (dir < 0)
		return;
	at_write(dir, "tracing_on", "0");
	while (cpu_count)
		close(cpus[--cpu_count].fd);
	if (adopted)
		quiet_adopted();
	if (free_buffer >= 0)
		close(free_buffer);
	free_buffer = -1;
	if (!name[0]) {
		at_write(dir, "options/disable_on_free", "0");
		at_write(dir, "tracing_on", "1");
	}
	close(dir);
	dir = -1;
	if (!name[0])
		return;
	fmt_str(path, sizeof(path), "instances/%s", name);
	if (unlinkat(tracefs, path, AT_REMOVEDIR) < 0)
		warn("remove the tracing instance %s:", path);
}
