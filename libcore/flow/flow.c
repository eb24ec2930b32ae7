/* flow.c - what stages have in common. */
#include "../flow.h"

int
flow_zero_by_put(struct flow *f, u64 n)
{
	static u8 zeros[16384];	/* never written: .bss */

	while (n) {
		size_t part = n < sizeof(zeros) ? (size_t)n : sizeof(zeros);

		if (flow_put(f, zeros, part) < 0)
			return -1;
		n -= part;
	}
	return 0;
}
