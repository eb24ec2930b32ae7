/* region.c - a VMA with its type and its smaps fields. Types are told by path
 * and permissions (d_path and arch_vma_name in the kernel write the names),
 * and by what lies below. */
#include "../kern.h"

const char *const region_type_names[REGION_TYPES] = {
	"heap", "stack", "code", "shared_lib", "mapped_file", "anonymous",
	"vdso", "vvar", "vsyscall", "unknown",
};

const char *const region_kind_names[REGION_KINDS] = {
	"", "jit", "shm", "memfd", "hugetlb", "device", "thread_stack",
	"named_anon", "shared_anon", "guard", "bss", "deleted", "aio",
	"uprobes", "dmabuf", "socket", "anon_inode", "reserved",
};

const char *const smaps_key_names[SMAPS_KEYS] = {
	"Size", "KernelPageSize", "MMUPageSize", "Rss", "Pss", "Pss_Dirty",
	"Shared_Clean", "Shared_Dirty", "Private_Clean", "Private_Dirty",
	"Referenced", "Anonymous", "KSM", "LazyFree", "AnonHugePages",
	"ShmemPmdMapped", "FilePmdMapped", "Shared_Hugetlb",
	"Private_Hugetlb", "Swap", "SwapPss", "Locked", "THPeligible",
	"ProtectionKey",
};

/* Below a thread's stack pthread_create leaves a guard of a page or a few. */
enum { STACK_GUARD_MAX = 1 << 20 };

static int
begins(const struct vma *v, const char *prefix)
{
	const char *s = v->path;

	while (*prefix && *prefix == *s)
		prefix++, s++;
	return !*prefix;
}

static int
ends(const struct vma *v, const char *suffix)
{
	size_t n = strlen(suffix);

	return v->path_len >= n &&
		!memcmp(v->path + v->path_len - n, suffix, n);
}

/* libc.so, libm.so.6, libz.so.1.3 (deleted), not ld.so.cache or my.socket */
static int
is_library(const struct vma *v)
{
	const char *s = memrchr(v->path, '/', v->path_len);

	while ((s = strstr(s, ".so"))) {
		s += 3;
		if (!*s || *s == ' ' ||
		    (*s == '.' && s[1] >= '0' && s[1] <= '9'))
			return 1;
	}
	return 0;
}

struct prefix {
	const char *text;
	u8 type, kind;
};

static int
by_prefix(const struct prefix *p, const struct vma *v, struct region *g)
{
	for (; p->text; p++)
		if (begins(v, p->text)) {
			g->type = p->type;
			g->kind = p->kind;
			return 1;
		}
	return 0;
}

/* Names in brackets and of things without a file. */
static void
classify_named(const struct vma *v, struct region *g)
{
	static const struct prefix names[] = {
		{ "[heap]", REGION_HEAP, KIND_NONE },
		{ "[stack]", REGION_STACK, KIND_NONE },
		{ "[stack:", REGION_STACK, KIND_THREAD_STACK },
		{ "[anon:stack_and_tls", REGION_STACK, KIND_THREAD_STACK },
		{ "[anon:", REGION_ANONYMOUS, KIND_NAMED_ANON },
		{ "[anon_shmem:", REGION_ANONYMOUS, KIND_SHARED_ANON },
		{ "[vdso]", REGION_VDSO, KIND_NONE },
		{ "[vvar", REGION_VVAR, KIND_NONE },
		{ "[vsyscall]", REGION_VSYSCALL, KIND_NONE },
		{ "[uprobes]", REGION_CODE, KIND_UPROBES },
		{ "socket:", REGION_UNKNOWN, KIND_SOCKET },
		{ "anon_inode:", REGION_UNKNOWN, KIND_ANON_INODE },
		{ 0 }
	};

	if (!by_prefix(names, v, g))
		g->type = REGION_UNKNOWN;
}

/* Paths: some are no files of any directory. */
static void
classify_path(const struct vma *v, struct region *g)
{
	static const struct prefix paths[] = {
		{ "/SYSV", REGION_ANONYMOUS, KIND_SHM },
		{ "/memfd:", REGION_ANONYMOUS, KIND_MEMFD },
		{ "/dev/zero", REGION_ANONYMOUS, KIND_SHARED_ANON },
		{ "/anon_hugepage", REGION_ANONYMOUS, KIND_HUGETLB },
		{ "/[aio]", REGION_ANONYMOUS, KIND_AIO },
		{ "/dmabuf:", REGION_MAPPED_FILE, KIND_DMABUF },
		{ "/dev/shm/", REGION_MAPPED_FILE, KIND_SHM },
		{ "/dev/hugepages/", REGION_MAPPED_FILE, KIND_HUGETLB },
		{ "/dev/", REGION_MAPPED_FILE, KIND_DEVICE },
		{ 0 }
	};

	if (by_prefix(paths, v, g)) {
		if (g->kind == KIND_MEMFD && v->perm & VMA_EXEC)
			g->kind = KIND_JIT;
		return;
	}
	g->type = is_library(v) ? REGION_SHARED_LIB :
		v->perm & VMA_EXEC ? REGION_CODE : REGION_MAPPED_FILE;
	if (ends(v, " (deleted)"))
		g->kind = KIND_DELETED;
}

static void
classify_anonymous(const struct regions *r, const struct vma *v,
	struct region *g)
{
	int touches = r->end == v->start;

