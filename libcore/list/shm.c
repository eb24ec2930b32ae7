/* shm.c - shared memory objects and the processes that have them. */
#include <sys/sysmacros.h>

#include "../list.h"

enum { NAMES = 1 << 20, OBJECTS = 65536, HOLDERS = 1 << 20, SHOWN = 6,
	ASKED = 8 };

struct object {
	int kind;
	u32 minor;		/* of the file system */
	u64 inode;		/* SysV: the id */
	u64 size, rss, swap;	/* bytes */
	u64 huge_size, huge_pages;
	u64 mapped;		/* of huge pages: most that one process has */
	u32 asked;		/* processes, for huge pages among small ones */
	int rss_known, swap_known, huge_known;
	const char *name;
	struct shm_segment seg;	/* SysV */
};
struct holder {
	u32 object;
	int pid;
	int attached;		/* mapped; 0: an open descriptor only */
};

static struct arena arena;
static struct object *objects;
static struct holder *holders;
static char *names;
static u32 object_count, holder_count, unread;
static size_t names_used;
static int shmem_huge;		/* some shared memory lies in huge pages */

static int
tables_open(void)
{
	arena_close(&arena);
	object_count = holder_count = unread = 0;
	names_used = 0;
	if (arena_open(&arena, OBJECTS * sizeof(*objects) +
			HOLDERS * sizeof(*holders) + NAMES) < 0)
		return -1;
	objects = arena_take(&arena, OBJECTS * sizeof(*objects));
	holders = arena_take(&arena, HOLDERS * sizeof(*holders));
	names = arena_take(&arena, NAMES);
	return 0;
}

static struct object *
object_find(int kind, u32 minor, u64 inode)
{
	u32 i;

	for (i = 0; i < object_count; i++)
		if (objects[i].kind == kind && objects[i].inode == inode &&
		    (kind == SHM_SYSV || objects[i].minor == minor))
			return &objects[i];
	return NULL;
}

static struct object *
object_add(int kind, u32 minor, u64 inode, const char *name)
{
	size_t n = strlen(name) + 1;
	struct object *o = &objects[object_count];

	if (object_count == OBJECTS || n > NAMES - names_used)
		return NULL;
	object_count++;
	memset(o, 0, sizeof(*o));
	o->kind = kind;
	o->minor = minor;
	o->inode = inode;
	o->name = memcpy(names + names_used, name, n);
	names_used += n;
	return o;
}

/* A process that maps an object twice holds it once. */
static void
holder_add(const struct object *o, int pid, int attached)
{
	u32 object = (u32)(o - objects), i;

	for (i = holder_count; i-- > 0 && holders[i].pid == pid;)
		if (holders[i].object == object) {
			holders[i].attached |= attached;
			return;
		}
	if (holder_count < HOLDERS)
		holders[holder_count++] = (struct holder){ object, pid,
			attached };
}

static void
object_stat(struct object *o, int fd, const struct stat *st)
{
	u64 cached, evicted;

	o->size = (u64)st->st_size;
	o->rss = (u64)st->st_blocks * 512;
	o->seg.uid = st->st_uid;
	o->seg.mode = st->st_mode & 07777;
	o->seg.ctime = st->st_ctime;
	o->seg.atime = st->st_atime;
	o->rss_known = 1;
	if (o->minor == shmem_minor() || o->kind == SHM_POSIX) {
		o->huge_known = 1;
		if (fd >= 0 && !file_cached(fd, &cached, &evicted)) {
			o->swap_known = 1;
			o->rss = cached * page_size;
			o->swap = evicted * page_size;
		}
	} else {	/* a huge page pool */
		o->huge_known = o->swap_known = 1;
		o->huge_size = (u64)st->st_blksize;
		o->huge_pages = o->rss / o->huge_size;
	}
}

/* ---- where objects come from ---- */

static int
load_sysv(void)
{
	struct shms list;
	struct shm_segment seg;
	int r;

	if (shms_open(&list) < 0)
		return warn("open %s/proc/sysvipc/shm (no CONFIG_SYSVIPC?):",
			root_dir);
	while ((r = shms_next(&list, &seg)) > 0) {
		struct object *o = object_add(SHM_SYSV, 0, (u64)seg.id, "");

		if (!o)
			break;
		o->seg = seg;
		o->size = seg.size;
		o->rss = shm_rss(&seg);
		o->swap = seg.swap;
		o->swap_known = 1;
		o->rss_known = 1;
		if (o->rss != seg.rss)	/* counted 512 times: huge pages */
			o->huge_size = 2 * MIB;
	}
	if (r < 0)
		warn("read /proc/sysvipc/shm:");
	shms_close(&list);
	return r < 0 ? EXIT_FAILED : 0;
}

