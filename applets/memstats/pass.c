/* pass.c - one pass over all processes, sized before it starts. */
#include "memstats.h"
#include "scan.h"

static u64
memory_available(void)
{
	static char buf[4096];
	u64 v = 0;

	if (root_slurp("/proc/meminfo", buf, sizeof(buf)) < 0 ||
	    key_u64(buf, "MemAvailable", &v) < 0)
		return GIB;
	return v;
}

u64
scan_cost(int two_bits, u32 split_total)
{
	u64 limit = zones_end() + swap_open();

	return (two_bits ? bits_cost(limit) : classes_cost(limit)) +
		procs_cost(procs_now(), split_total) + MIB;
}

static void
choose_mode(u32 split_total)
{
	u64 full = scan_cost(0, split_total), small = scan_cost(1, split_total);
	u64 need;

	if (!scan.mem_limit)
		scan.mem_limit = memory_available() / 2;
	if (CFG_MEMSTATS_TWO_BITS && !scan.two_bits && full > scan.mem_limit &&
	    small <= scan.mem_limit) {
		scan.two_bits = 1;
		note("%s: %llu MiB are needed, %llu MiB are allowed: two bits a "
			"page instead of 16, so no PSS", applet_name,
			full / MIB + 1, scan.mem_limit / MIB);
	}
	need = scan.two_bits ? small : full;
	if (need > scan.mem_limit)
		die("%llu MiB are needed, --mem-limit allows %llu MiB: nothing "
			"was scanned", need / MIB + 1, scan.mem_limit / MIB);
}

void
scan_open(u32 split_total)
{
	choose_mode(split_total);
	if (CFG_MEMSTATS_THREADS && scan.threads > 1)
		threads_open(scan.threads);
	scan.ram_end = zones_end();
	scan.limit = scan.ram_end + swap_open();
	if (!scan.ram_end)
		scan.no_pages = 1;
	else
		scan.no_pages = classes_open() < 0;
	if (scan.no_pages && !*root_dir)
		warn("page numbers are not shown (no CAP_SYS_ADMIN): the "
			"kernel's own sums are used, what groups share is not "
			"known; run as root");
	else if (scan.no_pages)
		warn("no zoneinfo in %s: the kernel's own sums are used",
			root_dir);
}

/* The kernel's sums, for a process whose pages cannot be had. */
static void
load_rollup(struct process *p)
{
	static char buf[2048];
	u64 rss, pss, v = 0, w = 0;

	p->state = PROC_DENIED;
	if (proc_slurp(p->pid, "smaps_rollup", buf, sizeof(buf)) < 0) {
		if (errno == ENOENT || errno == ESRCH)
			p->state = *root_dir ? PROC_DENIED : PROC_VANISHED;
		return;
	}
	if (key_u64(buf, "Rss", &rss) < 0 || key_u64(buf, "Pss", &pss) < 0) {
		/* Without an address space the file is empty. */
		p->state = p->rss_pages ? PROC_DENIED : PROC_OK;
		return;
	}
	p->state = PROC_NO_PAGES;
	p->u.pss = pss << PSS_SHIFT;
	key_u64(buf, "Private_Clean", &v);
	key_u64(buf, "Private_Dirty", &w);
	p->u.uss = v + w;
	v = w = 0;
	key_u64(buf, "Anonymous", &v);
	p->u.by[TYPE_ANON] = v;
	p->u.by[TYPE_FILE] = rss - v;
	v = 0;
	key_u64(buf, "Private_Hugetlb", &v);
	key_u64(buf, "Shared_Hugetlb", &w);
	p->u.by[TYPE_HUGETLB] = v + w;
	p->u.uss += v;
	v = w = 0;
	key_u64(buf, "Swap", &v);
	key_u64(buf, "SwapPss", &w);
	p->u.by[TYPE_SWAP] = v;
	p->u.swap_pss = w << PSS_SHIFT;
}

void
scan_process(u32 i)
{
	struct process *p = &procs.list[i];

	if (!scan.no_pages && !walk_process(i)) {
		if (!p->hidden)
			return;
		p->hidden = 0;
	} else if (!scan.no_pages && (errno == ENOENT || errno == ESRCH) &&
			!*root_dir) {
		p->state = PROC_VANISHED;
		return;
	}
	load_rollup(p);
}

void
scan_run(void)
{
	struct progress bar;
	u32 i;

	types_reset();
	swap_reset(scan.ram_end);
	if (!scan.no_pages)
		classes_reset();
	progress_open(&bar, "reading pages of processes", procs.count);
	bar.unit = "";
	bar.on &= scan.progress;
	if (CFG_MEMSTATS_TWO_BITS && scan.two_bits && !scan.no_pages)
		bits_run();
	else
		for (i = 0; i < procs.count && !stop_signal; i++) {
			progress_set(&bar, i);
			scan_process(i);
		}
	progress_close(&bar);
}

/* What pages of a class are alone of its one process. */
static void
usage_own(struct usage *u, enum page_type type, u64 bytes)
{
	if (type == TYPE_SWAP)
		u->swap_uss += bytes;
	else
		u->uss += bytes;
}

/* From the leaves up: what a class has, and all that grew out of it, is had by
 * the process that made it. */
void
scan_usage(void)
{
	u32 i;

	if (!scan.classes)	/* two bits, or no page numbers */
		return;
	for (i = 0; i < CLASS_FIRST; i++)
		scan.classes[i].child = 0;
	for (i = scan.class_count; i-- > CLASS_FIRST;) {
		struct class *c = &scan.classes[i];
		struct class *up = &scan.classes[c->parent];
		struct usage *u = &procs.list[c->proc].u;

		c->sum += c->count;
		c->share += (c->count * page_size << PSS_SHIFT) / c->depth;
		if (c->parent >= CLASS_FIRST) {
			up->sum += c->sum;
			up->share += c->share;
		}
		c->sibling = up->child;
		up->child = i;
		u->by[c->type] += c->sum * page_size;
		if (c->type == TYPE_SWAP)
			u->swap_pss += c->share;
		else
			u->pss += c->share;
		if (c->depth == 1)
			usage_own(u, c->type, c->count * page_size);
	}
}

u64
usage_rss(const struct usage *u)
{
	return u->by[TYPE_ANON] + u->by[TYPE_FILE] + u->by[TYPE_SHMEM] +
		u->by[TYPE_SYSV] + u->by[TYPE_HUGETLB];
}
