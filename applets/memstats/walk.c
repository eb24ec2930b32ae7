/* walk.c - the page table entries of one process, in as few reads as will do:
 * mappings that touch are read as one run, sparse runs only where the kernel
 * says that something is there. */
#include "memstats.h"
#include "scan.h"

enum {
	PARTS = 256,		/* mappings in a run */
	CHUNK = SCAN_CHUNK,
	REGIONS = 512,
	SPARSE = 4096,		/* pages: a smaller run is simply read */
	SPARSER = 4,		/* times the resident pages */
	JOIN = 64,		/* pages: a smaller hole is read over */
};

static struct walk {
	u32 me;
	int fd;			/* pagemap */
	int no_scan;		/* PAGEMAP_SCAN is not there */
	int lost;		/* the address space went away meanwhile */
	u64 start, end;		/* the run, page numbers */
	struct part parts[PARTS];
	unsigned count, at;
} w;
static u64 entries[CHUNK];
static struct pagemap_region regions[REGIONS];

/* Gives entries from page vpn on to the parts they belong to. */
static void
give(const u64 *e, u64 vpn, u64 n)
{
	while (n) {
		const struct part *part = &w.parts[w.at];
		u64 take = part->end - vpn;

		if (vpn >= part->end) {
			w.at++;
			continue;
		}
		if (take > n)
			take = n;
		scan_entries(e, take, part, w.me);
		e += take;
		vpn += take;
		n -= take;
	}
}

static void
read_range(u64 vpn, u64 end)
{
	if (CFG_MEMSTATS_THREADS && scan.threads > 1 && end - vpn > CHUNK) {
		w.lost |= threads_read(w.fd, vpn, end, give) < 0;
		return;
	}
	while (vpn < end && !w.lost) {
		u64 want = end - vpn < CHUNK ? end - vpn : CHUNK;
		ssize_t n = pagemap_read(w.fd, vpn, entries, want);

		if (n <= 0) {
			w.lost = 1;
			return;
		}
		give(entries, vpn, (u64)n);
		vpn += (u64)n;
	}
}

/* 0, or -1 when the kernel cannot. */
static int
read_sparse(u64 vpn, u64 end)
{
	const u64 there = PAGE_IS_PRESENT_ | PAGE_IS_SWAPPED_;
	u64 at = vpn << page_shift, stop = end << page_shift;

	while (at < stop) {
		ssize_t n = pagemap_scan(w.fd, &at, stop, there,
			PAGE_IS_PRESENT_, regions, REGIONS), i, j;

		if (n < 0)
			return -1;
		for (i = 0; i < n; i = j) {
			u64 to = regions[i].end;

			for (j = i + 1; j < n && regions[j].start - to <
					JOIN * page_size; j++)
				to = regions[j].end;
			read_range(regions[i].start >> page_shift,
				to >> page_shift);
		}
		if (!n)
			break;
	}
	return 0;
}

static void
flush_run(void)
{
	u64 pages = w.end - w.start;

	w.at = 0;
	if (pages >= SPARSE && !w.no_scan &&
	    pages > SPARSER * procs.list[w.me].rss_pages) {
		if (!read_sparse(w.start, w.end))
			goto done;
		w.no_scan = errno == ENOTTY || errno == EINVAL;
		w.lost = errno == ESRCH;
	}
	read_range(w.start, w.end);
done:
	w.count = 0;
	w.start = w.end = 0;
}

static void
add_vma(const struct vma *v, int pid)
{
	struct part *part;
	u64 start = v->start >> page_shift, end = v->end >> page_shift;
	int shm_id;

	if (vma_skipped(v))
		return;
	if (w.count && (start != w.end || w.count == PARTS))
		flush_run();
	if (!w.count)
		w.start = start;
	w.end = end;
	part = &w.parts[w.count++];
	part->end = end;
	part->type = vma_type(pid, v, &shm_id);
	part->shared = !!(v->perm & VMA_SHARED);
	if (shm_id >= 0 && !scan.again)
		attach_note(w.me, shm_id);
}

/* After the pages: is it still the process that was begun with? */
static int
see_again(const struct process *p)
{
	struct procstat st;

	if (*root_dir)
		return w.lost ? PROC_TRUNCATED : PROC_OK;
	if (procstat_read(p->pid, &st) < 0 || st.starttime != p->starttime)
		return PROC_VANISHED;
	if (st.state == 'Z' || st.state == 'X')
		return p->letter == 'Z' ? PROC_OK : PROC_VANISHED;
	return w.lost ? PROC_CHANGED : PROC_OK;
}

int
walk_process(u32 me)
{
	static char buf[2 * PATH_MAX];
	struct process *p = &procs.list[me];
	struct maps m;
	struct vma v;
	int r, mappings = 0;

	w.me = me;
	w.lost = 0;
	w.count = 0;
	w.fd = proc_open(p->pid, "pagemap", O_RDONLY);
	if (w.fd < 0)
		return -1;
	if (maps_open(&m, p->pid, "maps", buf, sizeof(buf)) < 0) {
		int error = errno;

		close(w.fd);
		errno = error;
		return -1;
	}
	while ((r = maps_next(&m, &v)) > 0 && !w.lost) {
		mappings++;
		add_vma(&v, p->pid);
	}
	if (w.count && !w.lost)
		flush_run();
	maps_close(&m);
	close(w.fd);
	if (r < 0 || w.lost || (!mappings && p->rss_pages))
		p->state = see_again(p);
	return 0;
}
