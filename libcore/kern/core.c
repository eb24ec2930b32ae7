/* core.c - the headers of 64-bit ELF files that describe memory: /proc/kcore,
 * /proc/vmcore, core files. Every number in them is distrusted. */
#include <elf.h>

#include "../kern.h"

static int
bad(int error)
{
	errno = error;
	return -1;
}

/* n bytes at offset, all of them. */
static int
read_at(int fd, void *buf, size_t n, u64 offset)
{
	ssize_t r = full_pread(fd, buf, n, offset);

	if (r < 0)
		return -1;
	return (size_t)r == n ? 0 : bad(EBADMSG);
}

/* More than 65534 program headers: their number is in the first section
 * header. */
static int
phnum_extended(struct core *e, const Elf64_Ehdr *h)
{
	Elf64_Shdr s;

	if (!h->e_shoff || h->e_shoff > INT64_MAX - sizeof(s))
		return bad(EBADMSG);
	if (read_at(e->fd, &s, sizeof(s), h->e_shoff) < 0)
		return -1;
	e->phnum = s.sh_info;
	return 0;
}

int
core_open(struct core *e, int fd)
{
	Elf64_Ehdr h;

	if (read_at(fd, &h, sizeof(h), 0) < 0)
		return -1;
	if (memcmp(h.e_ident, ELFMAG, SELFMAG))
		return bad(EBADMSG);
	if (h.e_ident[EI_CLASS] != ELFCLASS64 ||
	    h.e_ident[EI_DATA] != ELFDATA2LSB ||
	    h.e_phentsize != sizeof(Elf64_Phdr))
		return bad(ENOTSUP);
	*e = (struct core){ .fd = fd, .type = h.e_type, .machine = h.e_machine,
		.phoff = h.e_phoff, .phnum = h.e_phnum };
	if (e->phnum == PN_XNUM && phnum_extended(e, &h) < 0)
		return -1;
	if (e->phoff > INT64_MAX - (u64)e->phnum * sizeof(Elf64_Phdr))
		return bad(EBADMSG);
	return 0;
}

int
core_segment(const struct core *e, u32 i, struct core_segment *s)
{
	Elf64_Phdr p;

	if (i >= e->phnum)
		return bad(EINVAL);
	if (read_at(e->fd, &p, sizeof(p), e->phoff + (u64)i * sizeof(p)) < 0)
		return -1;
	*s = (struct core_segment){ .type = p.p_type, .offset = p.p_offset,
		.vaddr = p.p_vaddr, .paddr = p.p_paddr, .filesz = p.p_filesz,
		.memsz = p.p_memsz };
	return p.p_offset <= INT64_MAX && p.p_filesz <= INT64_MAX - p.p_offset
		? 0 : bad(EBADMSG);
}

void
core_notes(struct core_notes *n, int fd, u64 offset, u64 size)
{
	*n = (struct core_notes){ fd, offset, size };
}

/* Takes size bytes, padded to four, off what is left; where they stand. */
static int
notes_take(struct core_notes *n, u64 size, u64 *offset)
{
	u64 padded = (size + 3) & ~3ull;

	*offset = n->offset;
	if (size > n->left)
		return -1;
	if (padded > n->left)
		padded = n->left;
	n->offset += padded;
	n->left -= padded;
	return 0;
}

int
core_note_next(struct core_notes *n, struct core_note *note)
{
	Elf64_Nhdr h;
	u64 at;

	if (n->left < sizeof(h))
		return 0;
	if (read_at(n->fd, &h, sizeof(h), n->offset) < 0)
		return -1;
	*note = (struct core_note){ .type = h.n_type, .size = h.n_descsz,
		.start = n->offset };
	if (notes_take(n, sizeof(h), &at) < 0 ||
	    notes_take(n, h.n_namesz, &at) < 0 ||
	    notes_take(n, h.n_descsz, &note->offset) < 0)
		return bad(EBADMSG);
	note->end = n->offset;
	if (h.n_namesz >= sizeof(note->name))
		h.n_namesz = sizeof(note->name) - 1;
	if (read_at(n->fd, note->name, h.n_namesz, at) < 0)
		return -1;
	note->name[h.n_namesz] = 0;
	/* Zero bytes at a segment's end are no note. */
	return h.n_namesz || h.n_descsz || h.n_type;
}
