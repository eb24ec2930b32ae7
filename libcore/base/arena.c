/* arena.c - memory that grows with the machine is one mapping, and its size is
 * known before the work starts. */
#include <sys/mman.h>

#include "../base.h"

int
arena_open(struct arena *a, size_t size)
{
	void *p = mmap(NULL, size, PROT_READ | PROT_WRITE,
		MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	*a = (struct arena){ 0 };
	if (p == MAP_FAILED)
		return -1;
	a->base = p;
	a->size = size;
	return 0;
}

void *
arena_take(struct arena *a, size_t n)
{
	void *p = a->base + a->used;

	n = (n + 15) & ~(size_t)15;
	if (n > a->size - a->used) {
		errno = ENOMEM;
		return NULL;
	}
	a->used += n;
	return p;
}

void
arena_close(struct arena *a)
{
	if (a->base)
		munmap(a->base, a->size);
	*a = (struct arena){ 0 };
}