static void
load_posix_file(const char *name)
{
	char path[PATH_MAX / 8 + 64];
	struct object *o;
	struct stat st;
	int fd;

	fmt_str(path, sizeof(path), "/dev/shm/%s", name);
	fd = root_open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOATIME);
	if (fd < 0)
		fd = root_open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK);
	if (fd < 0) {
		unread++;
		return;
	}
	if (!fstat(fd, &st) && S_ISREG(st.st_mode) &&
	    (o = object_add(SHM_POSIX, minor(st.st_dev), st.st_ino, path)))
		object_stat(o, fd, &st);
	close(fd);
}

static void
load_posix(void)
{
	struct dirs d;
	const char *name;

	if (dirs_open(&d, root_open("/dev/shm", O_RDONLY | O_DIRECTORY)) < 0)
		return;
	while ((name = dirs_next(&d)))
		load_posix_file(name);
	dirs_close(&d);
}

/* ---- who has them ---- */

static struct object *
memfd_object(int pid, const char *where, const char *name)
{
	struct object *o;
	struct stat st;
	char path[96];
	int fd;

	fmt_str(path, sizeof(path), "/proc/%d/%s", pid, where);
	fd = root_open(path, O_RDONLY | O_NONBLOCK);
	if (fd < 0 || fstat(fd, &st) < 0) {
		if (fd >= 0)
			close(fd);
		return NULL;
	}
	o = object_find(SHM_MEMFD, minor(st.st_dev), st.st_ino);
	if (!o && (o = object_add(SHM_MEMFD, minor(st.st_dev), st.st_ino,
			name)))
		object_stat(o, fd, &st);
	close(fd);
	return o;
}

/* A pool's pages are told by its size of page; shared memory that the kernel
 * gave huge pages looks like any other: some that have it are asked. */
static int
is_huge_asked(struct object *o, u32 dev_minor)
{
	int shmem = o->kind == SHM_POSIX || dev_minor == shmem_minor();

	if (o->kind == SHM_SYSV && (!shmem || *root_dir || o->huge_size))
		return 1;
	return shmem && shmem_huge && o->asked++ < ASKED;
}

/* How huge pages of an object stand in a process's smaps. */
static void
load_huge(struct object *o, int pid, const struct vma *want)
{
	static char buf[2 * PATH_MAX];
	struct maps m;
	struct vma v;
	const char *key, *text;
	u64 kib, rss = 0, pmd = 0;

	if (maps_open(&m, pid, "smaps", buf, sizeof(buf)) < 0)
		return;
	while (maps_next(&m, &v) > 0) {
		if (v.start != want->start)
			continue;
		while (smaps_field(&m, &key, &text)) {
			if (scan_u64(&text, &kib) < 0)
				continue;
			if (!strcmp(key, "KernelPageSize") &&
			    kib * KIB > page_size)
				o->huge_size = kib * KIB;
			else if (!strcmp(key, "Shared_Hugetlb") ||
				 !strcmp(key, "Private_Hugetlb"))
				rss += kib * KIB;
			else if (!strcmp(key, "ShmemPmdMapped"))
				pmd = kib * KIB;
		}
		break;
	}
	maps_close(&m);
	if (o->huge_size && rss > o->mapped)
		o->mapped = rss;
	if (!o->huge_size && pmd / (2 * MIB) > o->huge_pages)
		o->huge_pages = pmd / (2 * MIB);
}

static void
note_vma(int pid, const struct vma *v, int kinds)
{
	struct object *o = NULL;
	char where[64];
	int id;

	if (v->path[0] != '/')
		return;
	if (shm_vma(v, &id)) {
		o = object_find(SHM_SYSV, 0, (u64)id);
	} else if (kinds & SHM_MEMFD && !strncmp(v->path, "/memfd:", 7)) {
		o = object_find(SHM_MEMFD, v->minor, v->inode);
		fmt_str(where, sizeof(where), "map_files/%llx-%llx",
			(unsigned long long)v->start,
			(unsigned long long)v->end);
		if (!o)
			o = memfd_object(pid, where, v->path);
	} else if (kinds & SHM_POSIX && !strncmp(v->path, "/dev/shm/", 9)) {
		o = object_find(SHM_POSIX, v->minor, v->inode);
	}
	if (!o)
		return;
	holder_add(o, pid, 1);
	if (is_huge_asked(o, v->minor))
		load_huge(o, pid, v);
}

static void
ask_maps(int pid, int kinds)
{
	static char buf[2 * PATH_MAX];
	struct maps m;
	struct vma v;

	if (maps_open(&m, pid, "maps", buf, sizeof(buf)) < 0) {
		unread += errno != ENOENT && errno != ESRCH;
		return;
	}
	while (maps_next(&m, &v) > 0)
		note_vma(pid, &v, kinds);
	maps_close(&m);
}

