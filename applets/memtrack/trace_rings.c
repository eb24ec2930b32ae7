/* trace_rings.c - the instance's rings, merged by time.
 *
 * Each CPU has one sub-buffer here at a time; the rings themselves hold what
 * was not read yet. In a pass, the CPU with the oldest event goes first. A CPU
 * that had no more events when it was read cannot come up with one older than
 * the pass's beginning, so what is older than that (less a margin for clocks
 * that differ) is applied, and the rest waits for the next pass: the order is
 * right and nothing is sorted or stored.
 */
#include <poll.h>

#include "memtrack.h"
#include "trace.h"

enum { CPUS_MAX = 2048, HORIZON_MARGIN = 1000000 };

static struct cpu {
	int fd;
	u8 ready;		/* event is valid */
	u32 number;
	u8 *page;
	struct ring ring;
	struct ring_event event;
	struct decoder decoder;
} cpus[CPUS_MAX];
static unsigned cpu_count;
static u16 heap[CPUS_MAX];	/* of the CPUs that have an event, by time */
static unsigned heap_used;
static struct pollfd polls[CPUS_MAX];
static u64 cpu_spent;
static struct ring_layout layout;
static char text[4096];

static void
add_cpu(void *arg, unsigned number)
{
	char path[64];
	int fd;

	(void)arg;
	if (cpu_count == CPUS_MAX)
		return;
	fmt_str(path, sizeof(path), "per_cpu/cpu%u/trace_pipe_raw", number);
	fd = openat(instance.dir, path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	if (fd < 0)
		return;		/* a CPU that never was: no ring */
	memset(&cpus[cpu_count], 0, sizeof(cpus[0]));
	cpus[cpu_count].fd = fd;
	cpus[cpu_count].number = number;
	polls[cpu_count].fd = fd;
	polls[cpu_count].events = POLLIN;
	cpu_count++;
}

/* CPUs that may come online later have their directories from the start. */
void
rings_open(void)
{
	static struct arena pages;
	unsigned i;

	if (at_slurp(instance.tracefs, "events/header_page", text,
			sizeof(text)) <= 0 ||
	    ring_layout(text, &layout) < 0)
		trace_give_up("cannot read the rings' layout:",
			"events/header_page");
	cpu_count = heap_used = 0;
	if (tracefs_cpus(instance.dir, add_cpu, NULL) < 0 || !cpu_count)
		trace_give_up("open", "per_cpu/cpu*/trace_pipe_raw");
	if (arena_open(&pages, cpu_count * (size_t)layout.size) < 0)
		trace_give_up("no memory for", "sub-buffers");
	for (i = 0; i < cpu_count; i++)
		cpus[i].page = arena_take(&pages, layout.size);
}

void
rings_close(void)
{
	while (cpu_count)
		close(cpus[--cpu_count].fd);
}

/* ---- merge ---- */

/* The next sub-buffer of the ring; 0 when there is none now. */
static int
read_page(struct cpu *c)
{
	ssize_t n = read(c->fd, c->page, layout.size);

	if (n <= 0)
		return 0;
	if (ring_open(&c->ring, &layout, c->page, (size_t)n) < 0)
		counts.torn++;
	if (c->ring.missed) {
		counts.lost_pages++;
		decode_flush(&c->decoder);
	}
	return 1;
}

static int
next_event(struct cpu *c)
{
	int r;

	do {
		r = ring_next(&c->ring, &c->event);
		if (r < 0)
			counts.torn++;
	} while (r <= 0 && read_page(c));
	c->ready = r > 0;
	return c->ready;
}

static u64
heap_ts(unsigned i)
{
	return cpus[heap[i]].event.ts;
}

static void
heap_sift(unsigned i)
{
	unsigned child;

	for (; (child = 2 * i + 1) < heap_used; i = child) {
		u16 t = heap[i];
		if (child + 1 < heap_used &&
		    heap_ts(child + 1) < heap_ts(child))
			child++;
		if (heap_ts(i) <= heap_ts(child))
			return;
		heap[i] = heap[child];
		heap[child] = t;
	}
}

static void
heap_fill(void)
{
	unsigned i;

	heap_used = 0;
	for (i = 0; i < cpu_count; i++)
		if (cpus[i].ready || next_event(&cpus[i]))
			heap[heap_used++] = (u16)i;
	for (i = heap_used / 2; i-- > 0;)
		heap_sift(i);
}

u64
trace_cpu_ns(void)
{
	return cpu_spent;
}

/* Applies what is not younger than horizon, in the order of time. */
static void
merge(u64 horizon)
{
	u64 begin = cpu_ns();

	heap_fill();
	while (heap_used && heap_ts(0) <= horizon) {
		struct cpu *c = &cpus[heap[0]];
		decode_record(&c->decoder, &c->event);
		if (!next_event(c))
			heap[0] = heap[--heap_used];
		heap_sift(0);
	}
	cpu_spent += cpu_ns() - begin;
}

/* "now ts: 12345.678901" (or a bare number, for clocks that count). */
static u64
ring_clock(void)
{
	char path[64], *line;
	const char *p;
	u64 whole, part = 0;

	fmt_str(path, sizeof(path), "per_cpu/cpu%u/stats", cpus[0].number);
	if (at_slurp(instance.dir, path, text, sizeof(text)) <= 0 ||
	    !(line = strstr(text, "now ts:")))
		return 0;
	p = line + 7;
	if (scan_u64(&p, &whole) < 0)
		return 0;
	if (*p != '.')
		return whole;
	p++;
	scan_u64(&p, &part);
	return whole * 1000000000 + part * 1000;
}

void
trace_poll(int ms)
{
	u64 now;
	unsigned i;

	if (!cpu_count)
		return;
	/* A CPU that has no ring yet says so without waiting. */
	if (poll(polls, cpu_count, ms) > 0)
		for (i = 0; i < cpu_count; i++)
			if (polls[i].revents & (POLLERR | POLLNVAL))
				polls[i].fd = -1;
	now = instance.own_clock ? now_ns() : ring_clock();
	if (now > HORIZON_MARGIN)
		merge(now - HORIZON_MARGIN);
}

void
trace_count_lost(void)
{
	char path[64];
	u64 v;
	unsigned i;

	counts.lost = 0;
	for (i = 0; i < cpu_count; i++) {
		fmt_str(path, sizeof(path), "per_cpu/cpu%u/stats",
			cpus[i].number);
		if (at_slurp(instance.dir, path, text, sizeof(text)) <= 0)
			continue;
		if (!key_u64(text, "overrun", &v))
			counts.lost += v;
		if (!key_u64(text, "dropped events", &v))
			counts.lost += v;
	}
}

void
trace_stop(void)
{
	unsigned i;

	at_write(instance.dir, "tracing_on", "0");
	merge(~0ull);
	for (i = 0; i < cpu_count; i++)
		decode_flush(&cpus[i].decoder);
	trace_count_lost();
}
