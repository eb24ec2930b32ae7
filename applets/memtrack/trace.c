/* trace.c - a private tracing instance, or one that is taken over: it is made,
 * set up, started and removed here. Its events are in trace_events.c, its rings
 * in trace_rings.c.
 */
#include <sys/wait.h>

#include "memtrack.h"
#include "trace.h"

struct instance instance = { .tracefs = -1, .dir = -1 };

static int free_buffer = -1;
static char name[64];		/* of the instance; "" = the global one */
static pid_t clock_setter;
static u64 kernel_bytes, slab_before;
static char text[4096];

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

_Noreturn void
trace_give_up(const char *what, const char *path)
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

	tracefs_sweep(instance.tracefs, "membox");
	fmt_str(name, sizeof(name), "membox.%d", (int)getpid());
	fmt_str(path, sizeof(path), "instances/%s", name);
	if (mkdirat(instance.tracefs, path, 0700) < 0 && errno != EEXIST) {
		int error = errno;
		name[0] = 0;
		errno = error;
		if (error == EPERM || error == EACCES)
			no_tracefs();
		die("make the tracing instance %s (a kernel without "
			"CONFIG_TRACING?):", path);
	}
	instance.dir = openat(instance.tracefs, path,
		O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (instance.dir < 0)
		trace_give_up("open", path);
}

static void
adopt_instance(const char *wanted)
{
	char path[96];

	instance.adopted = 1;
	if (!strcmp(wanted, "global")) {
		instance.dir = openat(instance.tracefs, ".",
			O_PATH | O_DIRECTORY | O_CLOEXEC);
		return;
	}
	if (strchr(wanted, '/') || !strcmp(wanted, "..") ||
	    strlen(wanted) >= sizeof(name))
		die("--adopt %s: not an instance's name", wanted);
	fmt_str(path, sizeof(path), "instances/%s", wanted);
	instance.dir = openat(instance.tracefs, path,
		O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (instance.dir < 0)
		die("open the tracing instance %s (was the kernel booted with "
			"what --boot-params prints?):", wanted);
	fmt_str(name, sizeof(name), "%s", wanted);
	events_drop_at_boot();
}

/* SIGKILL, too, ends tracing and frees the rings. */
static void
hold_free_buffer(void)
{
	at_write(instance.dir, "options/disable_on_free", "1");
	free_buffer = openat(instance.dir, "free_buffer", O_WRONLY | O_CLOEXEC);
}

/* The kernel clears the rings then, behind two or three grace periods of RCU:
 * a process of its own waits for them. */
static void
set_clock(void)
{
	clock_setter = fork();
	if (clock_setter > 0)
		return;
	instance.own_clock = !at_write(instance.dir, "trace_clock", "mono");
	if (!clock_setter)
		_exit(!instance.own_clock);
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
	instance.own_clock = !status;
}

static void
set_buffer(u64 bytes)
{
	char kib[24];

	fmt_str(kib, sizeof(kib), "%lu", (unsigned long)(bytes / KIB));
	at_write(instance.dir, "buffer_percent", "25");
	if (instance.adopted)
		return;
	if (at_write(instance.dir, "tracing_on", "0") < 0)
		trace_give_up("write", "tracing_on");
	if (at_write(instance.dir, "buffer_size_kb", kib) < 0)
		trace_give_up("no room for the ring buffers; try a smaller "
			"--buf-size: write", "buffer_size_kb");
	set_clock();
}

/* ---- begin and end ---- */

void
trace_open(const struct trace_options *o)
{
	root_refuse("tracing");
	instance.tracefs = tracefs_open();
	if (instance.tracefs < 0)
		no_tracefs();
	slab_before = slab_bytes();
	if (o->adopt)
		adopt_instance(o->adopt);
	else
		make_instance();
	set_buffer(o->buffer);
	hold_free_buffer();
	rings_open();
}

void
trace_start(const struct trace_options *o)
{
	wait_clock();
	events_open(o->user_stacks);
	if (at_write(instance.dir, "tracing_on", "1") < 0)
		trace_give_up("write", "tracing_on");
	kernel_bytes = slab_bytes();
	kernel_bytes -= kernel_bytes > slab_before ? slab_before : kernel_bytes;
}

int
trace_is_on(void)
{
	return instance.tracefs >= 0;
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

	if (at_slurp(instance.dir, "buffer_total_size_kb", text,
			sizeof(text)) <= 0 ||
	    scan_u64(&p, &kib) < 0)
		return 0;
	return kib * KIB;
}

void
trace_close(void)
{
	char path[96];

	if (instance.dir < 0)
		return;
	at_write(instance.dir, "tracing_on", "0");
	rings_close();
	if (instance.adopted)
		events_quiet();
	if (free_buffer >= 0)
		close(free_buffer);
	free_buffer = -1;
	if (!name[0]) {
		at_write(instance.dir, "options/disable_on_free", "0");
		at_write(instance.dir, "tracing_on", "1");
	}
	close(instance.dir);
	instance.dir = -1;
	if (!name[0])
		return;
	fmt_str(path, sizeof(path), "instances/%s", name);
	if (unlinkat(instance.tracefs, path, AT_REMOVEDIR) < 0)
		warn("remove the tracing instance %s:", path);
}
