/* ram.c - every page of RAM by what it is: from the flags of each page, and
 * where these say nothing from the kernel's counters. The rows sum to the RAM
 * that /proc/iomem lists. */
#include "memstats.h"
#include "scan.h"

enum ram_class {
	RAM_FREE, RAM_ANON, RAM_ANON_THP, RAM_FILE, RAM_SHMEM, RAM_SLAB,
	RAM_PGTABLE, RAM_HUGETLB, RAM_RESERVED, RAM_HWPOISON, RAM_OFFLINE,
	RAM_NO_PAGE,
	RAM_BY_FLAGS,
	/* below: pages without a flag, told apart by counters */
	RAM_BOOT = RAM_BY_FLAGS, RAM_STACKS, RAM_PERCPU, RAM_VMALLOC,
	RAM_ZRAM, RAM_PCP, RAM_FREE_OTHER, RAM_UNKNOWN,
	RAM_CLASSES
};
static const struct {
	const char *name, *note;
} names[] = {
	[RAM_FREE] = { "free", "in the buddy allocator" },
	[RAM_ANON] = { "anon", "memory of processes, small pages" },
	[RAM_ANON_THP] = { "anon_thp", "the same, in huge or large pages" },
	[RAM_FILE] = { "file", "page cache" },
	[RAM_SHMEM] = { "shmem", "tmpfs, memfd, shared memory" },
	[RAM_SLAB] = { "slab", "kernel objects" },
	[RAM_PGTABLE] = { "page_tables", "" },
	[RAM_HUGETLB] = { "hugetlb", "huge page pools, used or not" },
	[RAM_RESERVED] = { "reserved", "kernel image, boot, firmware, zeroes" },
	[RAM_HWPOISON] = { "hwpoison", "broken, taken out of use" },
	[RAM_OFFLINE] = { "offline", "given back to a hypervisor" },
	[RAM_NO_PAGE] = { "no_page", "RAM that the kernel has no page for" },
	[RAM_BOOT] = { "boot", "page structs.., not in MemTotal, by counter" },
	[RAM_STACKS] = { "kernel_stacks", "by counter" },
	[RAM_PERCPU] = { "percpu", "by counter" },
	[RAM_VMALLOC] = { "vmalloc", "by counter, without stacks" },
	[RAM_ZRAM] = { "zram", "zram and zswap, by counter" },
	[RAM_PCP] = { "free_pcp", "free, kept by processors, by counter" },
	[RAM_FREE_OTHER] = { "free_other",
		"in MemFree, in no free list, by counter" },
	[RAM_UNKNOWN] = { "unknown", "to any counter: drivers, network, .." },
};

enum { C_CLASS, C_BYTES, C_PAGES, C_PERCENT, C_NOTE };
static const struct col cols[] = {
	[C_CLASS] = { "class", -13, COL_TEXT },
	[C_BYTES] = { "size", 10, COL_BYTES },
	[C_PAGES] = { "pages", 10, COL_COUNT },
	[C_PERCENT] = { "percent", 7, COL_FIXED, 2 },
	[C_NOTE] = { "note", 0, COL_TEXT },
};

enum { ENTRIES = 8192, ORDERS = 16, BAR = 30 };
static u64 pages[RAM_CLASSES], total;
static u64 buddy[ORDERS];
static unsigned orders;
static s64 counters_over;	/* pages that counters claim too many */
static u64 unread;

/* Tails of a block that is no huge page of a process carry no flag of their
 * own: they are what their head is. */
