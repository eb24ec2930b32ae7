/* shmem.c - memory that is kept as files: tmpfs, memfd, segments. */
#include <sys/syscall.h>
#include <sys/sysmacros.h>

#include "../kern.h"

#define CACHESTAT_NR 451	/* all architectures, Linux 6.5 */

u32
shmem_minor(void)
{
	static int known = -1;
	struct stat st;
	int fd;

	if (known >= 0)
		return (u32)known;
	known = 1;
	if (*root_dir)
		return (u32)known;
	fd = (int)syscall(SYS_memfd_create, "membox", 1 /* MFD_CLOEXEC */);
	if (fd < 0)
		return (u32)known;
	if (!fstat(fd, &st))
		known = (int)minor(st.st_dev);
	close(fd);
	return (u32)known;
}

int
file_cached(int fd, u64 *cached, u64 *evicted)
{
	const struct {
		u64 offset, length;	/* length 0: to the end */
	} range = { 0, 0 };
	struct {
		u64 cache, dirty, writeback, evicted, recently_evicted;
	} st = { 0 };

	if (syscall(CACHESTAT_NR, fd, &range, &st, 0))
		return -1;
	*cached = st.cache;
	*evicted = st.evicted;
	return 0;
}
