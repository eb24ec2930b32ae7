/* Headers, segments and notes of an ELF file. */
#include "fuzz.h"

static void
notes(int fd, const struct core_segment *s)
{
	struct core_notes n;
	struct core_note note;

	core_notes(&n, fd, s->offset, s->filesz);
	while (core_note_next(&n, &note) == 1) {
		must(strlen(note.name) < sizeof(note.name));
		must(note.start < note.end);
		must(note.offset >= note.start);
		must(note.offset + note.size <= s->offset + s->filesz);
	}
}

int
LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	int fd = fuzz_fd(data, size);
	struct core_segment s;
	struct core e;
	u32 i;

	if (core_open(&e, fd) < 0)
		return 0;
	for (i = 0; i < e.phnum && i < 64; i++)
		if (!core_segment(&e, i, &s)) {
			must(s.offset + s.filesz <= INT64_MAX);
			notes(fd, &s);
		}
	must(core_segment(&e, e.phnum, &s) < 0);
	return 0;
}
