/* split.c - ways to divide the processes into groups, and what each group
 * has: derived from the classes, so that any number of splits costs one scan. */
#include <sys/mman.h>

#include "memstats.h"

enum { HEADS = 4096, NAME_MAX_KEPT = 4096 };

struct split splits[SPLITS_MAX];
unsigned split_count;

static struct rule {
	const struct split *split;
	const struct filter *filter;	/* or, for PIDs: */
	const char *pids;
	const char *name;
	size_t name_n;
} rules[SPLIT_RULES];
static unsigned rule_count;
static u32 group_max;
static char name[NAME_MAX_KEPT];

static const struct {
	const char *label, *title;
} kinds[] = {
	[SPLIT_UID] = { "uid", "UID" },
	[SPLIT_ENV] = { "env", "environment variable" },
	[SPLIT_PIDS] = { "pids", "PIDs" },
	[SPLIT_CUSTOM] = { "custom", "Custom splitter" },
	[SPLIT_COMM] = { "comm", "Command name" },
	[SPLIT_EXE] = { "exe", "Executable" },
	[SPLIT_CGROUP] = { "cgroup", "Control group" },
	[SPLIT_CONTAINER] = { "container", "Container" },
	[SPLIT_SESSION] = { "session", "Session" },
	[SPLIT_TREE] = { "tree", "Process tree below init" },
	[SPLIT_ALL] = { "all", "All" },
	[SPLIT_INSTANCE] = { "instance", "Instance" },
};

static int
label_taken(const char *label)
{
	unsigned i;

	for (i = 0; i < split_count; i++)
		if (!strcmp(splits[i].label, label))
			return 1;
	return 0;
}

struct split *
split_add(enum split_kind kind, const char *var)
{
	struct split *s = &splits[split_count];
	unsigned n;

	if (split_count == SPLITS_MAX)
		usage_die("more than %d splits", SPLITS_MAX);
	s->kind = kind;
	s->var = var;
	fmt_str(s->title, sizeof(s->title), "%s%s%s", kinds[kind].title,
		var ? " " : "", var ? var : "");
	fmt_str(s->label, sizeof(s->label), "%s%s%.40s", kinds[kind].label,
		var ? ":" : "", var ? var : "");
	for (n = 2; label_taken(s->label); n++)
		fmt_str(s->label, sizeof(s->label), "%s%s%.40s:%u",
			kinds[kind].label, var ? ":" : "", var ? var : "", n);
	split_count++;
	return s;
}

static void
rule_add(const struct split *s, const struct filter *f, const char *text,
	size_t n)
{
	u32 i;

	/* The same text once more can match nothing that is left. */
	for (i = 0; i < rule_count; i++)
		if (rules[i].split == s && rules[i].name_n == n &&
		    !memcmp(rules[i].name, text, n))
			return;
	if (rule_count == SPLIT_RULES)
		usage_die("more than %d groups are asked for", SPLIT_RULES);
	rules[rule_count++] = (struct rule){ s, f, f ? NULL : text, text, n };
}

void
split_add_pids(const char *list)
{
	static struct split *s;
	const char *at = list;
	u64 pid;

	do {
		if (*at < '0' || *at > '9' || scan_u64(&at, &pid) < 0 ||
		    !pid || pid > INT_MAX || (*at && *at != ','))
			usage_die("--split-pids: '%s' is no list of process "
				"ids like 1,22", list);
	} while (*at++);
	if (!s)
		s = split_add(SPLIT_PIDS, NULL);
	rule_add(s, NULL, list, strlen(list));
}

static void
custom_rule(void *arg, const struct filter *f, const char *text, size_t n)
{
	rule_add(arg, f, text, n);
}

void
split_add_custom(const char *list)
{
	filter_parse_list("--split-custom", list, custom_rule,
		split_add(SPLIT_CUSTOM, NULL));
}