/* A memfd may be open and nowhere mapped. */
static void
ask_fds(int pid)
{
	static struct dirs d;
	char path[64], target[300];
	struct object *o;
	const char *name;
	ssize_t n;

	fmt_str(path, sizeof(path), "/proc/%d/fd", pid);
	if (dirs_open(&d, root_open(path, O_RDONLY | O_DIRECTORY)) < 0)
		return;
	while ((name = dirs_next(&d))) {
		fmt_str(path, sizeof(path), "fd/%.20s", name);
		n = proc_link(pid, path, target, sizeof(target));
		if (n > 0 && !strncmp(target, "/memfd:", 7) &&
		    (o = memfd_object(pid, path, target)))
			holder_add(o, pid, 0);
	}
	dirs_close(&d);
}

static void
ask_shmem(void)
{
	static char buf[4096];
	u64 v = 0;

	if (root_slurp("/proc/meminfo", buf, sizeof(buf)) > 0)
		key_u64(buf, "ShmemHugePages", &v);
	shmem_huge = v > 0;
}

static int
ask_processes(int kinds)
{
	static struct pids ids;
	int pid;

	ask_shmem();
	if (pids_open(&ids) < 0)
		return warn("open %s/proc:", root_dir);
	while (pids_next(&ids, &pid) > 0) {
		ask_maps(pid, kinds);
		if (kinds & SHM_MEMFD)
			ask_fds(pid);
	}
	pids_close(&ids);
	return 0;
}

/* ---- rows ---- */

enum { C_KIND, C_KEY, C_ID, C_SIZE, C_RSS, C_SWAP, C_HUGE_SIZE, C_HUGE_PAGES,
	C_NATTCH, C_OWNER, C_MODE, C_STATUS, C_CREATOR, C_CPID, C_LPID,
	C_CTIME, C_ATIME, C_DTIME, C_NAME, C_ATTACHED };
static struct col cols[] = {
	[C_KIND] = { "kind", -5, COL_TEXT },
	[C_KEY] = { "key", -10, COL_TEXT },
	[C_ID] = { "id", 6, COL_COUNT, .label = 1 },
	[C_SIZE] = { "size", 10, COL_BYTES },
	[C_RSS] = { "rss", 10, COL_BYTES },
	[C_SWAP] = { "swap", 10, COL_BYTES },
	[C_HUGE_SIZE] = { "huge_size", 9, COL_BYTES },
	[C_HUGE_PAGES] = { "huge_pages", 10, COL_COUNT },
	[C_NATTCH] = { "nattch", 6, COL_COUNT },
	[C_OWNER] = { "owner", -8, COL_TEXT },
	[C_MODE] = { "mode", 4, COL_TEXT },
	[C_STATUS] = { "status", -6, COL_TEXT },
	[C_CREATOR] = { "creator", -8, COL_TEXT },
	[C_CPID] = { "cpid", 6, COL_COUNT, .hidden = 1 },
	[C_LPID] = { "lpid", 6, COL_COUNT, .hidden = 1 },
	[C_CTIME] = { "ctime", 20, COL_TEXT },
	[C_ATIME] = { "atime", 20, COL_TEXT, .hidden = 1 },
	[C_DTIME] = { "dtime", 20, COL_TEXT, .hidden = 1 },
	[C_NAME] = { "name", -24, COL_TEXT },
	[C_ATTACHED] = { "attached", 0, COL_TEXT },
};

static void
put_time(struct rows *r, s64 t)
{
	char buf[FMT_TIME_MAX];

	if (t)
		rows_text(r, fmt_time(buf, t));
	else
		rows_null(r);
}

static void
put_known(struct rows *r, u64 v, int known)
{
	if (known)
		rows_u64(r, v);
	else
		rows_null(r);
}

static void
pid_comm(int pid, char *comm, size_t size)
{
	ssize_t n = proc_slurp(pid, "comm", comm, size);

	if (n > 0 && comm[n - 1] == '\n')
		comm[n - 1] = 0;
}

