/* report.c - which reports are wanted, and their printing one after another:
 * memstrack's, line for line, and two of our own. The lines themselves are in
 * report_lists.c and report_summary.c.
 */
#include "memtrack.h"
#include "report.h"

struct report reports[REPORTS_MAX];
unsigned report_count;

static const char *const type_names[REPORT_TYPES] = {
	[REPORT_SUMMARY] = "summary",
	[REPORT_MODULE_SUMMARY] = "module_summary",
	[REPORT_MODULE_TOP] = "module_top",
	[REPORT_TASK_SUMMARY] = "task_summary",
	[REPORT_TASK_TOP] = "task_top",
	[REPORT_TASK_TOP_JSON] = "task_top_json",
	[REPORT_SLAB] = "proc_slab_static",
	[REPORT_VMALLOC] = "vmalloc",
};

/* ---- what is wanted ---- */

static int
is_word(const char *s, size_t n, const char *word)
{
	return strlen(word) == n && !memcmp(s, word, n);
}

static u32
parse_number(const char *s, size_t n, size_t key, u32 max)
{
	const char *p = s + key;
	u64 v;

	if (n == key || *p == ' ' || scan_u64(&p, &v) < 0 || p != s + n ||
	    v > max)
		usage_die("--report: bad parameter '%.*s'", (int)n, s);
	return (u32)v;
}

static void
parse_parameter(struct report *r, const char *s, size_t n)
{
	if (is_word(s, n, "sort_by_alloc")) {
		r->key = SORT_ALLOC;
	} else if (is_word(s, n, "sort_by_peak")) {
		r->key = SORT_PEAK;
	} else if (n >= 9 && !memcmp(s, "throttle=", 9)) {
		r->throttle = parse_number(s, n, 9, 100);
		r->own_throttle = 1;
	} else if (n >= 4 && !memcmp(s, "top=", 4)) {
		r->top = parse_number(s, n, 4, INT_MAX);
		r->own_top = 1;
	} else {
		usage_die("--report: unknown parameter '%.*s' (sort_by_alloc, "
			"sort_by_peak, throttle=N, top=N)", (int)n, s);
	}
}

static void
parse_one(const char *s, size_t n)
{
	struct report r = { 0 };
	size_t len = strcspn(s, ":,");

	for (; r.type < REPORT_TYPES; r.type++)
		if (is_word(s, len, type_names[r.type]))
			break;
	if (r.type == REPORT_TYPES)
		usage_die("--report: unknown type '%.*s' (summary, "
			"module_summary, module_top, task_summary, task_top, "
			"task_top_json, proc_slab_static, vmalloc)",
			(int)len, s);
	if (report_count == REPORTS_MAX)
		usage_die("--report: more than %d", REPORTS_MAX);
	while (len < n) {
		const char *parameter = s + len + 1;
		size_t plen = strcspn(parameter, ":,");
		parse_parameter(&r, parameter, plen);
		len += 1 + plen;
	}
	reports[report_count++] = r;
}

void
report_parse(const char *list)
{
	for (;;) {
		size_t n = strcspn(list, ",");
		parse_one(list, n);
		if (!list[n])
			return;
		list += n + 1;
	}
}

/* As memstrack: the common throttle is for the reports of tasks, and
 * module_top shows two children a level. */
void
report_defaults(int throttle)
{
	unsigned i;

	if (!report_count)
		report_parse("summary,module_summary,task_summary:top=20");
	for (i = 0; i < report_count; i++) {
		struct report *r = &reports[i];
		if (!r->own_throttle && throttle >= 0 &&
		    r->type >= REPORT_TASK_SUMMARY &&
		    r->type <= REPORT_TASK_TOP_JSON)
			r->throttle = (u32)throttle;
		if (!r->own_top && r->type == REPORT_MODULE_TOP)
			r->top = 2;
	}
}

int
report_wants(enum report_type type)
{
	unsigned i;

	for (i = 0; i < report_count; i++)
		if (reports[i].type == type)
			return 1;
	return 0;
}

void
report_prepare(void)
{
	if (trace_is_on()) {
		trace_count_lost();
		module_refresh();
	}
	vmap_refresh();
	if (report_wants(REPORT_MODULE_TOP) || report_wants(REPORT_TASK_TOP) ||
	    report_wants(REPORT_TASK_TOP_JSON))
		syms_resolve();
}

/* ---- printing ---- */

static void
print_one(struct out *o, const struct report *r)
{
	switch (r->type) {
	case REPORT_SUMMARY:
		report_summary(o);
		break;
	case REPORT_MODULE_SUMMARY:
		report_module_summary(o, r);
		break;
	case REPORT_MODULE_TOP:
		report_module_top(o, r);
		break;
	case REPORT_TASK_SUMMARY:
		report_task_summary(o, r);
		break;
	case REPORT_TASK_TOP:
		report_task_top(o, r);
		break;
	case REPORT_TASK_TOP_JSON:
		json_tasks(o, r);
		break;
	case REPORT_SLAB:
		report_slab(o, r);
		break;
	case REPORT_VMALLOC:
		report_vmalloc(o, r);
		break;
	}
}

void
report_print(struct out *o)
{
	unsigned i;

	for (i = 0; i < report_count; i++) {
		const char *type = type_names[reports[i].type];
		out_fmt(o, "\n======== Report format %s: ========\n", type);
		print_one(o, &reports[i]);
		out_fmt(o, "======== Report format %s END ========\n", type);
		if (trace_is_on()) {
			out_str(o, "Lost ");
			report_put_lost(o);
			out_char(o, '\n');
		}
	}
}

/* The log takes ten lines in five seconds from a process, unless told
 * otherwise. */
static void
kmsg_limit(const char *value, char *old, size_t size)
{
	static const char path[] = "/proc/sys/kernel/printk_devkmsg";

	if (old && root_slurp(path, old, size) < 0)
		*old = 0;
	if (*value)
		at_write(AT_FDCWD, path, value);
}

/* A line of the kernel's log is one write. */
void
report_kmsg(void)
{
	static const struct report modules = {
		.type = REPORT_MODULE_SUMMARY, .top = 40,
	};
	static char text[8192], record[512];
	struct out o;
	char *line = text, *end, limit[32];
	int fd = open("/dev/kmsg", O_WRONLY | O_CLOEXEC);

	if (fd < 0) {
		warn("open /dev/kmsg:");
		return;
	}
	out_open(&o, -1);
	out_buffer(&o, text, sizeof(text) - 1);
	report_summary(&o);
	report_module_summary(&o, &modules);
	text[o.used] = 0;
	kmsg_limit("on", limit, sizeof(limit));
	for (; (end = strchr(line, '\n')); line = end + 1) {
		*end = 0;
		fmt_str(record, sizeof(record), "<6>%s: %s\n", applet_name,
			line);
		(void)!write(fd, record, strlen(record));
	}
	kmsg_limit(limit, NULL, 0);
	close(fd);
}
