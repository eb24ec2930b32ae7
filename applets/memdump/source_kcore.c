/* source_kcore.c - /proc/kcore: all of the kernel's memory as one ELF file, of
 * which some segments are RAM (fs/proc/kcore.c).
 *
 * Since Linux 4.11 p_paddr says which: RAM and kernel text have it, the others
 * have -1. Before, it was 0 everywhere; then RAM is found by the direct map,
 * where all RAM has its address plus one constant.
 */
#include <elf.h>

#include "memdump.h"

enum {
	DIRECT_ALIGN = 2 * MIB,		/* of the direct map's begin */
	DIRECT_COVER_PERCENT = 90,	/* of iomem's RAM, to be believed */
};

static struct core_segment seg[SEGMENTS];
static struct extent ram_seg[SEGMENTS];
static struct range ram[IOMEM_RANGES];

/* Loads go to seg; the notes' place to the source. Loads found, or -1. */
static int
load_segments(struct source *s, u64 *notes, u64 *notes_size)
{
	struct core e;
	struct core_segment p;
	unsigned n = 0;
	u32 i;

	if (core_open(&e, s->fd) < 0)
		return source_refuse(s, "%s", errno == EBADMSG
			? "is no ELF file: masked, as container runtimes do it? "
			"Then run outside of the container"
			: errno == ENOTSUP ? "a 32-bit or big-endian kernel's"
			: strerror(errno));
	s->machine = e.machine;
	for (i = 0; i < e.phnum; i++) {
		if (core_segment(&e, i, &p) < 0)
			return source_refuse(s, "program header %u is broken",
				i);
		if (p.type == PT_NOTE) {
			*notes = p.offset;
			*notes_size = p.filesz;
		} else if (p.type == PT_LOAD && p.filesz) {
			if (n == SEGMENTS)
				return source_refuse(s, "more than %d segments: "
					"raise SEGMENTS", SEGMENTS);
			seg[n++] = p;
		}
	}
	return (int)n;
}

/* Bytes of [start, start + size) that iomem calls RAM. */
static u64
ram_bytes(int nram, u64 start, u64 size)
{
	u64 sum = 0;
	int i;

	for (i = 0; i < nram; i++) {
		u64 a = ram[i].start, b = ram[i].end;

		if (a < start)
			a = start;
		if (b > start + size)
			b = start + size;
		if (a < b)
			sum += b - a;
	}
	return sum;
}

/* ---- kernels that do not tell physical addresses ---- */

/* Is [start, start + size) within one range of RAM? */
static int
ram_holds(int nram, u64 start, u64 size)
{
	int low = 0, high = nram;

	while (low < high) {
		int i = (low + high) / 2;

		if (ram[i].end <= start)
			low = i + 1;
		else
			high = i;
	}
	return low < nram && start >= ram[low].start &&
		size <= ram[low].end - start;
}

static u64
covered_by(unsigned n, int nram, u64 base)
{
	u64 sum = 0;
	unsigned i;

	for (i = 0; i < n; i++)
		if (seg[i].vaddr >= base &&
		    ram_holds(nram, seg[i].vaddr - base, seg[i].filesz))
			sum += seg[i].filesz;
	return sum;
}

/* The constant under which most RAM is found: each segment is tried as the one
 * that begins iomem's largest range. */
static u64
direct_base(unsigned n, int nram, u64 *cover)
{
	u64 best = 0;
	int i, largest = 0;
	unsigned k;

	for (i = 1; i < nram; i++)
		if (ram[i].end - ram[i].start >
		    ram[largest].end - ram[largest].start)
			largest = i;
	*cover = 0;
	for (k = 0; k < n; k++) {
		u64 start = ram[largest].start;
		u64 base = seg[k].vaddr - start, sum;

		if (seg[k].vaddr < start || base % DIRECT_ALIGN)
			continue;
		sum = covered_by(n, nram, base);
		if (sum > *cover) {
			*cover = sum;
			best = base;
		}
	}
	return best;
}

/* Kernel text is where iomem says the code is; its segment is the lowest of the
 * kernel's own mapping. */
static void
guess_text(unsigned n)
{
	struct range code;
	unsigned i, text = n;

	if (iomem_named("Kernel code", &code, 1) != 1)
		return;
	for (i = 0; i < n; i++)
		if (seg[i].paddr == UINT64_MAX && seg[i].vaddr >= KERNEL_MAP &&
		    (text == n || seg[i].vaddr < seg[text].vaddr))
			text = i;
	if (text < n && (seg[text].vaddr - code.start) % DIRECT_ALIGN == 0)
		seg[text].paddr = code.start;
}

