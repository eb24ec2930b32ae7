/* info.c - VMCOREINFO: what the kernel tells about itself to readers of dumps
 * (Documentation/admin-guide/kdump/vmcoreinfo.rst). */
#include <elf.h>

#include "memdump.h"

int
source_info(struct source *s, u64 offset, u64 size)
{
	struct core_notes notes;
	struct core_note note;

	core_notes(&notes, s->fd, offset, size);
	while (core_note_next(&notes, &note) > 0) {
		ssize_t n;

		if (strcmp(note.name, "VMCOREINFO"))
			continue;
		if (note.size >= INFO_MAX)
			return -1;
		n = full_pread(s->fd, s->info, note.size, note.offset);
		if (n != (ssize_t)note.size) {
			*s->info = 0;
			return -1;
		}
		s->info[n] = 0;
		s->info_size = strlen(s->info);
		return 0;
	}
	return -1;
}

void
source_info_sys(struct source *s)
{
	char text[64];
	const char *p = text;
	u64 start, size;
	unsigned i;

	/* "0x0000000103e01000 1024", both hexadecimal */
	if (root_slurp("/sys/kernel/vmcoreinfo", text, sizeof(text)) < 0)
		return;
	p += strncmp(p, "0x", 2) ? 0 : 2;
	if (scan_hex(&p, &start) < 0)
		return;
	if (*p++ != ' ' || scan_hex(&p, &size) < 0)
		return;
	for (i = 0; i < s->extents; i++) {
		const struct extent *e = &s->extent[i];

		if (start >= e->start && start < e->end &&
		    size <= e->end - start)
			source_info(s, e->offset + (start - e->start), size);
	}
}

int
info_value(const struct source *s, const char *key, const char **value)
{
	size_t n = strlen(key);
	const char *p = s->info;

	for (; *p; p += strcspn(p, "\n"), p += *p == '\n')
		if (!strncmp(p, key, n) && p[n] == '=') {
			*value = p + n + 1;
			return (int)strcspn(*value, "\n");
		}
	return -1;
}

void
source_text(struct source *s)
{
	struct range code, bss;
	const char *v;
	u64 base, start;
	int negative;

	if (s->machine != EM_X86_64 ||
	    info_value(s, "NUMBER(phys_base)", &v) < 0 ||
	    iomem_named("Kernel code", &code, 1) != 1 ||
	    iomem_named("Kernel bss", &bss, 1) != 1)
		return;
	negative = *v == '-';
	v += negative;
	if (scan_u64(&v, &base) < 0)
		return;
	start = KERNEL_MAP + code.start - (negative ? -base : base);
	s->text = (struct extent){ code.start, bss.end, 0, start };
}
