/* emit_all.c - all processes as one document of JSON, or a line each, and which
 * were skipped, and why. */
#include <sys/resource.h>

#include "emit.h"

/* A process of the list --all goes by. It stands in "processes" if it was
 * counted there, even if it ended before it was read: then without regions. */
struct listed {
	int pid;
	int fd;			/* of what will be read; -1: to be opened again */
	u8 why;			/* enum skip */
};
enum { HELD_MAX = 512, HELD_SPARE = 32 };

/* Descriptors below this may be kept open. */
static int
held_limit(void)
{
	struct rlimit r;

	if (getrlimit(RLIMIT_NOFILE, &r) < 0 || r.rlim_cur < HELD_SPARE)
		return 0;
	r.rlim_cur -= HELD_SPARE;
	return r.rlim_cur < HELD_MAX ? (int)r.rlim_cur : HELD_MAX;
}

static enum skip
can_read(struct listed *l, int limit)
{
	l->fd = -1;
	if (ask.skip_kernel && is_kernel_thread(l->pid))
		return SKIP_KERNEL;
	l->fd = proc_open(l->pid, ask.smaps ? "smaps" : "maps", O_RDONLY);
	if (l->fd < 0)
		return skip_of_errno();
	if (l->fd >= limit) {
		close(l->fd);
		l->fd = -1;
	}
	return SKIP_NOT;
}

/* The list grows with the processes: room for all the kernel can have. */
static struct listed *
list_processes(size_t *count)
{
	enum { PROCESSES_MAX = 4 << 20 };	/* PID_MAX_LIMIT */
	static struct arena arena;
	struct targets t;
	struct listed *list;
	int pid, limit = held_limit();

	if (!arena.base && arena_open(&arena, PROCESSES_MAX * sizeof(*list)) < 0)
		die("memory for the list of processes:");
	list = (void *)arena.base;
	*count = 0;
	if (targets_open(&t) < 0)
		return NULL;
	while (*count < PROCESSES_MAX && targets_next(&t, &pid)) {
		struct listed *l = &list[(*count)++];

		l->pid = pid;
		l->why = can_read(l, limit);
	}
	targets_close(&t);
	return list;
}

static void
emit_skipped(const struct listed *list, size_t count, struct skipped *skipped)
{
	struct procstat st;
	size_t i;
	u64 n = 0;

	for (i = 0; i < count; i++) {
		n += list[i].why != SKIP_NOT;
		skipped->count[list[i].why]++;
	}
	json_ku64(&emit_json, "skipped_count", n);
	json_key(&emit_json, "skipped_processes");
	json_array(&emit_json);
	for (i = 0; i < count; i++) {
		if (list[i].why == SKIP_NOT)
			continue;
		json_object(&emit_json);
		json_ku64(&emit_json, "pid", (u64)list[i].pid);
		json_kstr(&emit_json, "name", procstat_read(list[i].pid, &st) < 0
			? "unknown" : st.comm);
		json_kstr(&emit_json, "reason", skip_names[list[i].why]);
		json_close(&emit_json);
	}
	json_close(&emit_json);
}

/* In one document the count of processes is out already: what ended since then
 * stands there without regions. */
static void
emit_listed(struct listed *l)
{
	int written;

	l->why = (u8)emit_process(l->pid, l->fd, !ask.ndjson, &written);
}

int
emit_all(void)
{
	struct skipped skipped = { 0 };
	size_t count, i;
	u64 read = 0;
	struct listed *list = list_processes(&count);

	if (!list)
		return EXIT_FAILED;
	for (i = 0; i < count; i++)
		read += list[i].why == SKIP_NOT;
	if (!ask.ndjson) {
		json_object(&emit_json);
		json_ku64(&emit_json, "timestamp_ms", wall_ns() / 1000000);
		json_ku64(&emit_json, "process_count", read);
		json_key(&emit_json, "processes");
		json_array(&emit_json);
	}
	for (i = 0; i < count; i++)
		if (list[i].why == SKIP_NOT)
			emit_listed(&list[i]);
	if (ask.ndjson) {
		json_object(&emit_json);
		json_ku64(&emit_json, "timestamp_ms", wall_ns() / 1000000);
		json_ku64(&emit_json, "process_count", read);
	} else {
		json_close(&emit_json);
	}
	emit_skipped(list, count, &skipped);
	json_close(&emit_json);
	return skipped_tell(&skipped, read);
}

