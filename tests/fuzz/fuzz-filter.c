/* Expressions of --filter: parsed or refused, and matched in the end. A fault
 * of theirs ends the program: here it comes back. */
#include <setjmp.h>

#include "applets/memstats/memstats.h"
#include "fuzz.h"

/* The parser once more, its tables within reach. */
static jmp_buf refused;

static _Noreturn void
refuse(const char *opt, const char *text, const char *at, const char *what)
{
	must(*opt && *what && at >= text && at <= text + strlen(text));
	longjmp(refused, 1);
}

#define fault_die refuse
#define filter_parse parse_again
#define filter_parse_list parse_list_again
#define filter_match match_again
#define filter_forget forget_again
#include "applets/memstats/filter.c"

static struct process list[] = {
	{ .pid = 1, .comm = "init", .rss_pages = 10 },
	{ .pid = 5, .ppid = 1, .uid = 1000, .comm = "x y", .session = 5 },
	{ .pid = 7, .ppid = 5, .uid = 1000, .comm = "a(b,c" },
};

static void
add(void *arg, const struct filter *f, const char *s, size_t n)
{
	const char *text = arg;
	size_t i;
	int r;

	must(s >= text && s + n <= text + strlen(text));
	for (i = 0; i < ARRAY_LEN(list); i++) {
		r = filter_match(f, &list[i]);
		must(r == filter_match(f, &list[i]));
	}
}

int
LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	static char text[4096];

	if (size >= sizeof(text))
		return 0;
	memcpy(text, data, size);
	text[size] = 0;
	fuzz_root("proc/5/cmdline", data, size);
	fuzz_root("proc/5/environ", data, size);
	procs.list = list;
	procs.count = ARRAY_LEN(list);
	node_count = 0;
	texts_used = 0;
	memset(nodes, 0, sizeof(nodes));
	forget_again();
	if (!setjmp(refused))
		filter_parse_list("--filter", text, add, text);
	return 0;
}
