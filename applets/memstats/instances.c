/* instances.c - database instances, found by their processes: what makes one,
 * what it is called and who belongs to it stands in one table. */
#include "memstats.h"

enum name_from { NAME_TAIL, NAME_OPTION };
enum members { MEMBERS_TREE, MEMBERS_NAMED };

static const struct rule {
	const char *kind;
	const char *leader;	/* glob of comm; its parent is not of the kind */
	enum name_from name_from;
	const char *option;	/* of its command line: "-D" or "--datadir" */
	const char *variable;	/* else this of its environment, else its cwd */
	const char *home;	/* variable that names its installation */
	enum members members;
} rules[] = {
	{ "oracle", "ora_pmon_*", NAME_TAIL, "ora_pmon_", NULL,
		"ORACLE_HOME", MEMBERS_NAMED },
	{ "oracle-asm", "asm_pmon_*", NAME_TAIL, "asm_pmon_", NULL,
		"ORACLE_HOME", MEMBERS_NAMED },
	{ "postgresql", "postgres", NAME_OPTION, "-D", "PGDATA", NULL,
		MEMBERS_TREE },
	{ "postgresql", "postmaster", NAME_OPTION, "-D", "PGDATA", NULL,
		MEMBERS_TREE },
	{ "mysql", "mysqld", NAME_OPTION, "--datadir", NULL, NULL,
		MEMBERS_TREE },
	{ "mariadb", "mariadbd", NAME_OPTION, "--datadir", NULL, NULL,
		MEMBERS_TREE },
};

static struct instance list[INSTANCES];
static u32 count;

const char *
option_value(const char *args, size_t n, const char *option)
{
	size_t len = strlen(option), i = 0;

	while (i < n) {
		const char *word = args + i;
		size_t word_n = strnlen(word, n - i);

		i += word_n + 1;
		if (strncmp(word, option, len))
			continue;
		if (word[len] == '=')
			return word + len + 1;
		if (!word[len])
			return i < n ? args + i : NULL;
		if (option[1] != '-')
			return word + len;
	}
	return NULL;
}

static const char *
name_of(const struct rule *r, const struct process *p)
{
	static char buf[PATH_MAX];
	const char *found = NULL;
	ssize_t n;

	if (r->name_from == NAME_TAIL) {
		size_t at = strlen(r->option);
		/* comm is cut at 15 bytes, the command is not. */
		int whole = !strncmp(p->command, r->option, at);
		const char *text = whole ? p->command : p->comm;

		return keep(text + at, strcspn(text + at, " "));
	}
	n = proc_slurp(p->pid, "cmdline", buf, sizeof(buf));
	if (n > 0)
		found = option_value(buf, (size_t)n, r->option);
	if (!found && r->variable &&
	    proc_env(p->pid, r->variable, buf, sizeof(buf)) > 0)
		found = buf;
	if (!found && proc_link(p->pid, "cwd", buf, sizeof(buf)) > 0)
		found = buf;
	return found ? keep(found, strlen(found)) : "";
}

static const char *
home_of(const struct rule *r, const struct process *p)
{
	static char buf[PATH_MAX];
	ssize_t n = -1;

	if (r->home)
		n = proc_env(p->pid, r->home, buf, sizeof(buf));
	else if ((n = proc_link(p->pid, "exe", buf, sizeof(buf))) > 0)
		while (n > 1 && buf[--n] != '/')
			;
	return n > 0 ? keep(buf, (size_t)n) : "";
}

static const struct rule *
rule_of(const struct process *p)
{
	const struct process *up;
	size_t i;

	for (i = 0; i < ARRAY_LEN(rules); i++) {
		if (!glob_match(rules[i].leader, p->comm, strlen(p->comm)))
			continue;
		up = proc_find(p->ppid);
		if (!up || up == p || !glob_match(rules[i].leader, up->comm,
				strlen(up->comm)))
			return &rules[i];
	}
	return NULL;
}

/* Oracle's processes are called ora_NAME_SID, or oracleSID and then more; comm
 * is cut at 15 bytes, so the command's first word is looked at. */
static int
is_named(const struct process *p, const char *sid)
{
	const char *word = p->command;
	size_t n = strcspn(word, " "), sid_n = strlen(sid);

	if (!sid_n || n < sid_n)
		return 0;
	if (!strncmp(word, "oracle", 6) && !strncmp(word + 6, sid, sid_n) &&
	    (6 + sid_n == n || word[6 + sid_n] == '_'))
		return 1;
	return (!strncmp(word, "ora_", 4) || !strncmp(word, "asm_", 4)) &&
		word[n - sid_n - 1] == '_' &&
		!strncmp(word + n - sid_n, sid, sid_n);
}

static int
is_below(const struct process *p, int leader)
{
	u32 steps;

	for (steps = 0; p && steps < procs.count; steps++) {
		if (p->pid == leader)
			return 1;
		p = proc_find(p->ppid);
	}
	return 0;
}

