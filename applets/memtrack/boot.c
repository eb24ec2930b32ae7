/* boot.c - the kernel parameters that trace a whole boot. */
#include <sys/utsname.h>

#include "memtrack.h"
#include "run.h"

static struct out out;

static int
kernel_at_least(unsigned major, unsigned minor)
{
	struct utsname u;
	const char *p = u.release;
	u64 a = 0, b = 0;

	uname(&u);
	scan_u64(&p, &a);
	p += *p == '.';
	scan_u64(&p, &b);
	return a > major || (a == major && b >= minor);
}

/* Events that this kernel has, or all when it cannot be asked. */
static void
put_events(int dir, int stacks_only, const char *after)
{
	const struct event_type *t;
	const char *slash, *lead = "";
	char path[96];

	for (t = event_types; t->path; t++) {
		fmt_str(path, sizeof(path), "events/%s/format", t->path);
		if (t->kind == EVENT_STACK || t->kind == EVENT_USER ||
		    (stacks_only && !t->stacks) ||
		    (dir >= 0 && faccessat(dir, path, F_OK, 0)))
			continue;
		slash = strchr(t->path, '/');
		out_str(&out, lead);
		if (!stacks_only)
			out_fmt(&out, "%.*s:", (int)(slash - t->path),
				t->path);
		out_fmt(&out, "%s%s", slash + 1, after);
		lead = ",";
	}
}

int
boot_params(void)
{
	int dir = tracefs_open();

	out_open(&out, 1);
	if (kernel_at_least(6, 3)) {
		out_str(&out, "trace_instance=memtrack,");
		put_events(dir, 0, "");
		out_str(&out, " trace_trigger=");
		put_events(dir, 1, ".stacktrace");
		out_str(&out, " trace_buf_size=16M\n");
		note("then: %s --adopt memtrack", applet_name);
	} else {
		out_str(&out, "trace_event=");
		put_events(dir, 0, "");
		/* A clock that is chosen later would empty the buffer. */
		out_str(&out, " trace_options=stacktrace trace_clock=global "
			"trace_buf_size=64M\n");
		note("then: %s --adopt global", applet_name);
	}
	return out_finish(&out, "standard output");
}
