/* t-memtrack - rings as kernels wrote them, torn and mutated; pairing of
 * stacks; accounting; page_owner's text. */
#include "unit.h"

#include "applets/memtrack/memtrack.h"

#define FILES "tests/unit/memtrack/"
enum { PAGE = 4096, PAGES_MAX = 8 };

static u8 pages[PAGES_MAX * PAGE];
static char text[65536];

static size_t
file(const char *dir, const char *name, void *buf, size_t size)
{
	char path[256];
	int fd;
	ssize_t n;

	snprintf(path, sizeof(path), FILES "%s/%s", dir, name);
	fd = open(path, O_RDONLY);
	if (fd < 0) {
		perror(path);
		exit(1);
	}
	n = fd_slurp(fd, buf, size);
	close(fd);
	return (size_t)n;
}

/* ---- captured pages ---- */

static struct ring_layout layout;
static struct trace_field alloc_f[2], free_f[2], stack_f[2];
static int alloc_id, free_id, stack_id;

/* The part of "formats" below "== name"; cut out in place. */
static const char *
section(const char *name)
{
	static char part[4096];
	const char *s = strstr(text, name), *end;

	s = strchr(s, '\n') + 1;
	end = strstr(s, "\n== ");
	snprintf(part, sizeof(part), "%.*s",
		(int)(end ? end - s + 1 : (long)strlen(s)), s);
	return part;
}

static void
read_formats(const char *kernel)
{
	static const char *const page_names[] = { "pfn", "order" };
	static const char *const stack_names[] = { "size", "caller" };
	const struct event_type *t;
	const char *field;

	file(kernel, "formats", text, sizeof(text));
	ok(!ring_layout(section("== header_page"), &layout) &&
		layout.size == PAGE && layout.data == 16,
		"%s: layout of a sub-buffer", kernel);
	alloc_id = trace_format(section("== kmem/mm_page_alloc"), page_names,
		alloc_f, 2);
	free_id = trace_format(section("== kmem/mm_page_free"), page_names,
		free_f, 2);
	stack_id = trace_format(section("== ftrace/kernel_stack"), stack_names,
		stack_f, 2);
	ok(alloc_id > 0 && free_id > 0 && stack_id == 4, "%s: event ids",
		kernel);
	decode_reset();
	for (t = event_types; t->path; t++) {
		char head[64];
		snprintf(head, sizeof(head), "== %s/", t->path);
		if (t->needed)
			ok(!decode_format(t, section(head), &field),
				"%s: %s", kernel, t->path);
	}
}

/* The event as the kernel's text has it. */
static void
say(const struct ring_event *e, char *line, size_t size)
{
	u16 type;

	memcpy(&type, e->data, 2);
	if (type == alloc_id)
		snprintf(line, size, "alloc 0x%lx %lu\n",
			trace_value(&alloc_f[0], e->data, e->size),
			trace_value(&alloc_f[1], e->data, e->size));
	else if (type == free_id)
		snprintf(line, size, "free 0x%lx %lu\n",
			trace_value(&free_f[0], e->data, e->size),
			trace_value(&free_f[1], e->data, e->size));
	else if (type == stack_id)
		snprintf(line, size, "stack %lu\n",
			trace_value(&stack_f[0], e->data, e->size));
	else
		snprintf(line, size, "unknown %d\n", type);
}

static void
test_captured(const char *kernel)
{
	static char got[65536], want[65536];
	size_t size = file(kernel, "pages", pages, sizeof(pages)), at, used = 0;
	struct ring r;
	struct ring_event e;
	u64 last = 0;
	int missed = 0, ordered = 1, bad = 0, n;

	read_formats(kernel);
	for (at = 0; at + PAGE <= size; at += PAGE) {
		if (ring_open(&r, &layout, pages + at, PAGE) < 0) {
			bad++;
			continue;
		}
		missed += r.missed;
		while ((n = ring_next(&r, &e)) > 0) {
			ordered &= e.ts >= last;
			last = e.ts;
			say(&e, got + used, sizeof(got) - used);
			used += strlen(got + used);
		}
		bad += n < 0;
	}
	file(kernel, "text", want, sizeof(want));
	ok(at > PAGE && !bad, "%s: %zu pages are whole", kernel, at / PAGE);
	ok(ordered, "%s: times ascend", kernel);
	ok(missed == 1, "%s: the first page tells of lost records", kernel);
	ok(!strcmp(got, want), "%s: events as the kernel's text has them",
		kernel);
}

/* ---- pages made here ---- */

static u32 made;

static void
page_begin(u64 ts)
{
	memset(pages, 0, PAGE);
	memcpy(pages, &ts, 8);
	made = 0;
}

static void
put32(u32 v)
{
	memcpy(pages + 16 + made, &v, 4);
	made += 4;
}

