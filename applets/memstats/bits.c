/* bits.c - two bits a page. */
#include "memstats.h"
#include "scan.h"

void
bits_entries(const u64 *entries, size_t n, const struct part *part, u32 me)
{
	(void)entries; (void)n; (void)part; (void)me;
}

u64
bits_cost(u64 limit)
{
	return limit / 4;
}