static enum ram_class
class_of(u64 f, enum ram_class head)
{
	if (f & KPF(NOPAGE))
		return RAM_NO_PAGE;
	if (f & KPF(HWPOISON))
		return RAM_HWPOISON;
	if (f & KPF(OFFLINE))
		return RAM_OFFLINE;
	if (f & KPF(BUDDY))
		return RAM_FREE;
	if (f & KPF(HUGE))
		return RAM_HUGETLB;
	if (f & KPF(SLAB))
		return RAM_SLAB;
	if (f & KPF(PGTABLE))
		return RAM_PGTABLE;
	if (f & KPF(ZERO_PAGE))
		return RAM_RESERVED;
	if (f & KPF(ANON))
		return f & (KPF(THP) | KPF(COMPOUND_HEAD) | KPF(COMPOUND_TAIL))
			? RAM_ANON_THP : RAM_ANON;
	if (f & KPF(RESERVED))
		return RAM_RESERVED;
	if (f & KPF(COMPOUND_TAIL))
		return head;
	if (f & KPF(SWAPBACKED) && f & (KPF(LRU) | KPF(UPTODATE) |
			KPF(SWAPCACHE)))
		return f & KPF(SWAPCACHE) && !(f & KPF(MMAP)) ? RAM_ANON
			: RAM_SHMEM;
	if (f & (KPF(LRU) | KPF(UNEVICTABLE)) ||
	    (f & KPF(UPTODATE) && f & (KPF(MMAP) | KPF(REFERENCED) |
			KPF(DIRTY) | KPF(PRIVATE))))
		return RAM_FILE;
	return RAM_UNKNOWN;
}

static void
count_range(int fd, u64 pfn, u64 end)
{
	static u64 flags[ENTRIES];
	enum ram_class head = RAM_UNKNOWN, c;

	total += end - pfn;
	while (pfn < end) {
		u64 want = end - pfn < ENTRIES ? end - pfn : ENTRIES;
		ssize_t n = kpage_read(fd, pfn, flags, want), i;

		if (n <= 0) {	/* behind the last page that the kernel knows */
			unread += n < 0 ? end - pfn : 0;
			pages[RAM_NO_PAGE] += end - pfn;
			return;
		}
		for (i = 0; i < n; i++) {
			c = class_of(flags[i], head);
			if (!(flags[i] & KPF(COMPOUND_TAIL)))
				head = c;
			pages[c]++;
		}
		pfn += (u64)n;
	}
}

/* Takes pages from the flagless ones, as many as there are. */
static void
take(enum ram_class c, u64 n)
{
	u64 have = pages[RAM_UNKNOWN];

	if (n > have) {
		counters_over += (s64)(n - have);
		n = have;
	}
	pages[c] += n;
	pages[RAM_UNKNOWN] -= n;
}

static u64
counter(const char *text, const char *key)
{
	u64 v = 0;

	key_u64(text, key, &v);
	return v / page_size;
}

/* "NAME 12" lines of vmstat. */
static u64
vmstat(const char *text, const char *key)
{
	size_t n = strlen(key);
	u64 v = 0;

	while (strncmp(text, key, n) || text[n] != ' ') {
		text = strchr(text, '\n');
		if (!text)
			return 0;
		text++;
	}
	text += n;
	scan_u64(&text, &v);
	return v;
}

static void
split_unknown(void)
{
	static char text[16384];
	u64 stacks, all, managed, free;

	if (root_slurp("/proc/meminfo", text, sizeof(text)) < 0)
		return;
	stacks = counter(text, "KernelStack");
	all = counter(text, "VmallocUsed");
	managed = counter(text, "MemTotal");
	free = counter(text, "MemFree");
	if (total > managed + pages[RAM_RESERVED])
		take(RAM_BOOT, total - managed - pages[RAM_RESERVED]);
	take(RAM_STACKS, stacks);
	take(RAM_VMALLOC, all > stacks ? all - stacks : 0);
	take(RAM_PERCPU, counter(text, "Percpu"));
	take(RAM_PCP, zones_pcp());
	if (root_slurp("/proc/vmstat", text, sizeof(text)) <= 0)
		return;
	take(RAM_ZRAM, vmstat(text, "nr_zspages"));
	/* Seen on a guest whose host takes free pages away. */
	if (free > vmstat(text, "nr_free_pages"))
		take(RAM_FREE_OTHER, free - vmstat(text, "nr_free_pages"));
}