static void
page_end(u32 flags)
{
	u64 commit = made | flags;

	memcpy(pages + 8, &commit, 8);
}

static void
put_record(u32 delta, const void *data, u32 n)
{
	put32(delta << 5 | n / 4);
	memcpy(pages + 16 + made, data, n);
	made += n;
}

static void
test_events(void)
{
	struct ring r;
	struct ring_event e;
	u32 data[3] = { 11, 12, 13 };
	u64 lost = 77;

	page_begin(1000);
	put_record(5, data, 4);
	put32(7 << 5 | 30);		/* time extend: 7 + (2 << 27) */
	put32(2);
	put_record(1, data + 1, 4);
	put32(3 << 5 | 29);		/* a discarded event of 12 bytes */
	put32(12);
	put32(0xdeadbeef);
	put32(0xdeadbeef);
	put32(9 << 5 | 31);		/* absolute: 9 + (1 << 27) */
	put32(1);
	put32(4 << 5);			/* length in a word of its own */
	put32(4 + 8);
	put32(data[2]);
	put32(99);
	put32(29);			/* the rest is empty */
	page_end(1u << 31 | 1u << 30);
	memcpy(pages + 16 + made, &lost, 8);
	ok(!ring_open(&r, &layout, pages, PAGE) && r.missed && r.lost == 77,
		"lost records and their count");
	ok(ring_next(&r, &e) == 1 && e.ts == 1005 && e.size == 4 &&
		*(u32 *)e.data == 11, "short event");
	ok(ring_next(&r, &e) == 1 && e.ts == 1005 + 7 + (2ull << 27) + 1 &&
		*(u32 *)e.data == 12, "time extend");
	ok(ring_next(&r, &e) == 1 && e.ts == 9 + (1ull << 27) + 4 &&
		e.size == 8 && *(u32 *)e.data == 13,
		"discarded event, absolute stamp, long event");
	ok(!ring_next(&r, &e), "padding ends the page");
	ok(ring_open(&r, &layout, pages, 10) < 0, "no header");
	ok(ring_open(&r, &layout, pages, 40) < 0, "cut page");
	page_begin(0);
	put32(28);			/* 112 bytes that are not there */
	page_end(0);
	ok(!ring_open(&r, &layout, pages, PAGE) && ring_next(&r, &e) < 0 &&
		!ring_next(&r, &e), "torn event");
}

static void
test_mutated(const char *kernel)
{
	size_t size = file(kernel, "pages", pages, sizeof(pages));
	static u8 page[PAGE];
	static struct decoder d;
	struct ring r;
	struct ring_event e;
	u64 seed = 42;
	int i, j, within = 1, events = 0;

	for (i = 0; i < 3000; i++) {
		memcpy(page, pages + i % (size / PAGE) * PAGE, PAGE);
		for (j = 0; j <= i % 5; j++) {
			seed = seed * 6364136223846793005ull + 1442695040888963407;
			page[(seed >> 33) % (i % 2 ? PAGE : 64)] = (u8)(seed >> 20);
		}
		if (ring_open(&r, &layout, page, PAGE) < 0)
			continue;
		while (ring_next(&r, &e) > 0) {
			within &= e.data >= page + 16 &&
				e.data + e.size <= page + PAGE;
			decode_record(&d, &e);
			events++;
		}
	}
	decode_flush(&d);
	ok(within && events > 1000, "%s: %d events of mutated pages stay "
		"within", kernel, events);
}

/* ---- pairing ---- */

struct stack_record {
	u16 type;
	u8 flags, preempt;
	int pid;
	int size, pad;
	u64 caller[4];
};
struct page_record {
	u16 type;
	u8 flags, preempt;
	int pid;
	u64 pfn;
	u32 order, pad;
	u64 gfp;
	u32 migrate, pad2;
};

static void
feed(struct decoder *d, u64 ts, const void *data, u32 n)
{
	struct ring_event e = { ts, data, n };

	decode_record(d, &e);
}

static void
feed_alloc(struct decoder *d, u64 ts, int pid, u8 flags, u64 pfn, u32 order)
{
	struct page_record r = { (u16)alloc_id, flags, 0, pid, pfn, order };

	feed(d, ts, &r, 40);
}

static void
feed_free(struct decoder *d, u64 ts, int pid, u64 pfn, u32 order)
{
	struct page_record r = { (u16)free_id, 0, 0, pid, pfn, order };

	feed(d, ts, &r, 24);
}

static void
feed_stack(struct decoder *d, u64 ts, int pid, u8 flags, u64 frame)
{
	struct stack_record r = { 4, flags, 1, pid, 1, 0, { frame } };

	feed(d, ts, &r, 24);
}

