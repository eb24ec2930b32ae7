/* emit.c - regions as JSON, with memc's keys in memc's order.
 *
 * memc's order wants the totals before the regions they are the sum of. So a
 * process's regions are written to a buffer first, then the head, then the
 * buffer. For a process whose regions do not fit, the totals are read
 * separately (maps and smaps_rollup) and the rest is written as it comes: the
 * memory used stays the same however many regions there are.
 *
 * A region is put together from ready pieces, the keys with what stands before
 * them: one region costs the kernel 3 us, so this must not cost another 3. */
#include <sys/resource.h>

#include "memmaps.h"

enum {
	BODY_SIZE = 1 << 20,
	REGION_ROOM = 4096,	/* a region without its path */
	PATH_ROOM = 8,		/* bytes for each of the path: \u001b, hex */
};

enum piece_id {
	P_OPEN, P_START, P_END, P_TYPE, P_PERM, P_SIZE, P_SMAPS,
	P_PATH = P_SMAPS + SMAPS_KEYS, P_SUBTYPE, P_OFFSET, P_DEVICE, P_INODE,
	P_CLOSE,
	PIECES
};
struct piece {
	char text[56];
	u8 n;
};
static struct piece pieces[PIECES];
static const char *const piece_keys[PIECES] = {
	[P_START] = "start", [P_END] = "end", [P_TYPE] = "type",
	[P_PERM] = "perm", [P_SIZE] = "size_kb",
	[P_SMAPS + SMAPS_KERNEL_PAGE] = "kernel_page_size_kb",
	[P_SMAPS + SMAPS_MMU_PAGE] = "mmu_page_size_kb",
	[P_SMAPS + SMAPS_RSS] = "rss_kb", [P_SMAPS + SMAPS_PSS] = "pss_kb",
	[P_SMAPS + SMAPS_PSS_DIRTY] = "pss_dirty_kb",
	[P_SMAPS + SMAPS_SHARED_CLEAN] = "shared_clean_kb",
	[P_SMAPS + SMAPS_SHARED_DIRTY] = "shared_dirty_kb",
	[P_SMAPS + SMAPS_PRIVATE_CLEAN] = "private_clean_kb",
	[P_SMAPS + SMAPS_PRIVATE_DIRTY] = "private_dirty_kb",
	[P_SMAPS + SMAPS_REFERENCED] = "referenced_kb",
	[P_SMAPS + SMAPS_ANONYMOUS] = "anonymous_kb",
	[P_SMAPS + SMAPS_KSM] = "ksm_kb",
	[P_SMAPS + SMAPS_LAZY_FREE] = "lazy_free_kb",
	[P_SMAPS + SMAPS_ANON_HUGE] = "anon_huge_pages_kb",
	[P_SMAPS + SMAPS_SHMEM_PMD] = "shmem_pmd_mapped_kb",
	[P_SMAPS + SMAPS_FILE_PMD] = "file_pmd_mapped_kb",
	[P_SMAPS + SMAPS_SHARED_HUGETLB] = "shared_hugetlb_kb",
	[P_SMAPS + SMAPS_PRIVATE_HUGETLB] = "private_hugetlb_kb",
	[P_SMAPS + SMAPS_SWAP] = "swap_kb",
	[P_SMAPS + SMAPS_SWAP_PSS] = "swap_pss_kb",
	[P_SMAPS + SMAPS_LOCKED] = "locked_kb",
	[P_SMAPS + SMAPS_THP_ELIGIBLE] = "thp_eligible",
	[P_SMAPS + SMAPS_PROTECTION_KEY] = "protection_key",
	[P_PATH] = "pathname", [P_SUBTYPE] = "subtype", [P_OFFSET] = "offset",
	[P_DEVICE] = "device", [P_INODE] = "inode",
};
/* memc's, in memc's order; the others follow under --full. */
static const u8 memc_keys[] = {
	SMAPS_RSS, SMAPS_PSS, SMAPS_SHARED_CLEAN, SMAPS_SHARED_DIRTY,
	SMAPS_PRIVATE_CLEAN, SMAPS_PRIVATE_DIRTY, SMAPS_SWAP,
};
static const u8 full_keys[] = {
	SMAPS_KERNEL_PAGE, SMAPS_MMU_PAGE, SMAPS_PSS_DIRTY, SMAPS_REFERENCED,
	SMAPS_ANONYMOUS, SMAPS_KSM, SMAPS_LAZY_FREE, SMAPS_ANON_HUGE,
	SMAPS_SHMEM_PMD, SMAPS_FILE_PMD, SMAPS_SHARED_HUGETLB,
	SMAPS_PRIVATE_HUGETLB, SMAPS_SWAP_PSS, SMAPS_LOCKED,
	SMAPS_THP_ELIGIBLE, SMAPS_PROTECTION_KEY,
};

