/* page_idle.c - the page-exact backend: the idle bitmap, joined to processes by
 * pagemap, or to a cgroup or the whole machine by the page frames themselves.
 */
#include "memidle.h"

/* ---- processes ---- */

static void
want_pages(void *arg, u64 vpn, u64 entry, u64 n)
{
	(void)arg;
	(void)vpn;
	if (entry & PM_PRESENT)
		bitmap_want(PM_PFN(entry), n);
}

static enum page_state
entry_state(u64 vpn, u64 e, u64 *n)
{
	enum page_state state;

	(void)vpn;
	if (!(e & PM_PRESENT))
		return PAGE_SWAP;
	state = bitmap_state(PM_PFN(e), n);
	return state == PAGE_ACTIVE && emit_written && e & PM_SOFT_DIRTY
		? PAGE_WRITTEN : state;
}

/* Of several processes a page that they share is one. */
static u64
first_ones(u64 e, u64 n)
{
	return e & PM_PRESENT ? bitmap_first(PM_PFN(e), n) : n;
}

/* ---- page frames: a cgroup, or all ---- */

static int cgroup_fd = -1;

/* Members' and flags of a block; n frames are there. A frame of another cgroup
 * gets no flags. */
static ssize_t
frames_block(u64 pfn, u64 *flags)
{
	static u64 inodes[BLOCK];
	ssize_t n = bitmap_flags(pfn, flags, BLOCK), m, i;

	if (n < 0 || cgroup_fd < 0)
		return n;
	m = kpage_read(cgroup_fd, pfn, inodes, BLOCK);
	for (i = 0; i < n; i++)
		if (i >= m || !(flags[i] & KPF(COMPOUND_TAIL) ||
				cgroup_has(inodes[i])))
			flags[i] = 0;
	return n;
}

static int
is_mine(u64 f)
{
	return flags_tracked(f) && !(f & KPF(COMPOUND_TAIL));
}

static void
want_frames(void)
{
	static u64 flags[BLOCK];
	u64 pfn;
	ssize_t n, i;

	for (pfn = 0; pfn < bitmap_frames(); pfn += BLOCK) {
		n = frames_block(pfn, flags);
		for (i = 0; i < n; i++)
			if (is_mine(flags[i]))
				bitmap_want(pfn + i, 1);
		pages_walked += BLOCK;
		throttle();
	}
}

/* Pages of users: on LRU lists or of hugetlb. A tail is what its head is. */
static void
read_frames(struct mapping *r)
{
	static u64 flags[BLOCK];
	enum page_state state = PAGE_UNTRACKED;
	int mine = 0;
	u64 pfn, one;
	ssize_t n, i;

	for (pfn = 0; pfn < bitmap_frames(); pfn += BLOCK) {
		n = frames_block(pfn, flags);
		for (i = 0; i < n; i++) {
			u64 f = flags[i];

			one = 1;
			if (!(f & KPF(COMPOUND_TAIL))) {
				mine = flags_tracked(f) || f & KPF(HUGE);
				state = !mine ? PAGE_UNTRACKED
					: bitmap_state(pfn + i, &one);
			}
			if (!mine)
				continue;
			emit_pages(r, pfn + i, 1, state);
		}
		throttle();
	}
}

static void
read_physical(struct sample *s)
{
	static const char name[] = "[page frames]";
	struct mapping r = {
		.pages = bitmap_frames(), .name = name,
		.name_len = sizeof(name) - 1,
	};
	struct mapping *frames = emit_region(&r);

	if (!frames)
		return;
	read_frames(frames);
	emit_region_end(frames);
	s->total = frames->n;
}

/* ---- the backend ---- */

static int
is_physical(void)
{
	return idle.kind == TARGET_CGROUP || idle.kind == TARGET_SYSTEM;
}

static void
open_backend(void)
{
	bitmap_open(!is_physical() &&
		(idle.kind == TARGET_TREE || watched_count > 1));
	emit_written = flush_wanted() && soft_dirty_works() && !is_physical();
	if (idle.kind != TARGET_CGROUP)
		return;
	cgroup_fd = root_open("/proc/kpagecgroup", O_RDONLY);
	if (cgroup_fd < 0)
		die("open /proc/kpagecgroup (CONFIG_MEMCG):");
}

static void
set(void)
{
	bitmap_clear();
	if (idle.kind == TARGET_CGROUP)
		cgroup_inodes();
	if (is_physical())
		want_frames();
	else
		mark_processes(want_pages);
	bitmap_set();
	flush_targets();
}

static void
read_sample(struct sample *s)
{
	bitmap_read();
	s->read_at = now_ns();
	if (is_physical())
		read_physical(s);
	else
		read_processes(s, entry_state, first_ones);
}

const struct backend_ops page_idle_ops = {
	"page_idle", open_backend, set, read_sample, bitmap_memory,
};