static int
count_all(void)
{
	static struct range ram[IOMEM_RANGES];
	int n = iomem_ram(ram, IOMEM_RANGES), i, fd;

	if (n <= 0)
		return warn("/proc/iomem: no System RAM is shown%s",
			errno == EPERM ? " (no CAP_SYS_ADMIN: run as root)"
			: ":");
	fd = root_open("/proc/kpageflags", O_RDONLY);
	if (fd < 0)
		return warn("open %s/proc/kpageflags (root only; "
			"CONFIG_PROC_PAGE_MONITOR):", root_dir);
	memset(pages, 0, sizeof(pages));
	total = unread = 0;
	counters_over = 0;
	for (i = 0; i < n; i++)
		count_range(fd, (ram[i].start + page_size - 1) >> page_shift,
			ram[i].end >> page_shift);
	close(fd);
	split_unknown();
	orders = zones_blocks(buddy, ORDERS);
	return 0;
}

/* A bar of the share, on a terminal. */
static void
put_note(struct rows *r, u64 n, const char *text)
{
	char bar[BAR + 64];
	u64 marks = total ? (n * BAR + total / 2) / total : 0, i;

	if (r->format != ROWS_TABLE || !term_is(r->out->fd)) {
		rows_text(r, text);
		return;
	}
	for (i = 0; i < BAR; i++)
		bar[i] = i < marks ? '#' : '.';
	fmt_str(bar + BAR, sizeof(bar) - BAR, " %s", text);
	rows_text(r, bar);
}

static void
ram_row(struct rows *r, const char *name, u64 n, const char *text)
{
	rows_text(r, name);
	rows_u64(r, n * page_size);
	rows_u64(r, n);
	rows_u64(r, total ? (n * 10000 + total / 2) / total : 0);
	put_note(r, n, text);
	rows_end(r);
}

static void
json_tail(struct json *j)
{
	unsigned i;

	json_close(j);
	json_ku64(j, "total", total * page_size);
	json_key(j, "counters_over");
	json_s64(j, counters_over * (s64)page_size);
	json_key(j, "buddy");
	json_array(j);
	for (i = 0; i < orders; i++) {
		json_object(j);
		json_ku64(j, "order", i);
		json_ku64(j, "blocks", buddy[i]);
		json_ku64(j, "size", (buddy[i] << i) * page_size);
		json_close(j);
	}
	json_close(j);
	json_close(j);
}

static void
table_tail(struct out *o)
{
	char size[FMT_SIZE_MAX];
	unsigned i;

	out_str(o, "\nfree blocks by order:");
	for (i = 0; i < orders; i++)
		out_fmt(o, " %u: %lu (%s)", i, buddy[i],
			fmt_size(size, (buddy[i] << i) * page_size));
	out_char(o, '\n');
	if (counters_over)
		out_fmt(o, "counters claim %s more than there are pages "
			"without a flag\n", fmt_size(size,
			(u64)counters_over * page_size));
}

int
report_ram(struct out *o)
{
	struct rows r;
	enum ram_class c;

	if (count_all())
		return EXIT_FAILED;
	rows_open(&r, o, print.format, cols, ARRAY_LEN(cols));
	r.bytes = print.bytes;
	r.prefix = "memstats_ram";
	if (print.format == ROWS_JSON) {
		json_object(&r.json);
		json_kbool(&r.json, "complete", !unread);
		json_key(&r.json, "ram");
		json_array(&r.json);
	}
	while (rows_pass(&r))
		for (c = 0; c < RAM_CLASSES; c++)
			ram_row(&r, names[c].name, pages[c], names[c].note);
	if (print.format == ROWS_JSON) {
		json_tail(&r.json);
	} else if (print.format == ROWS_TABLE) {
		ram_row(&r, "TOTAL", total, "System RAM of /proc/iomem");
		table_tail(o);
	}
	return unread ? EXIT_PARTIAL : EXIT_DONE;
}
