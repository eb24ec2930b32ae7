/* memmaps-victim - a process whose regions are known
 *
 * usage: memmaps-victim            makes them, prints NAME START END a line,
 *                                  "ready", and waits
 *        memmaps-victim as UID COMMAND...   runs a command as another user */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ipc.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/shm.h>
#include <sys/syscall.h>
#include <unistd.h>

#define MB (1ul << 20)
#ifndef PR_SET_VMA
#define PR_SET_VMA 0x53564d41
#endif
#ifndef MADV_PAGEOUT
#define MADV_PAGEOUT 21
#endif

static char *
region(const char *name, char *p, size_t size)
{
	if (p == MAP_FAILED || p == (char *)-1) {
		perror(name);
		exit(1);
	}
	printf("%s %lx %lx\n", name, (unsigned long)p,
		(unsigned long)p + size);
	return p;
}

/* With a page of another kind on both sides, so that the kernel joins it with
 * no neighbour. */
static char *
map(const char *name, size_t size, int prot, int flags)
{
	const int fixed = MAP_SHARED | MAP_ANONYMOUS | MAP_FIXED;
	char *p = mmap(NULL, size + 8192, prot, flags | MAP_ANONYMOUS, -1, 0);

	mmap(p, 4096, PROT_READ, fixed, -1, 0);
	mmap(p + 4096 + size, 4096, PROT_READ, fixed, -1, 0);
	return region(name, p + 4096, size);
}

static void
make_files(void)
{
	int fd = syscall(SYS_memfd_create, "victim", 0);
	char *p;

	ftruncate(fd, MB);
	p = region("memfd", mmap(NULL, MB, 3, MAP_SHARED, fd, 0), MB);
	memset(p, 1, MB);
	p = region("shm", shmat(shmget(IPC_PRIVATE, MB, 0600), NULL, 0), MB);
	memset(p, 1, MB / 2);
	fd = open("/tmp/a \"name\"\nof\x1b[31m\xff", O_RDWR | O_CREAT, 0600);
	ftruncate(fd, 8192);
	p = region("hostile", mmap(NULL, 8192, 3, MAP_SHARED, fd, 0), 8192);
	*p = 1;
	fd = open("/tmp/gone.so", O_RDWR | O_CREAT, 0600);
	ftruncate(fd, 4096);
	region("deleted", mmap(NULL, 4096, 1, MAP_PRIVATE, fd, 0), 4096);
	unlink("/tmp/gone.so");
}

static void
make_huge(void)
{
	char *p = mmap(NULL, 6 * MB, 3, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	char *q = (char *)(((unsigned long)p + 2 * MB - 1) & ~(2 * MB - 1));

	madvise(q, 4 * MB, MADV_HUGEPAGE);
	memset(q, 1, 4 * MB);
	region("thp", q, 4 * MB);
	p = mmap(NULL, 2 * MB, 3, MAP_PRIVATE | MAP_ANONYMOUS | MAP_HUGETLB,
		-1, 0);
	if (p != MAP_FAILED) {
		*p = 1;
		region("hugetlb", p, 2 * MB);
	}
}

static void
make_anonymous(void)
{
	char *p;

	p = map("known", 8 * MB, 3, MAP_PRIVATE);
	madvise(p, 8 * MB, MADV_NOHUGEPAGE);
	memset(p, 'k', 8 * MB);
	p = map("swapped", 4 * MB, 3, MAP_PRIVATE);
	madvise(p, 4 * MB, MADV_NOHUGEPAGE);
	for (size_t i = 0; i < 4 * MB; i++)
		p[i] = (char)(i * 2654435761u >> 24);
	madvise(p, 4 * MB, MADV_PAGEOUT);
	p = map("sparse", 4096 * MB, 3, MAP_PRIVATE | MAP_NORESERVE);
	madvise(p, 4096 * MB, MADV_NOHUGEPAGE);
	p[0] = p[1024 * MB] = p[4096 * MB - 1] = 1;
	p = map("named", MB, 3, MAP_PRIVATE);
	prctl(PR_SET_VMA, 0, p, MB, "a name");
	map("jit", 65536, 7, MAP_PRIVATE);
	p = map("guard", 4096 + MB, 0, MAP_PRIVATE);
	mprotect(p + 4096, MB, 3);
	region("stack", p + 4096, MB);
	p[4096 + MB - 1] = 1;
	p = region("shared", mmap(NULL, MB, 3, MAP_SHARED | MAP_ANONYMOUS,
		-1, 0), MB);
	*p = 1;
}

int
main(int argc, char **argv)
{
	if (argc > 3 && !strcmp(argv[1], "as")) {
		if (setgid(atoi(argv[2])) || setuid(atoi(argv[2])))
			return 1;
		execvp(argv[3], argv + 3);
		return 127;
	}
	prctl(PR_SET_NAME, "vic\xfftim)");
	make_anonymous();
	make_files();
	make_huge();
	/* musl's malloc and sbrk leave the heap alone */
	syscall(SYS_brk, syscall(SYS_brk, 0) + 65536);
	((char *)syscall(SYS_brk, 0))[-1] = 1;
	puts("ready");
	fflush(stdout);
	for (;;)
		pause();
}