/* Pages live by the stack of that one frame. */
static u32
live_by(u64 frame)
{
	u32 i, sum = 0;

	for (i = 1; i < leaf_count(); i++) {
		const struct leaf *l = leaf_at(i);
		const struct stack *s = l ? stack_at(l->stack) : NULL;
		if (s && (frame ? s->frames == 1 && *stack_frames(s) == frame
				: !s->frames))
			sum += l->live;
	}
	return sum;
}

#define FRAME(n) (0xffffffff81000000ull + (n))

static void
test_pairing(void)
{
	static struct decoder d;
	u64 stray = counts.stray_stacks, none = counts.no_stack;

	/* an interrupt's allocation and free between an event and its stack */
	feed_alloc(&d, 100, 5, 0x01, 10, 0);
	feed_alloc(&d, 101, 5, 0x09, 20, 1);
	feed_stack(&d, 102, 5, 0x09, FRAME(2));
	feed_free(&d, 103, 5, 999, 0);
	feed_alloc(&d, 104, 5, 0x11, 30, 0);
	feed_stack(&d, 105, 5, 0x15, FRAME(3));
	ok(live_by(FRAME(2)) == 2 && live_by(FRAME(3)) == 1 &&
		live_by(FRAME(1)) == 0, "interrupts have their own stacks");
	feed_alloc(&d, 106, 6, 0, 40, 0);	/* its stack never comes */
	feed_alloc(&d, 107, 6, 0, 41, 0);
	feed_stack(&d, 108, 6, 0, FRAME(4));
	ok(live_by(FRAME(4)) == 1, "a later event takes the stack");
	ok(counts.no_stack > none, "an event without its stack is counted");
	feed_stack(&d, 109, 7, 0, FRAME(5));
	ok(counts.stray_stacks == stray + 1 && !live_by(FRAME(5)),
		"a stack of nobody's");
	decode_flush(&d);
	feed_free(&d, 110, 5, 20, 0);
	ok(live_by(FRAME(2)) == 1, "half of an order 1 is freed");
	feed_free(&d, 111, 5, 21, 0);
	ok(live_by(FRAME(2)) == 0, "and the other half");
}

/* ---- accounting ---- */

static u64
sum_of_leaves(void)
{
	u64 sum = 0;
	u32 i;

	for (i = 1; i < leaf_count(); i++)
		sum += leaf_at(i) ? leaf_at(i)->live : 0;
	return sum;
}

static void
test_accounting(void)
{
	u64 a = FRAME(100), b = FRAME(200), implied, beyond;
	u32 x, y, task = task_named(1, "one", 3), other = task_named(2, "two", 3);

	x = acct_leaf(task, 0, acct_stack(&a, 1));
	y = acct_leaf(other, 0, acct_stack(&b, 1));
	ok(x == acct_leaf(task, 0, acct_stack(&a, 1)) && x != y,
		"a leaf is found again");
	acct_alloc(x, 5000, 4, 1000);
	acct_alloc(y, 6000, 0, 2000);
	acct_free(5000, 4);
	acct_alloc(y, 6001, 3, 3000);
	ok(task_at(task)->use.peak == 16 && !task_at(task)->use.live &&
		task_at(other)->use.live == 9 &&
		task_at(other)->use.peak_ts == 3000, "peaks and their times");
	ok(leaf_at(x)->peak == 16 && leaf_at(y)->live == 9, "of leaves");
	implied = counts.implied_frees;
	acct_alloc(x, 6000, 1, 4000);
	ok(leaf_at(y)->live == 7 && leaf_at(x)->live == 2 &&
		counts.implied_frees == implied + 2,
		"allocated again without a free");
	beyond = counts.beyond;
	acct_alloc(x, 1ull << 60, 2, 5000);
	acct_free(~0ull, 40);
	ok(counts.beyond >= beyond + 4, "beyond the table: counted");
	acct_alloc(x, 7, 63, 5000);
	ok(sum_of_leaves() == total.live, "the leaves make the total");
}

/* More paths than there is room for: the empty ones go. */
static void
test_collection(void)
{
	u64 f[3];
	u32 i, leaf, keep;

	f[0] = FRAME(1);
	f[1] = FRAME(2);
	f[2] = FRAME(3);
	acct_room();
	keep = acct_leaf(task_named(3, "three", 5), 0, acct_stack(f, 3));
	acct_alloc(keep, 9000, 0, 1);
	for (i = 0; i < 20000; i++) {
		f[0] = FRAME(1000 + i);
		f[2] = FRAME(i % 7);
		acct_room();
		leaf = acct_leaf(TASK_OTHER, 0, acct_stack(f, 1 + i % 3));
		acct_alloc(leaf, 10000 + i, 0, i);
		if (i % 100)
			acct_free(10000 + i, 0);
	}
	ok(counts.dropped_paths > 10000 && !counts.overflow,
		"ids serve again");
	ok(leaf_at(keep)->live == 1 && stack_at(leaf_at(keep)->stack)->frames
		== 3 && stack_frames(stack_at(leaf_at(keep)->stack))[2] ==
		FRAME(3), "what holds pages stays, with its stack");
	ok(sum_of_leaves() == total.live, "nothing is lost of the total");
	for (; i < 40000; i++) {
		f[0] = FRAME(100000 + i);
		acct_room();
		acct_alloc(acct_leaf(TASK_OTHER, 0, acct_stack(f, 1)),
			50000 + i, 0, i);
	}
	ok(counts.overflow > 1000 && sum_of_leaves() == total.live,
		"a full table: counted, and the total holds");
}