void
instances_find(void)
{
	u32 i;

	for (i = count = 0; i < procs.count && count < INSTANCES; i++) {
		const struct process *p = &procs.list[i];
		const struct rule *r = p->shown ? rule_of(p) : NULL;

		if (r)
			list[count++] = (struct instance){
				.kind = r->kind, .name = name_of(r, p),
				.home = home_of(r, p), .pid = p->pid,
				.uid = p->uid,
				.by_name = r->members == MEMBERS_NAMED };
	}
	if (count == INSTANCES)
		warn("more than %d instances: the rest is left out", INSTANCES);
}

u32
instance_of(const struct process *p)
{
	u32 i;

	for (i = 0; i < count; i++)
		if (p->pid == list[i].pid || (list[i].by_name
				? is_named(p, list[i].name)
				: is_below(p, list[i].pid)))
			return i;
	return GROUP_NONE;
}

u32
instances_count(void)
{
	return count;
}

/* ---- rows ---- */

enum { C_KIND, C_NAME, C_OWNER, C_PID, C_PROCS, C_SGA, C_PGA, C_RSS, C_PSS,
	C_HOME };
static const struct col cols[] = {
	[C_KIND] = { "kind", -10, COL_TEXT },
	[C_NAME] = { "name", -24, COL_TEXT },
	[C_OWNER] = { "owner", -8, COL_TEXT },
	[C_PID] = { "pid", 7, COL_COUNT, .label = 1 },
	[C_PROCS] = { "procs", 5, COL_COUNT },
	[C_SGA] = { "sga", 10, COL_BYTES }, [C_PGA] = { "pga", 10, COL_BYTES },
	[C_RSS] = { "rss", 10, COL_BYTES }, [C_PSS] = { "pss", 10, COL_BYTES },
	[C_HOME] = { "home", 0, COL_TEXT },
};
enum { R_KIND, R_NAME, R_OWNER, R_PID, R_EXIT, R_SECONDS, R_LAST };
static const struct col run_cols[] = {
	[R_KIND] = { "kind", -10, COL_TEXT },
	[R_NAME] = { "name", -24, COL_TEXT },
	[R_OWNER] = { "owner", -8, COL_TEXT },
	[R_PID] = { "pid", 7, COL_COUNT, .label = 1 },
	[R_EXIT] = { "exit", 4, COL_COUNT },
	[R_SECONDS] = { "seconds", 8, COL_FIXED, 3 },
	[R_LAST] = { "last_line", 0, COL_TEXT },
};

static void
instance_row(struct rows *r, const struct instance *in, const struct group *g)
{
	char user[USER_MAX];

	rows_text(r, in->kind);
	rows_text(r, in->name);
	rows_text(r, user_name(user, in->uid));
	rows_u64(r, (u64)in->pid);
	rows_u64(r, g->procs);
	rows_u64(r, g->shm + g->u.by[TYPE_SHMEM]);
	rows_u64(r, g->private);
	rows_u64(r, usage_rss(&g->u));
	if (scan.two_bits)
		rows_null(r);
	else
		rows_u64(r, g->u.pss >> PSS_SHIFT);
	rows_text(r, in->home);
	rows_end(r);
}

static int
run_row(struct rows *r, const struct instance *in)
{
	struct run_result res = { .status = -1 };
	char user[USER_MAX];
	int failed = run_as(in, print.run, print.timeout, &res);

	rows_text(r, in->kind);
	rows_text(r, in->name);
	rows_text(r, user_name(user, in->uid));
	rows_u64(r, (u64)in->pid);
	if (res.status < 0)
		rows_null(r);
	else
		rows_u64(r, (u64)res.status);
	rows_u64(r, res.ns / 1000000);
	rows_textn(r, res.last, res.last_n);
	rows_end(r);
	return failed;
}

/* 0, or 3 when a command failed. */
int
print_instances(struct out *o)
{
	const struct split *s = &splits[0];
	struct rows r;
	u32 i;
	int failed = 0;

	if (print.run)
		rows_open(&r, o, print.format, run_cols, ARRAY_LEN(run_cols));
	else
		rows_open(&r, o, print.format, cols, ARRAY_LEN(cols));
	r.bytes = print.bytes;
	r.prefix = "memstats_instance";
	if (print.format == ROWS_JSON) {
		print_json_head(&r.json);
		json_key(&r.json, "instances");
		json_array(&r.json);
	}
	while (rows_pass(&r))
		for (i = 0; i < count; i++)
			if (CFG_MEMSTATS_RUN && print.run)
				failed |= run_row(&r, &list[i]);
			else
				instance_row(&r, &list[i], &s->groups[i]);
	if (print.format == ROWS_JSON) {
		json_close(&r.json);
		json_close(&r.json);
	}
	return failed ? EXIT_PARTIAL : EXIT_DONE;
}
