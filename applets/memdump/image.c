/* image.c - the formats (docs/formats.md): what stands around the RAM. */
#include <elf.h>

#include "memdump.h"

const char *const format_names[] = {
	[FORMAT_LIME] = "lime", [FORMAT_RAW] = "raw",
	[FORMAT_PADDED] = "padded", [FORMAT_ELF] = "elf", NULL,
};

enum { LIME_MAGIC = 0x4c694d45, LIME_VERSION = 1 };
struct lime {
	u32 magic, version;
	u64 first, last;	/* last byte, inclusive */
	u8 reserved[8];
};

static const char info_name[12] = "VMCOREINFO";	/* 11 bytes, padded */

/* The part of the kernel text that extent i holds; 0 when there is none. */
static int
text_part(const struct source *s, unsigned i, struct extent *part)
{
	const struct extent *e = &s->extent[i];

	*part = s->text;
	if (part->start < e->start)
		part->start = e->start;
	if (part->end > e->end)
		part->end = e->end;
	part->vaddr += part->start - s->text.start;
	return s->text.vaddr && part->start < part->end;
}

static u64
notes_size(const struct source *s)
{
	if (s->notes_size)
		return s->notes_size;
	return s->info_size ? sizeof(Elf64_Nhdr) + sizeof(info_name) +
		((s->info_size + 3) & ~3ull) : 0;
}

static unsigned
phdr_count(const struct source *s)
{
	struct extent part;
	unsigned i, n = 1 + s->extents;

	for (i = 0; i < s->extents; i++)
		n += (unsigned)text_part(s, i, &part);
	return n;
}

void
image_open(struct image *im, enum format format, struct source *s)
{
	*im = (struct image){ .format = format, .source = s };
	switch (format) {
	case FORMAT_LIME:
		im->size = s->bytes + s->extents * sizeof(struct lime);
		break;
	case FORMAT_RAW:
	case FORMAT_PADDED:
		im->size = s->extents ? s->extent[s->extents - 1].end : 0;
		break;
	case FORMAT_ELF:
		im->data = sizeof(Elf64_Ehdr) +
			phdr_count(s) * sizeof(Elf64_Phdr) + notes_size(s);
		im->data = (im->data + page_size - 1) & ~(page_size - 1);
		im->size = im->data + s->bytes;
	}
}

u64
image_offset(const struct image *im, unsigned extent)
{
	const struct extent *e = im->source->extent;
	u64 offset = im->data;
	unsigned i;

	if (im->format == FORMAT_RAW || im->format == FORMAT_PADDED)
		return e[extent].start;
	for (i = 0; i < extent; i++)
		offset += e[i].end - e[i].start;
	if (im->format == FORMAT_LIME)
		offset += (extent + 1) * sizeof(struct lime);
	return offset;
}

static int
put(struct image *im, struct flow *f, const void *data, size_t n)
{
	im->at += n;
	return flow_put(f, data, n);
}

/* Zeros up to offset; a hole where the format and the sink allow it. */
static int
put_zeros(struct image *im, struct flow *f, u64 offset)
{
	u64 n = offset - im->at;

	im->at = offset;
	return im->format == FORMAT_PADDED ? flow_zero_by_put(f, n)
		: flow_zero(f, n);
}

/* ---- ELF ---- */

static int
put_ehdr(struct image *im, struct flow *f)
{
	const struct source *s = im->source;
	Elf64_Ehdr h = {
		.e_ident = { ELFMAG0, ELFMAG1, ELFMAG2, ELFMAG3, ELFCLASS64,
			ELFDATA2LSB, EV_CURRENT },
		.e_type = ET_CORE, .e_version = EV_CURRENT,
		.e_machine = s->machine, .e_phoff = sizeof(h),
		.e_ehsize = sizeof(h), .e_phentsize = sizeof(Elf64_Phdr),
		.e_phnum = (u16)phdr_count(s),
	};

	return put(im, f, &h, sizeof(h));
}

/* p_align stays 0: crash takes an aligned core for another kind of dump. */
static int
put_load(struct image *im, struct flow *f, const struct extent *e, u64 offset)
{
	Elf64_Phdr p = {
		.p_type = PT_LOAD, .p_flags = PF_R | PF_W | PF_X,
		.p_offset = offset, .p_vaddr = e->vaddr, .p_paddr = e->start,
		.p_filesz = e->end - e->start, .p_memsz = e->end - e->start,
	};

	return put(im, f, &p, sizeof(p));
}

static int
put_phdrs(struct image *im, struct flow *f)
{
	const struct source *s = im->source;
	Elf64_Phdr note = {
		.p_type = PT_NOTE, .p_filesz = notes_size(s),
		.p_memsz = notes_size(s), .p_offset = sizeof(Elf64_Ehdr) +
			phdr_count(s) * sizeof(Elf64_Phdr),
	};
	struct extent part;
	unsigned i;

	if (put(im, f, &note, sizeof(note)) < 0)
		return -1;
	/* drgn needs the text's addresses; its bytes are the RAM's. */
	for (i = 0; i < s->extents; i++)
		if (text_part(s, i, &part) && put_load(im, f, &part,
		    image_offset(im, i) + part.start - s->extent[i].start) < 0)
			return -1;
	for (i = 0; i < s->extents; i++)
		if (put_load(im, f, &s->extent[i], image_offset(im, i)) < 0)
			return -1;
	return 0;
}

static int
copy_notes(struct image *im, struct flow *f)
{
	const struct source *s = im->source;
	u64 done = 0;
	u8 buf[1024];

	while (done < s->notes_size) {
		size_t n = s->notes_size - done < sizeof(buf)
			? (size_t)(s->notes_size - done) : sizeof(buf);

		if (full_pread(s->fd, buf, n, s->notes_offset + done) !=
		    (ssize_t)n)
			memset(buf, 0, n);
		if (put(im, f, buf, n) < 0)
			return -1;
		done += n;
	}
	return 0;
}

static int
put_notes(struct image *im, struct flow *f)
{
	const struct source *s = im->source;
	Elf64_Nhdr h = { .n_namesz = sizeof(info_name) - 1,
		.n_descsz = (u32)s->info_size };

	if (s->notes_size)
		return copy_notes(im, f);
	if (!s->info_size)
		return 0;
	if (put(im, f, &h, sizeof(h)) < 0 ||
	    put(im, f, info_name, sizeof(info_name)) < 0)
		return -1;
	/* Zeros of the buffer pad it. */
	return put(im, f, s->info, (s->info_size + 3) & ~(size_t)3);
}

/* ---- what all share ---- */

int
image_begin(struct image *im, struct flow *f)
{
	if (im->format != FORMAT_ELF)
		return 0;
	if (put_ehdr(im, f) < 0 || put_phdrs(im, f) < 0 ||
	    put_notes(im, f) < 0)
		return -1;
	return put_zeros(im, f, im->data);
}

int
image_extent(struct image *im, struct flow *f, unsigned extent)
{
	const struct extent *e = &im->source->extent[extent];
	struct lime head = { LIME_MAGIC, LIME_VERSION, e->start, e->end - 1,
		{ 0 } };

	if (im->format == FORMAT_LIME && put(im, f, &head, sizeof(head)) < 0)
		return -1;
	if (im->format != FORMAT_LIME &&
	    put_zeros(im, f, image_offset(im, extent)) < 0)
		return -1;
	im->at += e->end - e->start;
	return 0;
}