static int
assign_by_direct_map(struct source *s, unsigned n, int nram)
{
	u64 cover, total = 0, base;
	unsigned i;
	int k;

	for (k = 0; k < nram; k++)
		total += ram[k].end - ram[k].start;
	base = direct_base(n, nram, &cover);
	if (cover < total / 100 * DIRECT_COVER_PERCENT)
		return source_refuse(s, "gives no physical addresses (Linux "
			"before 4.11), and no direct map fits what /proc/iomem "
			"says");
	for (i = 0; i < n; i++)
		seg[i].paddr = seg[i].vaddr >= base && ram_holds(nram,
			seg[i].vaddr - base, seg[i].filesz)
			? seg[i].vaddr - base : UINT64_MAX;
	guess_text(n);
	return 0;
}

static int
has_paddr(unsigned n)
{
	unsigned i;

	for (i = 0; i < n; i++)
		if (seg[i].paddr && seg[i].paddr != UINT64_MAX)
			return 1;
	return 0;
}

/* ---- which segments are RAM ---- */

/* Text is RAM a second time: it stands at the kernel's own addresses, or within
 * another segment. */
static int
is_alias(const struct source *s, unsigned n, unsigned i)
{
	const struct core_segment *t = &seg[i];
	unsigned k;

	if (s->machine == EM_X86_64)
		return t->vaddr >= KERNEL_MAP;
	for (k = 0; k < n; k++)
		if (seg[k].paddr != UINT64_MAX && t->filesz < seg[k].filesz &&
		    t->paddr >= seg[k].paddr &&
		    t->paddr + t->filesz <= seg[k].paddr + seg[k].filesz)
			return 1;
	return 0;
}

/* Sorts out what cannot be RAM: no address, or an implausible one. */
static void
drop_others(unsigned n, int nram)
{
	unsigned i;

	for (i = 0; i < n; i++) {
		struct core_segment *p = &seg[i];

		if (p->paddr > UINT64_MAX - p->filesz ||
		    (nram && ram_bytes(nram, p->paddr, p->filesz) <
		    p->filesz / 2))
			p->paddr = UINT64_MAX;
	}
}

/* RAM goes to ram_seg; the text too, as the last, for what only it has. */
/* The segment's whole pages: 0 when it has none. */
static int
segment_pages(const struct core_segment *p, struct extent *e)
{
	u64 skip;

	*e = (struct extent){ p->paddr, p->paddr + p->filesz };
	if (!whole_pages(&e->start, &e->end))
		return 0;
	skip = e->start - p->paddr;
	e->offset = p->offset + skip;
	e->vaddr = p->vaddr + skip;
	return 1;
}

static unsigned
pick_ram(struct source *s, unsigned n)
{
	unsigned i, count = 0;

	for (i = 0; i < n; i++) {
		struct extent e;

		if (seg[i].paddr == UINT64_MAX || !segment_pages(&seg[i], &e))
			continue;
		if (!is_alias(s, n, i))
			ram_seg[count++] = e;
		else if (!s->text.end)
			s->text = e;
	}
	if (s->text.end)
		ram_seg[count++] = s->text;
	return count;
}

/* Without iomem, what kcore itself calls RAM. */
static int
ram_of_segments(unsigned n)
{
	unsigned i;

	if (n > IOMEM_RANGES)
		return 0;
	for (i = 0; i < n; i++)
		ram[i] = (struct range){ ram_seg[i].start, ram_seg[i].end };
	return ranges_merge(ram, (int)n);
}

static int
find_ram(struct source *s, unsigned n)
{
	int nram = source_ram(s, ram), told = has_paddr(n);
	unsigned count;

	/* Hidden is not wrong: kcore then speaks for itself. */
	if (nram < 0 && (!told || (errno != EPERM && errno != EACCES &&
	    errno != ENOENT)))
		return -1;
	if (!told && assign_by_direct_map(s, n, nram) < 0)
		return -1;
	drop_others(n, nram < 0 ? 0 : nram);
	count = pick_ram(s, n);
	if (nram < 0) {
		nram = ram_of_segments(count);
		if (!nram)
			return -1;
		warn("%s; taking RAM to be what /proc/kcore says", s->why);
	}
	return source_map(s, ram, nram, ram_seg, count);
}

int
kcore_open(struct source *s)
{
	u64 notes = 0, notes_size = 0;
	int n;

	s->live = 1;
	s->fd = root_open("/proc/kcore", O_RDONLY);
	if (s->fd < 0 && errno == ENOENT)
		return source_refuse(s, "not there: /proc is not mounted, or the "
			"kernel has no CONFIG_PROC_KCORE");
	if (s->fd < 0)
		return source_denied(s, errno, "confidentiality");
	n = load_segments(s, &notes, &notes_size);
	if (n < 0 || find_ram(s, (unsigned)n) < 0)
		return -1;
	if (!s->extents)
		return source_refuse(s, "none of its %d segments is RAM of "
			"/proc/iomem", n);
	if (source_try(s) < 0)
		return source_denied(s, errno, "confidentiality");
	if (!notes_size || source_info(s, notes, notes_size) < 0)
		source_info_sys(s);
	return 0;
}