struct emitter {
	struct json json;	/* onto report */
	struct json inner;	/* onto body, for what has no ready piece */
	struct out body;
	char text[BODY_SIZE];
	struct totals totals;
	int indent;
	int entries;		/* each process in an object with its name */
	int streams;		/* the head is out, and part of the body */
	struct subject subject;
	struct region region;
};
static struct emitter e;

/* ---- pieces ---- */

static void
piece_make(enum piece_id id, int depth, const char *before, const char *text)
{
	struct piece *p = &pieces[id];
	int n;

	if (e.indent)
		n = fmt_str(p->text, sizeof(p->text), "%s\n%*s%s", before,
			depth * e.indent, "", text);
	else
		n = fmt_str(p->text, sizeof(p->text), "%s%s", before, text);
	p->n = (u8)n;
}

/* depth: of the regions' keys. */
static void
pieces_make(int depth)
{
	char key[40];
	int id;

	piece_make(P_OPEN, depth - 1, ",", "{");
	piece_make(P_CLOSE, depth - 1, "", "}");
	for (id = P_START; id < P_CLOSE; id++) {
		if (!piece_keys[id])
			continue;
		fmt_str(key, sizeof(key), "\"%s\":%s", piece_keys[id],
			e.indent ? " " : "");
		piece_make(id, depth, id == P_START ? "" : ",", key);
	}
	json_open(&e.inner, &e.body, e.indent);
	e.inner.depth = depth;
}

static inline char *
put_piece(char *p, enum piece_id id)
{
	memcpy(p, pieces[id].text, sizeof(pieces[id].text));
	return p + pieces[id].n;
}

static inline char *
put_str(char *p, const char *s)
{
	while (*s)
		*p++ = *s++;
	return p;
}

static inline char *
put_quoted(char *p, const char *s)
{
	*p++ = '"';
	p = put_str(p, s);
	*p++ = '"';
	return p;
}

static char *
put_u64(char *p, u64 v)
{
	char digits[20], *end = digits + sizeof(digits), *s = end;

	do
		*--s = (char)('0' + v % 10);
	while (v /= 10);
	while (s < end)
		*p++ = *s++;
	return p;
}

static char *
put_hex(char *p, u64 v)
{
	int shift = 60;

	while (shift && !(v >> shift))
		shift -= 4;
	for (; shift >= 0; shift -= 4)
		*p++ = "0123456789abcdef"[v >> shift & 15];
	return p;
}

static inline char *
put_address(char *p, enum piece_id id, u64 v)
{
	p = put_piece(p, id);
	*p++ = '"';
	*p++ = '0';
	*p++ = 'x';
	p = put_hex(p, v);
	*p++ = '"';
	return p;
}

static inline char *
put_number(char *p, enum piece_id id, u64 v)
{
	return put_u64(put_piece(p, id), v);
}

/* ---- regions ---- */

/* As it is, if nothing needs an escape; else by the JSON writer. */
static char *
put_path(char *p, const struct vma *v)
{
	char *start = p;
	size_t i;

	p = put_piece(p, P_PATH);
	*p++ = '"';
	for (i = 0; i < v->path_len; i++) {
		char c = v->path[i];

		if (c < ' ' || c == '"' || c == '\\' || c == 0x7f)
			break;
		*p++ = c;
	}
	*p++ = '"';
	if (i == v->path_len)
		return p;
	e.body.used = (size_t)(start - e.text);
	e.inner.empty[e.inner.depth] = 0;
	json_kstrn(&e.inner, "pathname", v->path, v->path_len);
	return e.text + e.body.used;
}

static char *
put_flags(char *p, const char *s)
{
	size_t n;
	const char *word;

	e.body.used = (size_t)(p - e.text);
	json_key(&e.inner, "vm_flags");
	json_array(&e.inner);
	while ((word = scan_word(&s, &n)))
		json_strn(&e.inner, word, n);
	json_close(&e.inner);
	return e.text + e.body.used;
}

