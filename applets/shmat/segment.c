/* segment.c - finding, attaching and reading a segment without changing it. */
#include <sys/mman.h>
#include <sys/shm.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/uio.h>

#include "shmat.h"

int
segment_find(const char *word, struct shm_segment *seg)
{
	struct shms list;
	int by_key = word[0] == '0' && (word[1] | 0x20) == 'x', r;
	u64 n;

	if (parse_u64(word, &n) < 0 || n > UINT32_MAX)
		return warn("%s: neither an id nor a key like 0x1234", word);
	if (shms_open(&list) < 0)
		return warn("open /proc/sysvipc/shm (no CONFIG_SYSVIPC?):");
	while ((r = shms_next(&list, seg)) > 0)
		if (by_key ? seg->key == n : (u64)seg->id == n)
			break;
	shms_close(&list);
	if (r < 0)
		return warn("read /proc/sysvipc/shm:");
	if (!r)
		return warn("%s: there is no segment of this %s", word,
			by_key ? "key" : "id");
	return 0;
}

u64
segment_pages(const struct shm_segment *seg)
{
	return (seg->size + page_size - 1) / page_size;
}

/* musl's shmat passes these on; on failure the kernel's error is all there
 * is, never an address. */
char *
segment_attach(const struct shm_segment *seg, int flags)
{
	void *p = shmat(seg->id, NULL, flags);

	if (p != (void *)-1)
		return p;
	if (errno == EINVAL || errno == EIDRM)
		warn("segment %d: it was removed meanwhile", seg->id);
	else if (errno == EACCES)
		warn("segment %d: its mode forbids this (mode %u%u%u, owner "
			"%u; CAP_IPC_OWNER can)", seg->id, seg->mode >> 6 & 7,
			seg->mode >> 3 & 7, seg->mode & 7, seg->uid);
	else
		warn("segment %d: attach:", seg->id);
	return NULL;
}

/* The file behind a mapping of our own. */
static int
open_mapping(const char *map, u64 size)
{
	struct maps m;
	struct vma v;
	static char buf[2 * PATH_MAX];
	char path[64];
	int fd = -1;

	(void)size;
	if (maps_open(&m, getpid(), "maps", buf, sizeof(buf)) < 0)
		return -1;
	while (maps_next(&m, &v) > 0)
		if (v.start == (u64)(uintptr_t)map) {
			fmt_str(path, sizeof(path), "map_files/%lx-%lx",
				(unsigned long)v.start, (unsigned long)v.end);
			fd = proc_open(getpid(), path, O_RDONLY);
			break;
		}
	maps_close(&m);
	return fd;
}

int
segment_open(struct segment_file *f, const char *word)
{
	struct stat st;

	root_refuse("reading a segment");
	f->fd = -1;
	f->map = NULL;
	if (segment_find(word, &f->seg))
		return EXIT_FAILED;
	f->map = segment_attach(&f->seg, SHM_RDONLY);
	if (!f->map)
		return EXIT_FAILED;
	f->fd = open_mapping(f->map, f->seg.size);
	f->huge = f->fd >= 0 && !fstat(f->fd, &st) &&
		minor(st.st_dev) != shmem_minor();
	return 0;
}

void
segment_close(struct segment_file *f)
{
	if (f->fd >= 0)
		close(f->fd);
	if (f->map)
		shmdt(f->map);
}

/* Without the file (no CAP_SYS_ADMIN): mincore tells what is in the page
 * cache, but not what is in swap. */
static int
resident_run(struct segment_file *f, u64 offset, u64 *start, u64 *end)
{
	unsigned char there[512];
	u64 pages = segment_pages(&f->seg), at = offset / page_size, i, n;
	int found = 0;

	for (; at < pages; at += n) {
		n = pages - at < sizeof(there) ? pages - at : sizeof(there);
		if (mincore(f->map + at * page_size, n * page_size, there))
			return 0;
		for (i = 0; i < n; i++) {
			if (!found && there[i] & 1) {
				found = 1;
				*start = (at + i) * page_size;
			} else if (found && !(there[i] & 1)) {
				*end = (at + i) * page_size;
				return 1;
			}
		}
	}
	*end = pages * page_size;
	return found;
}

int
segment_data(struct segment_file *f, u64 offset, u64 *start, u64 *end)
{
	off_t data, hole;
	int found;

	if (offset >= f->seg.size)
		return 0;
	if (f->fd < 0) {
		found = opts.populate || f->huge;
		if (found) {
			*start = offset;
			*end = f->seg.size;
		} else {
			found = resident_run(f, offset, start, end);
		}
	} else {
		data = lseek(f->fd, (off_t)offset, SEEK_DATA);
		hole = data < 0 ? -1 : lseek(f->fd, data, SEEK_HOLE);
		found = data >= 0;
		*start = (u64)data;
		*end = hole < 0 ? f->seg.size : (u64)hole;
	}
	if (!found || *start >= f->seg.size)
		return 0;
	if (*start < offset)
		*start = offset;
	if (*end > f->seg.size)
		*end = f->seg.size;
	return 1;
}

/* Through the file, or by a copy that the kernel makes: a page that is broken
 * is then an error, and no signal. */
static ssize_t
read_mapping(char *from_at, char *buf, size_t n)
{
	struct iovec to = { buf, n }, from = { from_at, n };

	return process_vm_readv(getpid(), &to, 1, &from, 1, 0);
}

static ssize_t
read_some(struct segment_file *f, u64 offset, char *buf, size_t n)
{
	if (f->fd >= 0)
		return pread(f->fd, buf, n, (off_t)offset);
	return read_mapping(f->map + offset, buf, n);
}

void
segment_map(const struct shm_segment *seg, char *map, u64 page, u64 n)
{
	unsigned char there[SEGMENT_BATCH];
	u64 end = segment_pages(seg), i;
	char byte;

	if (n > SEGMENT_BATCH)
		n = SEGMENT_BATCH;
	if (n > end - page)
		n = end - page;
	if (mincore(map + page * page_size, n * page_size, there))
		return;
	for (i = 0; i < n; i++)
		if (there[i] & 1 || opts.populate)
			read_mapping(map + (page + i) * page_size, &byte, 1);
}

u64
segment_read(struct segment_file *f, u64 offset, char *buf, size_t n)
{
	u64 lost = 0;

	while (n) {
		ssize_t r = read_some(f, offset, buf, n);
		u64 step = page_size - offset % page_size;

		if (r < 0 && errno == EINTR)
			continue;
		if (r <= 0) {
			r = (ssize_t)(step < n ? step : n);
			memset(buf, 0, (size_t)r);
			lost += (u64)r;
		}
		offset += (u64)r;
		buf += r;
		n -= (size_t)r;
	}
	return lost;
}
