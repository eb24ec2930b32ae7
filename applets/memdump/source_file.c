/* source_file.c - images: raw (address = offset) and ELF cores, of which the
 * crashed kernel's is one. */
#include <elf.h>

#include "memdump.h"

static struct extent seg[SEGMENTS];
static struct range ram[SEGMENTS];

/* The file's size; of a block device too. */
static int
file_size(struct source *s, u64 *size)
{
	struct stat st;
	off_t end;

	if (fstat(s->fd, &st) < 0)
		return source_refuse(s, "%s", strerror(errno));
	if (S_ISDIR(st.st_mode))
		return source_refuse(s, "is a directory");
	end = S_ISREG(st.st_mode) ? st.st_size : lseek(s->fd, 0, SEEK_END);
	if (end < 0)
		return source_refuse(s, "cannot be read at an address (a pipe?): "
			"give a file");
	if (!end)
		return source_refuse(s, "is empty");
	*size = (u64)end;
	return 0;
}

/* Other formats begin with a mark of their own; a raw image begins with the
 * first page of RAM, which may hold anything, but hardly that. */
static int
refuse_other(struct source *s)
{
	static const struct {
		char magic[9];
		const char *name;
	} other[] = {
		{ "EMiL\1", "a LiME image: only raw and ELF can be read" },
		{ "AVML\2", "an AVML image: only raw and ELF can be read" },
		{ "KDUMP   ", "a kdump-compressed dump: only raw and ELF can be "
			"read" },
		{ "\x1f\x8b\x08", "gzip data: gzip -d it first" },
		{ "\x04\x22\x4d\x18", "LZ4 data: lz4 -d it first" },
	};
	char head[8] = { 0 };
	unsigned i;

	full_pread(s->fd, head, sizeof(head), 0);
	for (i = 0; i < ARRAY_LEN(other); i++)
		if (!memcmp(head, other[i].magic, strlen(other[i].magic)))
			return source_refuse(s, "is %s", other[i].name);
	return 0;
}

static int
raw_map(struct source *s, u64 size)
{
	struct range all = { 0, size };
	struct extent whole = { 0, size, 0, 0 };

	s->kind = "raw";
	if (source_map(s, &all, 1, &whole, 1) < 0)
		return -1;
	if (s->extents)
		s->extent[s->extents - 1].end = size;
	else
		s->extent[s->extents++] = whole;
	s->bytes = size;
	return 0;
}

static int
is_text(const struct extent *t, unsigned n)
{
	unsigned i;

	for (i = 0; i < n; i++)
		if (&seg[i] != t && seg[i].end - seg[i].start >
		    t->end - t->start && seg[i].start <= t->start &&
		    t->end <= seg[i].end)
			return 1;
	return 0;
}

/* Text stands in the file twice, or by its offset only. */
static unsigned
split_text(struct source *s, unsigned n)
{
	unsigned i, count = 0;

	for (i = 0; i < n; i++)
		if (is_text(&seg[i], n) && !s->text.end)
			s->text = seg[i];
	for (i = 0; i < n; i++)
		if (seg[i].start != s->text.start ||
		    seg[i].end != s->text.end)
			seg[count++] = seg[i];
	return count;
}

static int
add_load(struct source *s, const struct core_segment *p, u64 size, unsigned *n)
{
	u64 bytes = p->filesz;

	if (p->type != PT_LOAD || !bytes || p->paddr > INT64_MAX - bytes)
		return 0;
	if (p->offset >= size)
		bytes = 0;
	else if (bytes > size - p->offset)
		bytes = size - p->offset;
	if (bytes < p->filesz)
		warn("%s is cut short: %llu of %llu bytes of RAM at %#llx are "
			"there", s->name, (unsigned long long)bytes,
			(unsigned long long)p->filesz,
			(unsigned long long)p->paddr);
	if (*n == SEGMENTS)
		return source_refuse(s, "more than %d segments: raise "
			"SEGMENTS", SEGMENTS);
	seg[*n] = (struct extent){ p->paddr, p->paddr + bytes, p->offset,
		p->vaddr };
	ram[(*n)++] = (struct range){ p->paddr, p->paddr + p->filesz };
	return 0;
}

static int
elf_map(struct source *s, struct core *e, u64 size)
{
	struct core_segment p;
	unsigned n = 0;
	u32 i;
	int nram;

	s->kind = "elf";
	s->machine = e->machine;
	for (i = 0; i < e->phnum; i++) {
		if (core_segment(e, i, &p) < 0)
			return source_refuse(s, "program header %u is broken",
				i);
		if (p.type == PT_NOTE && p.filesz) {
			s->notes_offset = p.offset;
			s->notes_size = p.filesz;
		}
		if (add_load(s, &p, size, &n) < 0)
			return -1;
	}
	if (!n)
		return source_refuse(s, "an ELF file without memory in it");
	source_info(s, s->notes_offset, s->notes_size);
	nram = ranges_merge(ram, (int)n);
	n = split_text(s, n);
	return source_map(s, ram, nram, seg, n);
}

static int
file_map(struct source *s)
{
	struct core e;
	u64 size = 0;

	if (file_size(s, &size) < 0)
		return -1;
	if (!core_open(&e, s->fd))
		return e.type == ET_CORE ? elf_map(s, &e, size) :
			source_refuse(s, "an ELF file, but no core");
	if (errno == ENOTSUP)
		return source_refuse(s, "a 32-bit or big-endian ELF file");
	return refuse_other(s) < 0 ? -1 : raw_map(s, size);
}

int
file_open(struct source *s)
{
	s->fd = open(s->name, O_RDONLY | O_CLOEXEC);
	if (s->fd < 0)
		return source_refuse(s, "%s", strerror(errno));
	return file_map(s);
}

int
vmcore_open(struct source *s)
{
	s->fd = root_open("/proc/vmcore", O_RDONLY);
	if (s->fd < 0 && errno == ENOENT)
		return source_refuse(s, "not there: only the kernel that a "
			"crash started has it");
	if (s->fd < 0)
		return source_denied(s, errno, "");
	return file_map(s);
}