	g->type = REGION_ANONYMOUS;
	/* Executable too where all that can be read can be executed: programs
	 * that do not say that they need it not (READ_IMPLIES_EXEC). */
	if (touches && r->end_data && v->perm & VMA_WRITE)
		g->kind = KIND_BSS;
	else if (v->perm & VMA_EXEC)
		g->kind = KIND_JIT;
	else if (!(v->perm & (VMA_READ | VMA_WRITE)))
		g->kind = v->end - v->start <= STACK_GUARD_MAX ? KIND_GUARD
			: KIND_RESERVED;
	else if (touches && r->end_guard)
		g->kind = KIND_THREAD_STACK;
}

static void
classify(struct regions *r, struct region *g)
{
	const struct vma *v = &g->vma;
	int private_rw = (v->perm & ~VMA_EXEC) == (VMA_READ | VMA_WRITE);

	g->kind = KIND_NONE;
	if (!v->path_len)
		classify_anonymous(r, v, g);
	else if (*v->path == '/')
		classify_path(v, g);
	else
		classify_named(v, g);
	r->end = v->end;
	r->end_guard = g->kind == KIND_GUARD;
	r->end_data = private_rw && v->inode && *v->path == '/';
	r->whole = g->type == REGION_VSYSCALL;
}

/* Two letters each; "ht" is hugetlb, "io" and "pf" are device memory. */
static int
has_flag(const char *flags, const char *flag)
{
	for (; *flags; flags += 2) {
		flags += strspn(flags, " ");
		if (!strncmp(flags, flag, 2))
			return 1;
		if (!*flags || !flags[1])
			break;
	}
	return 0;
}

static void
refine(struct region *g)
{
	if (has_flag(g->flags, "ht"))
		g->kind = KIND_HUGETLB;
	else if (has_flag(g->flags, "io") && !g->kind && *g->vma.path == '/')
		g->kind = KIND_DEVICE;
}

/* What follows "KEY:"; NULL when the line is not of that key. */
static inline const char *
after_key(const char *line, unsigned key)
{
	const char *name = smaps_key_names[key];

	while (*name && *name == *line)
		name++, line++;
	return !*name && *line == ':' ? line + 1 : NULL;
}

static void
keep_flags(struct region *g, const char *s, size_t n)
{
	if (n >= sizeof(g->flags))
		n = sizeof(g->flags) - 1;
	while (n && s[n - 1] == ' ')
		n--;
	memcpy(g->flags, s, n);
	g->flags[n] = 0;
}

/* "Rss:      123 kB". The file's order is ours, so the key after the last one
 * is looked at first. Returns where the next is to be looked for. */
static unsigned
take_field(struct region *g, const char *line, size_t n, unsigned hint)
{
	unsigned i, key = hint;
	const char *s = NULL;

	for (i = 0; i < SMAPS_KEYS; i++) {
		s = after_key(line, key);
		if (s)
			break;
		key = key + 1 == SMAPS_KEYS ? 0 : key + 1;
	}
	if (!s) {
		if (n > 9 && !memcmp(line, "VmFlags: ", 9))
			keep_flags(g, line + 9, n - 9);
		return hint;
	}
	while (*s == ' ' || *s == '\t')
		s++;
	if ((u8)(*s - '0') <= 9) {
		g->seen |= 1u << key;
		do
			g->kb[key] = g->kb[key] * 10 + (u8)(*s++ - '0');
		while ((u8)(*s - '0') <= 9);
	}
	return key + 1 == SMAPS_KEYS ? 0 : key + 1;
}

static void
read_fields(struct regions *r, struct region *g)
{
	struct maps *m = &r->maps;
	unsigned hint = 0;

	while (maps_line(m) > 0) {
		if (*m->line < 'A' || *m->line > 'Z') {
			m->held = 1;
			break;
		}
		hint = take_field(g, m->line, m->len, hint);
	}
	refine(g);
}

void
regions_open_fd(struct regions *r, int fd, int smaps, char *buf, size_t size)
{
	r->smaps = smaps;
	r->end = 0;
	r->end_guard = r->end_data = r->whole = 0;
	maps_open_fd(&r->maps, fd, buf, size);
}

int
regions_open(struct regions *r, int pid, int smaps, char *buf, size_t size)
{
	int fd = proc_open(pid, smaps ? "smaps" : "maps", O_RDONLY);

	if (fd < 0)
		return -1;
	regions_open_fd(r, fd, smaps, buf, size);
	return 0;
}

/* The path lies in the line buffer, which the fields' lines will use. */
static void
keep_path(struct regions *r, struct vma *v)
{
	if (v->path_len >= sizeof(r->path))
		v->path_len = sizeof(r->path) - 1;
	memcpy(r->path, v->path, v->path_len);
	r->path[v->path_len] = 0;
	v->path = r->path;
}

int
regions_next(struct regions *r, struct region *g)
{
	int n = maps_next(&r->maps, &g->vma);

	if (n <= 0)
		return n;
	classify(r, g);
	if (!r->smaps)
		return 1;
	keep_path(r, &g->vma);
	g->seen = 0;
	memset(g->kb, 0, sizeof(g->kb));
	g->flags[0] = 0;
	read_fields(r, g);
	return 1;
}

void
regions_close(struct regions *r)
{
	maps_close(&r->maps);
}

/* The link is there as long as the memory is. */
int
process_ended(int pid)
{
	char buf[2];

	return !*root_dir && proc_link(pid, "exe", buf, sizeof(buf)) < 0 &&
		(errno == ENOENT || errno == ESRCH);
}
