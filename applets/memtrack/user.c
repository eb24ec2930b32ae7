/* user.c - user addresses: to files and offsets while the process is there,
 * and to names when a report wants them.
 */
#include <elf.h>

#include "memtrack.h"

enum {
	PROCESSES = 64, MAPS_EACH = 64, FILES_MAX = 2048,
	REREAD_NS = 100000000, OFFSET_BITS = 40,
};
#define OFFSET_MASK ((1ull << OFFSET_BITS) - 1)

struct code {			/* an executable mapping */
	u64 start, end, offset;
	u32 file;
};
static struct process {
	int tgid;		/* 0 = free */
	u32 maps;
	u64 read_at;
	struct code map[MAPS_EACH];
} processes[PROCESSES];
static u32 process_next;
static u32 files[FILES_MAX];	/* their paths in the names */
static u32 file_count;

/* ---- maps ---- */

static u32
file_of(const char *path, size_t n)
{
	u32 name = (u32)syms_intern(path, n), i;

	for (i = 0; i < file_count && files[i] != name; i++)
		;
	if (i == FILES_MAX)
		return 0;	/* the wrong file's name; its offset is right */
	if (i == file_count)
		files[file_count++] = name;
	return i;
}

static void
read_maps(struct process *p)
{
	static char buf[8192];
	struct maps m;
	struct vma v;
	u32 n = 0;

	p->read_at = now_ns();
	if (maps_open(&m, p->tgid, "maps", buf, sizeof(buf)) < 0)
		return;		/* gone: what was read before still holds */
	while (n < MAPS_EACH && maps_next(&m, &v) > 0)
		if (v.perm & VMA_EXEC && v.path_len)
			p->map[n++] = (struct code){ v.start, v.end, v.offset,
				file_of(v.path, v.path_len) };
	maps_close(&m);
	if (n)
		p->maps = n;
}

static struct process *
process_of(int tgid)
{
	struct process *p;

	for (p = processes; p < processes + PROCESSES; p++)
		if (p->tgid == tgid)
			return p;
	p = &processes[process_next++ % PROCESSES];
	p->tgid = tgid;
	p->maps = 0;
	read_maps(p);
	return p;
}

void
user_exec(int tgid)
{
	struct process *p;

	for (p = processes; p < processes + PROCESSES; p++)
		if (p->tgid == tgid)
			p->tgid = 0;
}

static const struct code *
code_at(const struct process *p, u64 addr)
{
	u32 i;

	for (i = 0; i < p->maps; i++)
		if (addr >= p->map[i].start && addr < p->map[i].end)
			return &p->map[i];
	return NULL;
}

unsigned
user_frames(int tgid, const u64 *addrs, unsigned n, u64 *frames)
{
	struct process *p;
	const struct code *c;
	unsigned i;

	if (tgid <= 0)
		return 0;
	p = process_of(tgid);
	for (i = 0; i < n; i++) {
		c = code_at(p, addrs[i]);
		if (!c && now_ns() - p->read_at > REREAD_NS) {
			read_maps(p);
			c = code_at(p, addrs[i]);
		}
		if (!c) {
			/* Without frame pointers the rest is garbage. */
			counts.cut_user += n - i;
			break;
		}
		frames[i] = FRAME_USER | (u64)c->file << OFFSET_BITS |
			((addrs[i] - c->start + c->offset) & OFFSET_MASK);
	}
	return i;
}

/* ---- names, out of the ELF file ---- */

struct elf {
	int fd;
	Elf64_Ehdr head;
	Elf64_Shdr symbols, strings;
};

static int
elf_open(struct elf *e, const char *path)
{
	Elf64_Shdr s;
	unsigned i;

	memset(e, 0, sizeof(*e));
	e->fd = open(path, O_RDONLY | O_CLOEXEC);
	if (e->fd < 0)
		return -1;
	if (full_pread(e->fd, &e->head, sizeof(e->head), 0) !=
	    sizeof(e->head) || memcmp(e->head.e_ident, ELFMAG, SELFMAG) ||
	    e->head.e_ident[EI_CLASS] != ELFCLASS64 ||
	    e->head.e_shentsize != sizeof(s))
		return -1;
	for (i = 0; i < e->head.e_shnum; i++) {
		if (full_pread(e->fd, &s, sizeof(s), e->head.e_shoff +
				i * sizeof(s)) != sizeof(s))
			return -1;
		if (s.sh_type == SHT_SYMTAB || (s.sh_type == SHT_DYNSYM &&
		    e->symbols.sh_type != SHT_SYMTAB))
			e->symbols = s;
	}
	if (!e->symbols.sh_type || e->symbols.sh_link >= e->head.e_shnum)
		return -1;
	return full_pread(e->fd, &e->strings, sizeof(s), e->head.e_shoff +
		e->symbols.sh_link * sizeof(s)) == sizeof(s) ? 0 : -1;
}

