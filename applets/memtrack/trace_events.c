/* trace_events.c - the events of the instance: their formats, filters and stack
 * triggers, on and off.
 */
#include "memtrack.h"
#include "trace.h"

static char text[16384];

void
events_drop_at_boot(void)
{
	const struct event_type *t;
	char path[96];

	if (root_slurp("/proc/cmdline", text, sizeof(text)) <= 0 ||
	    !strstr(text, "trace_trigger="))
		return;
	for (t = event_types; t->path; t++) {
		fmt_str(path, sizeof(path), "events/%s/trigger", t->path);
		if (t->stacks)
			at_write(instance.tracefs, path, "!stacktrace");
	}
}

/* 0 = of no use here; exits when it is needed. */
static int
read_format(const struct event_type *t)
{
	char path[96];
	const char *field;

	fmt_str(path, sizeof(path), "events/%s/format", t->path);
	if (at_slurp(instance.tracefs, path, text, sizeof(text)) <= 0) {
		if (t->needed)
			trace_give_up("this kernel has no event", path);
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
	return at_write(instance.dir, path, value);
}

static int
has_stacks(const struct event_type *t)
{
	char path[96];

	if (at_slurp(instance.dir, "options/stacktrace", text,
			sizeof(text)) > 0 &&
	    *text == '1' && instance.adopted)
		return 1;
	fmt_str(path, sizeof(path), "events/%s/trigger", t->path);
	return at_slurp(instance.dir, path, text, sizeof(text)) > 0 &&
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
		trace_give_up("set the stacktrace trigger of", t->path);
	if (event_write(t, "enable", "1") < 0 && t->needed)
		trace_give_up("enable the event", t->path);
}

void
events_open(int user_stacks)
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
	if (at_write(instance.dir, "options/userstacktrace", "1") < 0)
		trace_give_up("no user stacks on this kernel: write",
			"options/userstacktrace");
}

void
events_quiet(void)
{
	const struct event_type *t;

	for (t = event_types; t->path; t++) {
		event_write(t, "enable", "0");
		event_write(t, "filter", "0");
		if (t->stacks)
			event_write(t, "trigger", "!stacktrace");
	}
	at_write(instance.dir, "options/stacktrace", "0");
	at_write(instance.dir, "options/userstacktrace", "0");
}