static char *
put_fields(char *p, const struct region *g, const u8 *keys, size_t n)
{
	size_t i;

	for (i = 0; i < n; i++)
		p = put_number(p, P_SMAPS + keys[i], g->kb[keys[i]]);
	return p;
}

static char *
put_full(char *p, const struct region *g)
{
	const struct vma *v = &g->vma;
	size_t i;

	p = put_quoted(put_piece(p, P_SUBTYPE), region_kind_names[g->kind]);
	p = put_number(p, P_OFFSET, v->offset);
	p = put_piece(p, P_DEVICE);
	p += fmt_str(p, 32, "\"%02x:%02x\"", v->major, v->minor);
	p = put_number(p, P_INODE, v->inode);
	if (!ask.smaps)
		return p;
	for (i = 0; i < ARRAY_LEN(full_keys); i++)
		if (g->seen >> full_keys[i] & 1)
			p = put_number(p, P_SMAPS + full_keys[i],
				g->kb[full_keys[i]]);
	return put_flags(p, g->flags);
}

static void
put_region(const struct region *g)
{
	const struct vma *v = &g->vma;
	char *p = e.text + e.body.used;

	if (e.totals.regions)
		p = put_piece(p, P_OPEN);
	else	/* no comma before the first */
		p = put_str(p, pieces[P_OPEN].text + 1);
	p = put_address(p, P_START, v->start);
	p = put_address(p, P_END, v->end);
	p = put_quoted(put_piece(p, P_TYPE), region_type_names[g->type]);
	p = put_piece(p, P_PERM);
	*p++ = '"';
	perm_text(p, v->perm);
	p += 4;
	*p++ = '"';
	p = put_number(p, P_SIZE, (v->end - v->start) / KIB);
	if (v->path_len)
		p = put_path(p, v);
	if (ask.smaps)
		p = put_fields(p, g, memc_keys, ARRAY_LEN(memc_keys));
	if (ask.full)
		p = put_full(p, g);
	p = put_piece(p, P_CLOSE);
	e.body.used = (size_t)(p - e.text);
}

/* ---- a process ---- */

static void
emit_cmdline(int pid)
{
	static char text[16 * 1024];
	ssize_t n = proc_slurp(pid, "cmdline", text, sizeof(text));
	size_t size = n < 0 ? 0 : (size_t)n, at, len;

	json_key(&e.json, "cmdline");
	json_array(&e.json);
	for (at = 0; at < size; at += len + 1) {
		len = strnlen(text + at, size - at);
		json_strn(&e.json, text + at, len);
	}
	json_close(&e.json);
	if (!json_is_utf8(text, size))
		json_khex(&e.json, "cmdline", text, size);
	if (size == sizeof(text) - 1)
		json_kbool(&e.json, "cmdline_cut", 1);
}

/* What --full says of a process. */
static void
emit_identity(const struct subject *s)
{
	static struct cgroups groups;
	static char path[PATH_MAX];
	ssize_t n;
	u32 uid;

	json_kstr(&e.json, "comm", s->stat.comm);
	emit_cmdline(s->pid);
	json_key(&e.json, "uid");
	if (proc_uid(s->pid, &uid) < 0)
		json_null(&e.json);
	else
		json_u64(&e.json, uid);
	json_ku64(&e.json, "ppid", (u64)s->stat.ppid);
	if (!*groups.mount)
		cgroups_open(&groups);
	n = cgroup_of(&groups, s->pid, path, sizeof(path));
	if (n < 0) {
		json_key(&e.json, "cgroup");
		json_null(&e.json);
	} else {
		json_kstrn(&e.json, "cgroup", path, (size_t)n);
	}
}

static void
emit_head(const struct subject *s, const struct totals *t)
{
	json_object(&e.json);
	json_ku64(&e.json, "pid", (u64)s->pid);
	json_ku64(&e.json, "timestamp_ms", s->when / 1000000);
	json_ku64(&e.json, "total_rss_kb", t->rss / KIB);
	json_ku64(&e.json, "total_vsize_kb", t->vsize / KIB);
	json_ku64(&e.json, "region_count", t->regions);
	if (ask.full)
		emit_identity(s);
	json_key(&e.json, "regions");
	json_array(&e.json);
}