static void *
take(u64 size)
{
	void *p = mmap(NULL, size, PROT_READ | PROT_WRITE,
		MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	if (p == MAP_FAILED)
		die("memory for groups:");
	return p;
}

void
splits_open(int sampling)
{
	unsigned i;

	group_max = procs.max + SPLIT_RULES + 1;
	for (i = 0; i < split_count; i++) {
		struct split *s = &splits[i];

		s->groups = take((u64)group_max * sizeof(*s->groups));
		if (sampling)
			s->last = take((u64)group_max * sizeof(*s->last));
		s->group_of = take((u64)procs.max * sizeof(*s->group_of));
		s->heads = take(HEADS * sizeof(*s->heads));
	}
}

static u32
hash(const char *s, size_t n)
{
	u32 h = 2166136261u;

	while (n--)
		h = (h ^ (u8)*s++) * 16777619u;
	return h % HEADS;
}

static u32
group_new(struct split *s, const char *key, size_t n)
{
	struct group *g = &s->groups[s->count];

	memset(g, 0, sizeof(*g));
	g->name = key ? keep(key, n) : NULL;
	g->before = -1;
	return s->count++;
}

/* The group of that name; a new one when there is none. key NULL: the group of
 * those that have no name. */
static u32
group_named(struct split *s, const char *key, ssize_t n)
{
	u32 *head = &s->heads[key ? hash(key, (size_t)n) : 0], at;

	for (at = *head; at; at = s->groups[at - 1].chain) {
		const char *have = s->groups[at - 1].name;

		if (key ? have && !strncmp(have, key, (size_t)n) && !have[n]
				: !have)
			return at - 1;
	}
	at = group_new(s, key, (size_t)n);
	s->groups[at].chain = *head;
	*head = at + 1;
	return at;
}

static int
pids_have(const char *list, int pid)
{
	u64 v;

	do {
		if (scan_u64(&list, &v) < 0)
			return 0;
		if (v == (u64)pid)
			return 1;
	} while (*list++ == ',');
	return 0;
}

/* Group k of a split of rules is rule k; behind them stands "Other". */
static u32
group_by_rule(struct split *s, const struct process *p)
{
	u32 g = 0, i;

	for (i = 0; i < rule_count; i++) {
		const struct rule *r = &rules[i];

		if (r->split != s)
			continue;
		if (r->filter ? filter_match(r->filter, p)
				: pids_have(r->pids, p->pid))
			return g;
		g++;
	}
	return g;
}

static void
rule_groups(struct split *s)
{
	u32 i;

	for (i = 0; i < rule_count; i++)
		if (rules[i].split == s)
			group_new(s, rules[i].name, rules[i].name_n);
	group_new(s, "Other", 5);
}

/* The innermost component of a cgroup's path that holds 64 hex digits: where
 * they begin, or NULL. */
const char *
container_id(const char *path)
{
	const char *found = NULL;
	size_t n;

	for (; *path; path += n ? n : 1) {
		n = strspn(path, "0123456789abcdef");
		if (n == 64)
			found = path;
	}
	return found;
}

static u32
group_by_cgroup(struct split *s, const struct process *p)
{
	ssize_t n = cgroup_of(&cgroups, p->pid, name, sizeof(name));
	const char *id;
	u32 g;

	if (n < 0)
		return group_named(s, NULL, 0);
	if (s->kind == SPLIT_CGROUP) {
		g = group_named(s, name, n);
		s->groups[g].cgroup = s->groups[g].name;
		return g;
	}
	id = container_id(name);
	if (!id)
		return group_named(s, NULL, 0);
	g = group_named(s, id, 64);
	if (!s->groups[g].cgroup) {
		n = id - name + 64 + (ssize_t)strcspn(id + 64, "/");
		s->groups[g].cgroup = keep(name, (size_t)n);
	}
	return g;
}

/* The process just below init (or below what is outside) it descends from. */
static const struct process *
tree_top(const struct process *p)
{
	const struct process *up;
	u32 steps = 0;

	while (p->ppid > 1 && (up = proc_find(p->ppid)) &&
	       steps++ < procs.count)
		p = up;
	return p;
}

static u32
group_by_key(struct split *s, const struct process *p)
{
	const struct process *leader;
	ssize_t n;

	switch (s->kind) {
	case SPLIT_UID:
		user_name(name, p->uid);
		n = (ssize_t)strlen(name);
		break;
	case SPLIT_ENV:
		n = proc_env(p->pid, s->var, name, sizeof(name));
		break;
	case SPLIT_COMM:
		n = fmt_str(name, sizeof(name), "%s", p->comm);
		break;
	case SPLIT_EXE:
		n = proc_link(p->pid, "exe", name, sizeof(name));
		break;
	case SPLIT_SESSION:
		leader = proc_find(p->session);
		n = fmt_str(name, sizeof(name), "%d %s", p->session,
			leader ? leader->comm : "(gone)");
		break;
	case SPLIT_TREE:
		p = tree_top(p);
		n = fmt_str(name, sizeof(name), "%d %s", p->pid, p->comm);
		break;
	default:
		n = fmt_str(name, sizeof(name), "all");
	}
	return group_named(s, n < 0 ? NULL : name, n);
}

static u32
group_for(struct split *s, const struct process *p)
{
	switch (s->kind) {
	case SPLIT_INSTANCE:
		return CFG_MEMSTATS_INSTANCES ? instance_of(p) : GROUP_NONE;
	case SPLIT_PIDS:
	case SPLIT_CUSTOM:
		return group_by_rule(s, p);
	case SPLIT_CGROUP:
	case SPLIT_CONTAINER:
		return group_by_cgroup(s, p);
	default:
		return group_by_key(s, p);
	}
}

void
splits_assign(const struct filter *filter)
{
	unsigned k;
	u32 i;

	filter_forget();
	for (k = 0; k < split_count; k++) {
		struct split *s = &splits[k];
		struct group *t = s->groups;

		if (s->last) {
			s->groups = s->last;
			s->last = t;
			s->last_count = s->count;
		}
		s->count = 0;
		memset(s->heads, 0, HEADS * sizeof(*s->heads));
		if (s->kind == SPLIT_PIDS || s->kind == SPLIT_CUSTOM)
			rule_groups(s);
	}
	for (i = 0; i < procs.count; i++)
		procs.list[i].shown = !filter ||
			filter_match(filter, &procs.list[i]);
	if (CFG_MEMSTATS_INSTANCES && splits[0].kind == SPLIT_INSTANCE) {
		instances_find();
		for (i = 0; i < instances_count(); i++)
			group_new(&splits[0], "", 0);
	}
	for (i = 0; i < procs.count; i++) {
		const struct process *p = &procs.list[i];

		for (k = 0; k < split_count; k++)
			splits[k].group_of[i] = p->shown
				? group_for(&splits[k], p) : GROUP_NONE;
	}
}
