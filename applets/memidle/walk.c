/* walk.c - the pages of a process: its maps, and pagemap below them, in pieces
 * big enough that the call costs nothing. PAGEMAP_SCAN (6.7) finds holes and
 * huge pages first: holes are not read, of a huge page only one entry. */
#include "memidle.h"

enum { ENTRIES = 4096, REGIONS = 256, HUGE = 512, BRIDGE = 64 };

u64 pages_walked;

static u64 entries[ENTRIES];
static struct pagemap_region scanned[REGIONS];
static int no_scan;

/* ---- --max-cpu ---- */

static u64 throttle_time, throttle_cpu;

void
throttle_begin(void)
{
	throttle_time = now_ns();
	throttle_cpu = cpu_ns();
}

void
throttle(void)
{
	u64 used;

	if (!idle.max_cpu || stop_signal)
		return;
	used = cpu_ns() - throttle_cpu;
	sleep_until(throttle_time + used * 100 / idle.max_cpu);
}

/* ---- pages ---- */

struct vma_walk {
	int fd;
	walk_fn *fn;
	void *arg;
};

/* Entries that follow from the first: n of them at most. */
static u64
run_length(const u64 *e, u64 n)
{
	u64 i = 1;

	if (*e & PM_PRESENT)
		while (i < n && e[i] == e[0] + i)
			i++;
	return i;
}

static void
give_runs(const struct vma_walk *w, u64 vpn, u64 n)
{
	u64 i, len;

	for (i = 0; i < n; i += len) {
		len = run_length(entries + i, n - i);
		if (entries[i] & (PM_PRESENT | PM_SWAP))
			w->fn(w->arg, vpn + i, entries[i], len);
	}
}

static void
walk_plain(const struct vma_walk *w, u64 vpn, u64 end)
{
	while (vpn < end) {
		size_t want = end - vpn < ENTRIES ? end - vpn : ENTRIES;
		ssize_t n = pagemap_read(w->fd, vpn, entries, want);

		if (n <= 0)
			return;
		give_runs(w, vpn, (u64)n);
		pages_walked += n;
		vpn += n;
		throttle();
	}
}

/* A huge page's other entries follow from its first. */
static void
walk_huge(const struct vma_walk *w, u64 vpn, u64 end)
{
	u64 n, i;

	for (; vpn < end; vpn += n) {
		n = HUGE - vpn % HUGE;
		if (n > end - vpn)
			n = end - vpn;
		if (pagemap_read(w->fd, vpn, entries, 1) != 1)
			return;
		if (entries[0] & PM_PRESENT)
			w->fn(w->arg, vpn, entries[0], n);
		else if (entries[0] & PM_SWAP)
			for (i = 0; i < n; i++)
				w->fn(w->arg, vpn + i, entries[0], 1);
		pages_walked += n;
		throttle();
	}
}

/* Regions near to each other are read as one. */
static int
walk_scanned(const struct vma_walk *w, u64 start, u64 end)
{
	const u64 any = PAGE_IS_PRESENT_ | PAGE_IS_SWAPPED_;
	u64 from = 0, to = 0;
	ssize_t n, i;

	do {
		n = pagemap_scan(w->fd, &start, end, any,
			any | PAGE_IS_HUGE_, scanned, REGIONS);
		if (n < 0)
			return -1;
		for (i = 0; i < n; i++) {
			u64 a = scanned[i].start >> page_shift;
			u64 b = scanned[i].end >> page_shift;
			int huge = !!(scanned[i].categories & PAGE_IS_HUGE_);

			if (huge || a > to + BRIDGE) {
				walk_plain(w, from, to);
				from = a;
			}
			if (huge) {
				walk_huge(w, a, b);
				from = b;
			}
			to = b;
		}
	} while (n && start < end);
	walk_plain(w, from, to);
	return 0;
}

static void
walk_vma(const struct vma_walk *w, const struct vma *v)
{
	if (!no_scan && (v->end - v->start) >> page_shift > HUGE) {
		if (!walk_scanned(w, v->start, v->end))
			return;
		no_scan = errno == ENOTTY || errno == EINVAL;
	}
	walk_plain(w, v->start >> page_shift, v->end >> page_shift);
}

static int
walk_process(struct target *t, int (*begin)(void *arg, struct vma *v),
	walk_fn *pages, void (*end)(void *arg), void *arg)
{
	static char buf[8192];
	struct vma_walk w = { proc_open(t->pid, "pagemap", O_RDONLY),
		pages, arg };
	struct maps m;
	struct vma v;
	int r = -1;

	if (w.fd < 0)
		return -1;
	if (!maps_open(&m, t->pid, "maps", buf, sizeof(buf))) {
		/* the vsyscall page lies above what pagemap knows */
		while ((r = maps_next(&m, &v)) > 0 && !(v.start >> 63))
			if (vma_filter_wants(&v) && begin(arg, &v)) {
				walk_vma(&w, &v);
				end(arg);
			}
		r = r < 0 ? -1 : 0;
		maps_close(&m);
	}
	close(w.fd);
	return r;
}

/* ---- all processes ---- */

static int
any_vma(void *arg, struct vma *v)
{
	(void)arg;
	(void)v;
	return 1;
}

static void
nothing(void *arg)
{
	(void)arg;
}

static void
walk_all(int (*begin)(void *arg, struct vma *v), walk_fn *pages,
	void (*end)(void *arg))
{
	unsigned i;

	for (i = 0; i < watched_count; i++) {
		struct target *t = &watched[i];

		if (!t->gone && walk_process(t, begin, pages, end, t) < 0)
			t->denied = errno == EACCES || errno == EPERM;
	}
}

void
mark_processes(walk_fn *pages)
{
	walk_all(any_vma, pages, nothing);
}

static struct {
	struct sample *sample;
	struct mapping *region;
	page_state_fn *state;
	u64 (*first)(u64 entry, u64 n);
} reader;

static int
read_vma(void *arg, struct vma *v)
{
	const struct target *t = arg;
	struct mapping r = {
		.pid = t->pid, .start = v->start >> page_shift,
		.pages = (v->end - v->start) >> page_shift, .perm = v->perm,
		.name = v->path, .name_len = v->path_len,
	};

	reader.region = emit_region(&r);
	return !!reader.region;
}

static void
read_pages(void *arg, u64 vpn, u64 entry, u64 count)
{
	enum page_state state;
	u64 n;

	(void)arg;
	for (; count; count -= n, vpn += n, entry += n) {
		n = count;
		state = reader.state(vpn, entry, &n);
		emit_pages(reader.region, vpn, n, state);
		counts_page(&reader.sample->total, state,
			reader.first ? reader.first(entry, n) : n);
	}
}

static void
read_end(void *arg)
{
	(void)arg;
	emit_region_end(reader.region);
}

void
read_processes(struct sample *s, page_state_fn *state,
	u64 (*first)(u64, u64))
{
	reader.sample = s;
	reader.state = state;
	reader.first = first;
	walk_all(read_vma, read_pages, read_end);
}