/* "12 postgres, 13 postgres, +40"; in JSON an array of all. */
static void
put_attached(struct rows *r, const struct object *o)
{
	int json = r->format == ROWS_JSON || r->format == ROWS_NDJSON;
	char text[512], comm[COMM_MAX];
	u32 object = (u32)(o - objects), i, n = 0;
	int used = 0;

	text[0] = 0;
	if (json) {
		json_key(&r->json, "attached");
		json_array(&r->json);
	}
	for (i = 0; i < holder_count; i++) {
		if (holders[i].object != object)
			continue;
		pid_comm(holders[i].pid, comm, sizeof(comm));
		if (json) {
			json_object(&r->json);
			json_ku64(&r->json, "pid", (u64)holders[i].pid);
			json_kstr(&r->json, "comm", comm);
			json_kbool(&r->json, "mapped", holders[i].attached);
			json_close(&r->json);
		} else if (n < SHOWN) {
			used += fmt_str(text + used, sizeof(text) -
				(size_t)used, "%s%d %.32s%s", n ? ", " : "",
				holders[i].pid, comm,
				holders[i].attached ? "" : " (fd)");
		}
		n++;
	}
	if (json) {
		json_close(&r->json);
		r->at++;
		return;
	}
	if (n > SHOWN)
		fmt_str(text + used, sizeof(text) - (size_t)used, ", +%u",
			n - SHOWN);
	rows_text(r, text);
}

static u32
mapped_by(const struct object *o)
{
	u32 i, n = 0;

	for (i = 0; i < holder_count; i++)
		n += holders[i].object == (u32)(o - objects) &&
			holders[i].attached;
	return n;
}

static void
row(struct rows *r, const struct object *o)
{
	static const char *const kinds[] = { [SHM_SYSV] = "sysv",
		[SHM_POSIX] = "posix", [SHM_MEMFD] = "memfd" };
	int sysv = o->kind == SHM_SYSV;
	char text[32], user[USER_MAX];

	rows_text(r, kinds[o->kind]);
	fmt_str(text, sizeof(text), "0x%08x", o->seg.key);
	rows_text(r, sysv ? text : "");
	rows_u64(r, o->inode);
	rows_u64(r, o->size);
	put_known(r, o->rss, o->rss_known);
	put_known(r, o->swap, o->swap_known);
	put_known(r, o->huge_size, o->huge_size || o->huge_known);
	put_known(r, o->huge_pages, o->huge_known);
	rows_u64(r, sysv ? o->seg.nattch : mapped_by(o));
	rows_text(r, user_name(user, o->seg.uid));
	fmt_str(text, sizeof(text), "%u%u%u", o->seg.mode >> 6 & 7,
		o->seg.mode >> 3 & 7, o->seg.mode & 7);
	rows_text(r, text);
	rows_text(r, !sysv ? "" : o->seg.mode & 01000 ? "dest"
		: o->seg.mode & 02000 ? "locked" : "");
	rows_text(r, user_name(user, sysv ? o->seg.cuid : o->seg.uid));
	put_known(r, (u64)o->seg.cpid, sysv);
	put_known(r, (u64)o->seg.lpid, sysv);
	put_time(r, o->seg.ctime);
	put_time(r, o->seg.atime);
	put_time(r, o->seg.dtime);
	rows_text(r, o->name);
	put_attached(r, o);
	rows_end(r);
}

/* What could not be asked of an attached process. */
static void
settle(struct object *o)
{
	if (!o->huge_size) {	/* told by the mapping of who has it */
		if (o->kind == SHM_SYSV || shmem_huge)
			o->huge_known = mapped_by(o) > 0;
		if (o->huge_pages)
			o->huge_size = 2 * MIB;
		return;
	}
	if (o->kind != SHM_SYSV)
		return;
	if (o->mapped)	/* else nobody has touched it: the divided figure */
		o->rss = o->mapped;
	o->rss_known = o->huge_known = o->rss <= o->size;
	o->huge_pages = o->rss / o->huge_size;
}

int
shm_list(struct out *o, const struct shm_list *l)
{
	int posix = l->kinds & (SHM_POSIX | SHM_MEMFD);
	struct rows r;
	u32 i;

	if (tables_open() < 0)
		return warn("memory for the list:");
	if (load_sysv())
		return EXIT_FAILED;
	if (l->kinds & SHM_POSIX)
		load_posix();
	if (ask_processes(l->kinds))
		return EXIT_FAILED;
	cols[C_KIND].hidden = cols[C_NAME].hidden = !posix;
	rows_open(&r, o, l->format, cols, ARRAY_LEN(cols));
	r.bytes = l->bytes;
	r.prefix = "memstats_shm";
	if (l->format == ROWS_JSON) {
		json_object(&r.json);
		json_kbool(&r.json, "complete", !unread);
		json_ku64(&r.json, "skipped", unread);
		json_key(&r.json, "segments");
		json_array(&r.json);
	}
	for (i = 0; i < object_count; i++)
		settle(&objects[i]);
	while (rows_pass(&r))
		for (i = 0; i < object_count; i++)
			row(&r, &objects[i]);
	if (l->format == ROWS_JSON) {
		json_close(&r.json);
		json_close(&r.json);
	}
	if (unread)
		note("%s: %u process%s could not be asked what they have "
			"attached", applet_name, unread,
			unread == 1 ? "" : "es");
	return unread ? EXIT_PARTIAL : EXIT_DONE;
}
