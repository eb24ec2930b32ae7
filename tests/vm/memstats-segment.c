/* memstats-segment SIZE [huge] - makes a System V segment, prints its id. */
#define _GNU_SOURCE
#include <stdio.h>
#include <stdlib.h>
#include <sys/shm.h>

int
main(int argc, char **argv)
{
	int id = shmget(IPC_PRIVATE, (size_t)atol(argv[1]), 0600 | IPC_CREAT |
		(argc > 2 ? SHM_HUGETLB : 0));

	printf("%d\n", id);
	return id < 0;
}
