/* emit.c - what a backend or a trace gives goes to every report that is on. */
#include "memidle.h"

struct mapping *regions;
unsigned region_count;
int emit_runs, emit_written;

static struct arena arena;
static char *names;
static size_t names_used;
static int cut;

const char *const taint_names[TAINT_BITS] = {
	"lru_gen", "damon", "numa_balancing", "clear_refs?", "exec",
	"stopped", "limit", "cut", "ended", "thp_collapse",
};

void
emit_open(void)
{
	if (arena_open(&arena, REGIONS_MAX * sizeof(*regions) + NAMES_MAX) < 0)
		die("memory for the table of VMAs:");
	regions = (void *)arena.base;
	names = (char *)(regions + REGIONS_MAX);
	emit_runs = idle.trace || idle.ages || idle.reuse || idle.heat ||
		idle.png;
}

static int
wants_history(void)
{
	return CFG_MEMIDLE_HISTORY && (idle.ages || idle.reuse);
}

static int
wants_heat(void)
{
	return CFG_MEMIDLE_HEAT && (idle.heat || idle.png);
}

static int
wants_trace(void)
{
	return CFG_MEMIDLE_TRACE && idle.trace;
}

void
emit_begin(struct sample *s)
{
	region_count = 0;
	names_used = 0;
	cut = 0;
	if (wants_trace())
		mit_begin(s);
	if (wants_history())
		history_begin(s->time);
	if (wants_heat())
		heat_begin(s->time);
}

struct mapping *
emit_region(const struct mapping *given)
{
	struct mapping *r = &regions[region_count];

	if (region_count == REGIONS_MAX ||
	    given->name_len > NAMES_MAX - names_used) {
		cut = 1;
		return NULL;
	}
	region_count++;
	*r = *given;
	r->name = memcpy(names + names_used, given->name, given->name_len);
	names_used += given->name_len;
	if (wants_trace())
		mit_region(r);
	if (wants_history())
		history_region(r);
	if (wants_heat())
		heat_region(r);
	return r;
}

void
emit_run(u64 vpn, u64 count, enum page_state state)
{
	if (wants_trace())
		mit_run(vpn, count, state);
	if (wants_history())
		history_run(vpn, count, state);
	if (wants_heat())
		heat_run(vpn, count, state);
}

/* ---- pages become runs ---- */

static u64 run_start, run_count;
static enum page_state run_state;

static void
run_flush(void)
{
	if (run_count)
		emit_run(run_start, run_count, run_state);
	run_count = 0;
}

void
emit_pages(struct mapping *r, u64 vpn, u64 n, enum page_state state)
{
	counts_page(&r->n, state, n);
	if (!emit_runs)
		return;
	if (state != run_state || vpn != run_start + run_count)
		run_flush();
	if (!run_count) {
		run_start = vpn;
		run_state = state;
	}
	run_count += n;
}

void
emit_region_end(struct mapping *r)
{
	run_flush();
	if (wants_trace())
		mit_region_end(r);
	if (wants_heat())
		heat_region_end(r);
}

void
emit_end(struct sample *s)
{
	if (cut)
		s->taint |= TAINT_LIMIT;
	if (wants_trace())
		mit_end(s);
	if (wants_history())
		history_end();
	if (wants_heat())
		heat_end();
	idle_report_sample(s);
}

void
counts_add(struct counts *to, const struct counts *from)
{
	to->present += from->present;
	to->active += from->active;
	to->idle += from->idle;
	to->untracked += from->untracked;
	to->unknown += from->unknown;
	to->swap += from->swap;
	to->written += from->written;
}

void
counts_page(struct counts *n, enum page_state state, u64 pages)
{
	n->present += state == PAGE_SWAP ? 0 : pages;
	switch (state) {
	case PAGE_WRITTEN:
		n->written += pages;
		/* fall through */
	case PAGE_ACTIVE:
		n->active += pages;
		break;
	case PAGE_IDLE:
		n->idle += pages;
		break;
	case PAGE_UNTRACKED:
		n->untracked += pages;
		break;
	case PAGE_UNKNOWN:
		n->unknown += pages;
		break;
	default:
		n->swap += pages;
	}
}
