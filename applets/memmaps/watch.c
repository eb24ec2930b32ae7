/* watch.c - samples of regions, and what changed from one to the next. */
#include "watch.h"

static struct store stores[2];

/* ---- a sample into a store ---- */

static int
order_address(const void *a, const void *b, const void *arg)
{
	const struct record *ra = a, *rb = b;

	(void)arg;
	if (ra->pid != rb->pid)
		return ra->pid < rb->pid ? -1 : 1;
	return ra->start < rb->start ? -1 : ra->start > rb->start;
}

static void
sort_store(struct store *s)
{
	size_t i;

	for (i = 1; i < s->count; i++)
		if (order_address(store_at(s, i - 1), store_at(s, i), NULL) > 0)
			break;
	if (i < s->count)
		sort_items(s->arena.base, s->count, sizeof(struct record),
			order_address, NULL);
}

/* Processes read; the reasons for the others go to skipped. */
static u64
fill_store(struct store *s, struct skipped *skipped)
{
	static struct subject subject;
	static struct region g;
	struct targets t;
	enum skip why;
	u64 read = 0;
	int pid;

	if (!s->arena.base)
		store_open(s);
	store_clear(s);
	if (targets_open(&t) < 0)
		_exit(EXIT_FAILED);
	while (targets_next(&t, &pid)) {
		why = subject_open(&subject, pid);
		skipped->count[why]++;
		if (why != SKIP_NOT)
			continue;
		while (subject_next(&subject, &g) > 0)
			store_add(s, pid, &g);
		subject_close(&subject);
		read += subject.stat.state != 'Z';
	}
	targets_close(&t);
	sort_store(s);
	return read;
}

/* ---- --watch ---- */

/* A sample into the store that is not the last one's; < 0 when nothing is left
 * of what was named. */
static int
next_sample(struct store **old, struct store **new)
{
	static unsigned samples;
	static struct skipped first;
	struct skipped skipped = { 0 };
	u64 read;
	int code = 0;

	*new = &stores[samples % 2];
	*old = samples ? &stores[(samples + 1) % 2] : NULL;
	read = fill_store(*new, &skipped);
	if (!samples++) {
		first = skipped;
		if (ask.all)
			code = skipped_tell(&first, read);
	}
	if (read)
		return code;
	if (!*old)
		die("none of the processes can be read: no such process, or "
			"denied");
	note("%s: ended", applet_name);
	return -1;
}

int
watch_sample(void)
{
	struct store *old, *new;
	char when[FMT_TIME_MAX];
	int code = next_sample(&old, &new);

	if (code < 0 || !old)
		return code;
	change_compare(old, new);
	if (!ask.json)
		out_fmt(&report, "%s\n", fmt_time(when,
			(s64)(wall_ns() / 1000000000)));
	change_show();
	return code;
}

/* ---- --leak-suspects ---- */

static struct store *latest;
static u64 samples_taken;

int
leak_sample(void)
{
	struct store *old, *new;
	int code = next_sample(&old, &new);

	if (code < 0)
		return code;
	if (old)
		change_compare(old, new);
	latest = new;
	samples_taken++;
	return code;
}

void
leak_report(void)
{
	size_t i;

	change_clear();
	for (i = 0; latest && i < latest->count; i++) {
		const struct record *r = store_at(latest, i);
		struct change c = { .now = r, .state = "grows" };

		/* One step may be the program's start. */
		if (r->shrank || r->grew < 2)
			continue;
		c.rss = ((s64)r->kb[SMAPS_RSS] - r->first_rss) * (s64)KIB;
		c.swap = ((s64)r->kb[SMAPS_SWAP] - r->first_swap) * (s64)KIB;
		change_keep(&c);
	}
	if (!ask.json)
		out_fmt(&report, "%lu samples; regions that grew twice or more "
			"and never shrank:\n", samples_taken);
	change_show();
}

/* ---- --diff ---- */

static int
load(struct store *s, const char *file)
{
	struct skipped skipped = { 0 };
	struct stat st;

	store_open(s);
	if (stat(file, &st) < 0)
		die("%s:", file);
	if (!S_ISDIR(st.st_mode)) {
		int has_rss = load_json(file, s);

		sort_store(s);
		return has_rss;
	}
	if (root_set(file) < 0)
		die("%s:", file);
	ask.all = ask.smaps = 1;
	if (!fill_store(s, &skipped))
		die("%s: no processes in it: not the directory of an unpacked "
			"--snapshot", file);
	return 1;
}

int
diff_files(void)
{
	int a = load(&stores[0], ask.pids[0]), b = load(&stores[1], ask.pids[1]);

	if (a != b)
		warn("%s has no RSS: made without --smaps",
			ask.pids[a ? 1 : 0]);
	change_compare(&stores[0], &stores[1]);
	change_show();
	return EXIT_DONE;
}