static void
flush_body(void)
{
	out_put(&report, e.text, e.body.used);
	e.body.used = 0;
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
	json_object(&e.json);
	json_ku64(&e.json, "pid", (u64)s->pid);
	json_kstr(&e.json, "name", s->stat.comm);
	json_key(&e.json, "snapshot");
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
	e.json.empty[e.json.depth] = !t->regions;
}

static void
make_room(const struct region *g)
{
	struct totals t;

	if (e.body.used + REGION_ROOM + g->vma.path_len * PATH_ROOM <=
	    BODY_SIZE)
		return;
	if (!e.streams) {
		count_again(&e.subject, &t);
		emit_start(&t);
		e.streams = 1;
	}
	flush_body();
}

static void
emit_tail(void)
{
	if (!e.streams)
		emit_start(&e.totals);
	flush_body();
	json_close(&e.json);
	json_close(&e.json);
	if (e.entries)
		json_close(&e.json);
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
	e.body.used = 0;
	if (why != SKIP_NOT)
		return why;
	while ((r = subject_next(s, &e.region)) > 0) {
		make_room(&e.region);
		put_region(&e.region);
		totals_add(&e.totals, &e.region);
	}
	if (r < 0)
		why = skip_of_errno();
	subject_close(s);
	return why == SKIP_NOT && subject_ended(s) ? SKIP_VANISHED : why;
}

/* Takes back what was gathered, if it is not out already. */
static void
empty_body(void)
{
	if (e.streams)
		return;
	e.body.used = 0;
	e.totals = (struct totals){ 0 };
	e.subject.stat.rss = 0;
}

/* ---- one process, or all ---- */

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
	json_ku64(&e.json, "skipped_count", n);
	json_key(&e.json, "skipped_processes");
	json_array(&e.json);
	for (i = 0; i < count; i++) {
		if (list[i].why == SKIP_NOT)
			continue;
		json_object(&e.json);
		json_ku64(&e.json, "pid", (u64)list[i].pid);
		json_kstr(&e.json, "name", procstat_read(list[i].pid, &st) < 0
			? "unknown" : st.comm);
		json_kstr(&e.json, "reason", skip_names[list[i].why]);
		json_close(&e.json);
	}
	json_close(&e.json);
}

/* In one document the count of processes is out already: what ended since then
 * stands there without regions. */
static void
emit_listed(struct listed *l)
{
	l->why = gather(l->pid, l->fd);
	if (l->why != SKIP_NOT && !e.streams) {
		if (ask.ndjson)
			return;
		empty_body();
	}
	emit_tail();
}

static int
emit_many(void)
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
		json_object(&e.json);
		json_ku64(&e.json, "timestamp_ms", wall_ns() / 1000000);
		json_ku64(&e.json, "process_count", read);
		json_key(&e.json, "processes");
		json_array(&e.json);
	}
	for (i = 0; i < count; i++)
		if (list[i].why == SKIP_NOT)
			emit_listed(&list[i]);
	if (ask.ndjson) {
		json_object(&e.json);
		json_ku64(&e.json, "timestamp_ms", wall_ns() / 1000000);
		json_ku64(&e.json, "process_count", read);
	} else {
		json_close(&e.json);
	}
	emit_skipped(list, count, &skipped);
	json_close(&e.json);
	return skipped_tell(&skipped, read);
}

/* One process: what cannot be read is an error, unless samples came before. */
static int
emit_one(int pid)
{
	static int seen;
	enum skip why = gather(pid, -1);

	if (ask.sampling && e.subject.stat.state == 'Z')
		why = SKIP_VANISHED;	/* nobody waits for it yet */
	if (why == SKIP_NOT || e.streams) {
		seen = 1;
		emit_tail();
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
	int many = ask.all || ask.pid_count > 1, pid = 0;

	if (!e.body.buf) {
		out_open(&e.body, -1);
		out_buffer(&e.body, e.text, sizeof(e.text));
		e.indent = ask.compact || ask.ndjson || ask.sampling ? 0 : 2;
		json_open(&e.json, &report, e.indent);
		e.entries = many;
		pieces_make(many ? 6 : 3);
	}
	if (many)
		return emit_many();
	parse_pid(*ask.pids, &pid);
	return emit_one(pid);
}
