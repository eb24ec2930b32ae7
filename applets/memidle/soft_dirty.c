/* soft_dirty.c - what was written, page by page: 4 to clear_refs, later bit 55
 * of pagemap. It needs no privilege on one's own processes. */
#include "memidle.h"

static void
set(void)
{
	unsigned i;

	for (i = 0; i < watched_count; i++)
		if (!watched[i].gone && clear_refs(watched[i].pid, 4) < 0)
			watched[i].denied = errno == EACCES || errno == EPERM;
}

static enum page_state
state(u64 vpn, u64 e, u64 *n)
{
	(void)vpn;
	(void)n;
	if (!(e & PM_PRESENT))
		return PAGE_SWAP;
	return e & PM_SOFT_DIRTY ? PAGE_WRITTEN : PAGE_IDLE;
}

static void
read_sample(struct sample *s)
{
	read_processes(s, state, NULL);
}

static void
open_backend(void)
{
	emit_written = 1;
}

static u64
memory(void)
{
	return 0;
}

const struct backend_ops soft_dirty_ops = {
	"soft_dirty", open_backend, set, read_sample, memory,
};