/* ---- page_owner ---- */

static u32
owner(const char *name)
{
	char path[256];
	int fd;
	u64 before = total.live;

	snprintf(path, sizeof(path), FILES "owner/%s", name);
	fd = open(path, O_RDONLY);
	owner_parse(fd, 0);
	close(fd);
	return (u32)(total.live - before);
}

static u32
task_live(int pid)
{
	u32 i;

	for (i = 0; i < task_count(); i++)
		if (task_at(i) && task_at(i)->pid == pid && i != TASK_OTHER)
			return (u32)task_at(i)->use.live;
	return 0;
}

static void
test_owner(void)
{
	u32 brd, i;

	ok(owner("4.19") == 9 && task_live(0) == 9, "4.19: orders, no pid");
	brd = module_named("brd", 3);
	ok(module_at(brd)->use.live == 8, "4.19: the frame's module");
	ok(owner("5.15") == 3 && task_live(7) == 3, "5.15: pid");
	ok(owner("6.12") == 513 && task_live(97) == 1 && task_live(1) >= 512,
		"6.12: tgid; the last record is cut");
	for (i = 0; i < task_count(); i++)
		if (task_at(i) && task_at(i)->pid == 97)
			break;
	ok(i < task_count() && task_at(i)->name_len == 10 &&
		!memcmp(task_at(i)->name, "a), ts (b)", 10),
		"6.12: a hostile comm");
	ok(module_at(brd)->use.live == 9, "6.12: module");
}

/* ---- other texts ---- */

static void
test_texts(void)
{
	char line[] = "ffffffffc0a01000 t zs_malloc\t[zsmalloc]";
	char bare[] = "ffffffff81000000 T _stext";
	char bad[] = "ffffffff81000000 T";
	static const char *const names[] = { "pfn" };
	struct trace_field f;
	struct ring_layout l;
	struct ksym s;

	ok(!ksym_parse(line, &s) && s.addr == 0xffffffffc0a01000 &&
		!strcmp(s.name, "zs_malloc") && !strcmp(s.module, "zsmalloc"),
		"a module's symbol");
	ok(!ksym_parse(bare, &s) && s.type == 'T' && !*s.module, "a symbol");
	ok(ksym_parse(bad, &s) < 0, "a symbol without a name");
	ok(trace_format("name: x\nID: 70000\n", names, &f, 1) < 0 &&
		trace_format("ID: 5\n\tfield:int pfn;\toffset:x", names, &f, 1)
		< 0 && trace_format("", names, &f, 1) < 0, "bad formats");
	ok(trace_format("ID: 5\nformat:\n\tfield:u64 pfnx;\toffset:8;\tsize:8;"
		"\tsigned:0;\n", names, &f, 1) == 5 && !f.size,
		"a field that is not there");
	ok(ring_layout("\tfield: u64 timestamp;\toffset:0;\tsize:8;\n", &l) < 0,
		"a layout that is not known");
}

static void
test_reports(void)
{
	report_parse("module_top:sort_by_peak:top=3,task_summary:throttle=50,"
		"module_summary");
	report_defaults(80);
	ok(report_count == 3 && reports[0].key == SORT_PEAK &&
		reports[0].top == 3 && reports[1].throttle == 50 &&
		!reports[2].throttle, "reports and their parameters");
}

int
main(void)
{
	static const char *const kernels[] = { "6.1", "6.12", "6.18" };
	size_t i;

	page_init();
	/* No process of this machine is to be looked at. */
	if (root_set(FILES) < 0)
		return 1;
	syms_open();
	acct_open(512, 1 << 20);
	task_open(0);
	module_open();
	for (i = 0; i < ARRAY_LEN(kernels); i++)
		test_captured(kernels[i]);
	test_events();
	test_pairing();
	test_accounting();
	test_collection();
	test_owner();
	test_texts();
	test_reports();
	for (i = 0; i < ARRAY_LEN(kernels); i++) {
		read_formats(kernels[i]);
		test_mutated(kernels[i]);
	}
	ok(sum_of_leaves() == total.live, "after all that, too");
	return unit_failed;
}
