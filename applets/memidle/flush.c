/* flush.c - /proc/PID/clear_refs (fs/proc/task_mmu.c). Writing 4 flushes the
 * process's TLB entries, also when the kernel has no soft-dirty: without it a
 * translation that stays cached is used and leaves no trace. */
#include <sys/mman.h>

#include "memidle.h"

/* A page just written has the bit wherever the kernel knows it. */
int
soft_dirty_works(void)
{
	static int works = -1;
	volatile char *page;
	u64 entry = 0;
	int fd;

	if (works >= 0)
		return works;
	works = 0;
	page = mmap(NULL, page_size, PROT_READ | PROT_WRITE,
		MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (page == MAP_FAILED)
		return 0;
	*page = 1;
	fd = open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC);
	if (fd >= 0) {
		pagemap_read(fd, (u64)(uintptr_t)page >> page_shift, &entry,
			1);
		close(fd);
	}
	munmap((void *)page, page_size);
	works = entry & PM_PRESENT && entry & PM_SOFT_DIRTY;
	return works;
}

int
clear_refs(int pid, int what)
{
	char digit = (char)('0' + what);
	int fd = proc_open(pid, "clear_refs", O_WRONLY), r, error;

	if (fd < 0)
		return -1;
	r = full_write(fd, &digit, 1);
	error = errno;
	close(fd);
	errno = error;
	return r;
}

int
flush_wanted(void)
{
	return idle.flush < 0 ? !soft_dirty_works() : idle.flush;
}

static void
flush_all(void)
{
	struct pids p;
	int pid;

	if (pids_open(&p) < 0)
		return;
	while (pids_next(&p, &pid) > 0)
		clear_refs(pid, 4);
	pids_close(&p);
}

void
flush_targets(void)
{
	unsigned i;

	if (!flush_wanted())
		return;
	if (idle.kind == TARGET_SYSTEM)
		flush_all();
	for (i = 0; i < watched_count; i++)
		if (!watched[i].gone)
			clear_refs(watched[i].pid, 4);
}
