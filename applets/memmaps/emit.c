/* emit.c - a process as JSON, with memc's keys in memc's order.
 *
 * memc's order wants the totals before the regions they are the sum of. So a
 * process's regions are written to a buffer first, then the head, then the
 * buffer. For a process whose regions do not fit, the totals are read
 * separately (maps and smaps_rollup) and the rest is written as it comes: the
 * memory used stays the same however many regions there are. */
#include "emit.h"

struct json emit_json;

static struct {
	struct totals totals;
	int entries;		/* each process in an object with its name */
	int streams;		/* the head is out, and part of the body */
	struct subject subject;
	struct region region;
} e;

static void
emit_cmdline(int pid)
{
	static char text[16 * 1024];
	ssize_t n = proc_slurp(pid, "cmdline", text, sizeof(text));
	size_t size = n < 0 ? 0 : (size_t)n, at, len;

	json_key(&emit_json, "cmdline");
	json_array(&emit_json);
	for (at = 0; at < size; at += len + 1) {
		len = strnlen(text + at, size - at);
		json_strn(&emit_json, text + at, len);
	}
	json_close(&emit_json);
	if (!json_is_utf8(text, size))
		json_khex(&emit_json, "cmdline", text, size);
	if (size == sizeof(text) - 1)
		json_kbool(&emit_json, "cmdline_cut", 1);
}

/* What --full says of a process. */
static void
emit_identity(const struct subject *s)
{
	static struct cgroups groups;
	static char path[PATH_MAX];
	ssize_t n;
	u32 uid;

	json_kstr(&emit_json, "comm", s->stat.comm);
	emit_cmdline(s->pid);
	json_key(&emit_json, "uid");
	if (proc_uid(s->pid, &uid) < 0)
		json_null(&emit_json);
	else
		json_u64(&emit_json, uid);
	json_ku64(&emit_json, "ppid", (u64)s->stat.ppid);
	if (!*groups.mount)
		cgroups_open(&groups);
	n = cgroup_of(&groups, s->pid, path, sizeof(path));
	if (n < 0) {
		json_key(&emit_json, "cgroup");
		json_null(&emit_json);
	} else {
		json_kstrn(&emit_json, "cgroup", path, (size_t)n);
	}
}

static void
emit_head(const struct subject *s, const struct totals *t)
{
	json_object(&emit_json);
	json_ku64(&emit_json, "pid", (u64)s->pid);
	json_ku64(&emit_json, "timestamp_ms", s->when / 1000000);
	json_ku64(&emit_json, "total_rss_kb", t->rss / KIB);
	json_ku64(&emit_json, "total_vsize_kb", t->vsize / KIB);
	json_ku64(&emit_json, "region_count", t->regions);
	if (ask.full)
		emit_identity(s);
	json_key(&emit_json, "regions");
	json_array(&emit_json);
}

/* The totals of a process too big for the buffer, while its regions stand half
 * read. Without a filter maps and smaps_rollup tell them at less cost. */
static void
count_again(const struct subject *s, struct totals *t)
{
	static struct regions regions;
	static struct region g;
	static char lines[8192];
	u64 rss;
	int filtered = ask.min || ask.types || ask.kinds;

	*t = (struct totals){ 0 };
	if (regions_open(&regions, s->pid, filtered && ask.smaps, lines,
	    sizeof(lines)) < 0)
		return;
	while (regions_next(&regions, &g) > 0)
		if (region_wanted(&g))
			totals_add(t, &g);
	regions_close(&regions);
	if (ask.smaps && !filtered &&
	    proc_slurp(s->pid, "smaps_rollup", lines, sizeof(lines)) > 0 &&
	    !key_u64(lines, "Rss", &rss))
		t->rss = rss;
}

static void
emit_entry(const struct subject *s)
{
	json_object(&emit_json);
	json_ku64(&emit_json, "pid", (u64)s->pid);
	json_kstr(&emit_json, "name", s->stat.comm);
	json_key(&emit_json, "snapshot");
}

static void
emit_start(const struct totals *t)
{
	struct totals shown = *t;

	if (e.entries)
		emit_entry(&e.subject);
	if (!ask.smaps)
		shown.rss = e.subject.stat.rss * page_size;
	emit_head(&e.subject, &shown);
	emit_json.empty[emit_json.depth] = !t->regions;
}

static void
make_room(const struct region *g)
{
	struct totals t;

	if (body_has_room(g))
		return;
	if (!e.streams) {
		count_again(&e.subject, &t);
		emit_start(&t);
		e.streams = 1;
	}
	body_flush();
}

static void
emit_tail(void)
{
	if (!e.streams)
		emit_start(&e.totals);
	body_flush();
	json_close(&emit_json);
	json_close(&emit_json);
	if (e.entries)
		json_close(&emit_json);
}

/* The regions into the body; fd as in subject_open_fd. */
static enum skip
gather(int pid, int fd)
{
	struct subject *s = &e.subject;
	enum skip why = subject_open_fd(s, pid, fd);
	int r;

	e.totals = (struct totals){ 0 };
	e.streams = 0;
	body_clear();
	if (why != SKIP_NOT)
		return why;
	while ((r = subject_next(s, &e.region)) > 0) {
		make_room(&e.region);
		body_put(&e.region, !e.totals.regions);
		totals_add(&e.totals, &e.region);
	}
	if (r < 0)
		why = skip_of_errno();
	subject_close(s);
	return why == SKIP_NOT && subject_ended(s) ? SKIP_VANISHED : why;
}

enum skip
emit_process(int pid, int fd, int regardless, int *written)
{
	enum skip why = gather(pid, fd);

	if (!e.entries && ask.sampling && e.subject.stat.state == 'Z')
		why = SKIP_VANISHED;	/* nobody waits for it yet */
	*written = why == SKIP_NOT || e.streams || regardless;
	if (why != SKIP_NOT && !e.streams) {
		body_clear();
		e.totals = (struct totals){ 0 };
		e.subject.stat.rss = 0;
	}
	if (*written)
		emit_tail();
	return why;
}

/* What cannot be read is an error, unless samples came before. */
static int
emit_one(int pid)
{
	static int seen;
	int written;
	enum skip why = emit_process(pid, -1, 0, &written);

	if (written) {
		seen = 1;
		return EXIT_DONE;
	}
	if (why == SKIP_VANISHED && seen) {
		note("%s: %d ended", applet_name, pid);
		return -1;
	}
	skip_tell(pid, why);
	return seen ? -1 : EXIT_FAILED;
}

int
emit_sample(void)
{
	static int open;
	int indent = ask.compact || ask.ndjson || ask.sampling ? 0 : 2, pid = 0;

	e.entries = ask.all || ask.pid_count > 1;
	if (!open) {
		open = 1;
		json_open(&emit_json, &report, indent);
		body_open(indent, e.entries ? 6 : 3);
	}
	if (e.entries)
		return emit_all();
	parse_pid(*ask.pids, &pid);
	return emit_one(pid);
}
