/* sort.c - in place and without recursion: libc's qsort needs neither, but has
 * no argument for the order. */
#include "../base.h"

typedef int order_fn(const void *a, const void *b, const void *arg);

static void
swap_items(char *a, char *b, size_t size)
{
	while (size--) {
		char t = *a;
		*a++ = *b;
		*b++ = t;
	}
}

static void
sift(char *v, size_t root, size_t n, size_t size, order_fn *order,
	const void *arg)
{
	size_t child;

	while ((child = 2 * root + 1) < n) {
		if (child + 1 < n && order(v + child * size,
				v + (child + 1) * size, arg) < 0)
			child++;
		if (order(v + root * size, v + child * size, arg) >= 0)
			return;
		swap_items(v + root * size, v + child * size, size);
		root = child;
	}
}

void
sort_items(void *items, size_t count, size_t size, order_fn *order,
	const void *arg)
{
	char *v = items;
	size_t i;

	for (i = count / 2; i-- > 0;)
		sift(v, i, count, size, order, arg);
	for (i = count; i-- > 1;) {
		swap_items(v, v + i * size, size);
		sift(v, 0, i, size, order, arg);
	}
}