/* Where an offset in the file is, as symbols count; 0 = in no segment. */
static u64
elf_address(const struct elf *e, u64 offset)
{
	Elf64_Phdr p;
	unsigned i;

	for (i = 0; i < e->head.e_phnum; i++) {
		if (full_pread(e->fd, &p, sizeof(p), e->head.e_phoff +
				i * sizeof(p)) != sizeof(p))
			break;
		if (p.p_type == PT_LOAD && offset >= p.p_offset &&
		    offset - p.p_offset < p.p_filesz)
			return offset - p.p_offset + p.p_vaddr;
	}
	return 0;
}

enum { WANTED_MAX = 256, CHUNK = 128 };
static struct wanted {
	u64 addr, start;
	u32 string;
	struct sym *sym;
} wanted[WANTED_MAX];

/* Each symbol against all addresses wanted: these are few. */
static void
match_symbols(const Elf64_Sym *s, size_t n, u32 count)
{
	u32 i;

	for (; n; n--, s++) {
		if (ELF64_ST_TYPE(s->st_info) != STT_FUNC || !s->st_shndx)
			continue;
		for (i = 0; i < count; i++)
			if (wanted[i].addr >= s->st_value && (wanted[i].addr -
			    s->st_value < s->st_size || (!s->st_size &&
			    wanted[i].addr - s->st_value < 4096)) &&
			    s->st_value >= wanted[i].start) {
				wanted[i].start = s->st_value;
				wanted[i].string = s->st_name;
			}
	}
}

static void
name_wanted(const struct elf *e, u32 count)
{
	static Elf64_Sym chunk[CHUNK];
	char name[128];
	u64 at = 0, left = e->symbols.sh_size / sizeof(*chunk);
	ssize_t n;
	u32 i;

	while (left) {
		u64 take = left < CHUNK ? left : CHUNK;
		n = full_pread(e->fd, chunk, take * sizeof(*chunk),
			e->symbols.sh_offset + at);
		if (n < (ssize_t)sizeof(*chunk))
			break;
		match_symbols(chunk, (size_t)n / sizeof(*chunk), count);
		at += take * sizeof(*chunk);
		left -= take;
	}
	for (i = 0; i < count; i++) {
		if (!wanted[i].string ||
		    wanted[i].string >= e->strings.sh_size)
			continue;
		n = full_pread(e->fd, name, sizeof(name) - 1,
			e->strings.sh_offset + wanted[i].string);
		name[n < 0 ? 0 : n] = 0;
		wanted[i].sym->name = syms_put(name, strlen(name));
	}
}

/* n symbols of one file, at most WANTED_MAX. */
static void
name_file(u32 file, struct sym *v, u32 n)
{
	struct elf e;
	u32 i, count = 0;
	const char *path = syms_text(files[file]);
	const char *slash = strrchr(path, '/');
	const char *base = slash ? slash + 1 : path;
	u32 module = syms_put(base, strlen(base));

	for (i = 0; i < n; i++)
		v[i].module = module;
	if (!elf_open(&e, path)) {
		for (i = 0; i < n; i++) {
			/* A return address may be behind its function. */
			u64 a = elf_address(&e, v[i].addr & OFFSET_MASK);
			if (a)
				wanted[count++] = (struct wanted){ a - 1, 0, 0,
					&v[i] };
		}
		name_wanted(&e, count);
	}
	if (e.fd >= 0)
		close(e.fd);
}

static u32
file_in(u64 frame)
{
	return (u32)((frame & ~FRAME_USER) >> OFFSET_BITS);
}

void
user_resolve(struct sym *v, u32 n)
{
	u32 i = 0, first;

	while (i < n) {
		first = i;
		while (i < n && i - first < WANTED_MAX &&
		       file_in(v[i].addr) == file_in(v[first].addr))
			i++;
		if (file_in(v[first].addr) < file_count)
			name_file(file_in(v[first].addr), v + first,
				i - first);
	}
}

const char *
user_sym(u64 frame, const struct sym *s, char *buf, size_t size)
{
	unsigned long offset = (unsigned long)(frame & OFFSET_MASK);

	if (s && s->name)
		fmt_str(buf, size, "%s %s (0x%lx)", syms_text(s->name),
			syms_text(s->module), offset);
	else if (s && s->module)
		fmt_str(buf, size, "%s+0x%lx (0x%lx)", syms_text(s->module),
			offset, offset);
	else
		fmt_str(buf, size, "(user) (0x%lx)", offset);
	return buf;
}
