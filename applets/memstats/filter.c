/* filter.c - expressions that choose processes: NAME(ARGUMENT, ...). They are
 * parsed whole before anything is scanned; a fault is shown with a caret. */
#include "memstats.h"

enum arg_kind { ARG_NONE, ARG_EXPRS, ARG_EXPR, ARG_NUMBER, ARG_PID, ARG_UID,
	ARG_TEXT, ARG_TWO_TEXTS, ARG_SIZE };
enum op { OP_TRUE, OP_FALSE, OP_AND, OP_OR, OP_NOT, OP_UID, OP_PID, OP_COMM,
	OP_DESCENDANTS, OP_ENV_K, OP_ENV_KV, OP_CGROUP, OP_EXE, OP_CMDLINE,
	OP_PPID, OP_SESSION, OP_RSS };

static const struct {
	const char *name;
	u8 args;
} ops[] = {
	[OP_TRUE] = { "true", ARG_NONE }, [OP_FALSE] = { "false", ARG_NONE },
	[OP_AND] = { "and", ARG_EXPRS }, [OP_OR] = { "or", ARG_EXPRS },
	[OP_NOT] = { "not", ARG_EXPR }, [OP_UID] = { "uid", ARG_UID },
	[OP_PID] = { "pid", ARG_PID }, [OP_COMM] = { "comm", ARG_TEXT },
	[OP_DESCENDANTS] = { "descendants", ARG_PID },
	[OP_ENV_K] = { "env_k", ARG_TEXT },
	[OP_ENV_KV] = { "env_kv", ARG_TWO_TEXTS },
	[OP_CGROUP] = { "cgroup", ARG_TEXT }, [OP_EXE] = { "exe", ARG_TEXT },
	[OP_CMDLINE] = { "cmdline", ARG_TEXT },
	[OP_PPID] = { "ppid", ARG_NUMBER },
	[OP_SESSION] = { "session", ARG_NUMBER },
	[OP_RSS] = { "rss", ARG_SIZE },
};

struct filter {
	u8 op;
	char compare;		/* rss: '<', '>', '=' */
	u8 or_equal;
	u64 number;
	const char *text, *text2;
	const struct filter *child, *next;
};

enum { TEXTS = 16384, DEPTH = 64 };
static struct filter nodes[FILTER_NODES];
static unsigned node_count;
static char texts[TEXTS];
static size_t texts_used;

struct parser {
	const char *opt, *text, *at;
	int depth;
};

static _Noreturn void
fault(const struct parser *p, const char *at, const char *what)
{
	fault_die(p->opt, p->text, at, what);
}

static void
blanks(struct parser *p)
{
	p->at += strspn(p->at, " \t\n");
}

static void
expect(struct parser *p, char c, const char *what)
{
	blanks(p);
	if (*p->at != c)
		fault(p, p->at, what);
	p->at++;
}

static char *
text_take(struct parser *p, size_t n)
{
	char *s = texts + texts_used;

	if (n >= TEXTS - texts_used)
		fault(p, p->at, "too much text");
	texts_used += n + 1;
	return s;
}

static const char *
quoted(struct parser *p)
{
	const char *open = p->at;
	char quote = *p->at++, *s = text_take(p, strlen(p->at));
	size_t n = 0;

	for (; *p->at != quote; p->at++) {
		if (*p->at == '\\' && p->at[1])
			p->at++;
		if (!*p->at)
			fault(p, open, "this quote has no end");
		s[n++] = *p->at;
	}
	p->at++;
	s[n] = 0;
	texts_used = s + n + 1 - texts;
	return s;
}

/* Text up to a comma or parenthesis, without blanks at its ends. */
static const char *
value(struct parser *p, const char *what)
{
	const char *start;
	char *s;
	size_t n;

	blanks(p);
	if (*p->at == '"' || *p->at == '\'')
		return quoted(p);
	start = p->at;
	p->at += strcspn(p->at, ",()");
	n = p->at - start;
	while (n && strchr(" \t\n", start[n - 1]))
		n--;
	if (!n)
		fault(p, start, what);
	s = text_take(p, n);
	memcpy(s, start, n);
	s[n] = 0;
	return s;
}

static void
number(struct parser *p, struct filter *f, int is_pid)
{
	const char *start, *s;
	int pid;

	blanks(p);
	start = p->at;
	s = value(p, "a number is missing");
	if (is_pid ? parse_pid(s, &pid) < 0 : parse_u64(s, &f->number) < 0)
		fault(p, start, is_pid ? "not a process id" : "not a number");
	if (is_pid)
		f->number = (u64)pid;
}

static void
user(struct parser *p, struct filter *f)
{
	const char *start, *s;
	u32 uid;

	blanks(p);
	start = p->at;
	s = value(p, "a user's name or number is missing");
	if (!parse_u64(s, &f->number))
		return;
	if (user_id(s, &uid) < 0)
		fault(p, start, "no user of that name in /etc/passwd");
	f->number = uid;
}

static void
size(struct parser *p, struct filter *f)
{
	const char *start;

	blanks(p);
	f->compare = '>';
	f->or_equal = 1;
	if (*p->at == '<' || *p->at == '>' || *p->at == '=') {
		f->compare = *p->at++;
		f->or_equal = *p->at == '=' || f->compare == '=';
		p->at += *p->at == '=';
	}
	blanks(p);
	start = p->at;
	if (parse_size(value(p, "a size is missing"), &f->number) < 0)
		fault(p, start, "not a size (like 64M, 1.5G)");
}

static enum op
op_name(struct parser *p)
{
	size_t n = strspn(p->at, "abcdefghijklmnopqrstuvwxyz_"), i;

	for (i = 0; i < ARRAY_LEN(ops); i++)
		if (strlen(ops[i].name) == n &&
		    !strncmp(ops[i].name, p->at, n)) {
			p->at += n;
			return i;
		}
	fault(p, p->at, n ? "unknown name: true false and or not uid pid comm "
		"descendants env_k env_kv cgroup exe cmdline ppid session rss"
		: "an expression is missing, like uid(0)");
}

static struct filter *
expr(struct parser *p)
{
	struct filter *f = &nodes[node_count];
	const struct filter **child = &f->child;

	blanks(p);
	if (node_count == FILTER_NODES || p->depth == DEPTH)
		fault(p, p->at, "too many expressions");
	node_count++;
	p->depth++;
	f->op = op_name(p);
	expect(p, '(', "a ( must follow the name");
	switch (ops[f->op].args) {
	case ARG_EXPRS:
	case ARG_EXPR:
		do {
			struct filter *c = expr(p);

			*child = c;
			child = &c->next;
			blanks(p);
		} while (ops[f->op].args == ARG_EXPRS && *p->at == ',' &&
			p->at++);
		break;
	case ARG_NUMBER:
	case ARG_PID:
		number(p, f, ops[f->op].args == ARG_PID);
		break;
	case ARG_UID:
		user(p, f);
		break;
	case ARG_TEXT:
		f->text = value(p, "a text is missing");
		break;
	case ARG_TWO_TEXTS:
		f->text = value(p, "a name is missing");
		expect(p, ',', "a comma and the value must follow");
		f->text2 = value(p, "a value is missing; write \"\" for none");
		break;
	case ARG_SIZE:
		size(p, f);
		break;
	}
	expect(p, ')', "a ) is missing here");
	p->depth--;
	return f;
}

const struct filter *
filter_parse(const char *opt, const char *text)
{
	struct parser p = { opt, text, text, 0 };
	const struct filter *f = expr(&p);

	blanks(&p);
	if (*p.at)
		fault(&p, p.at, "the expression has ended before this");
	return f;
}

void
filter_parse_list(const char *opt, const char *text,
	void (*add)(void *arg, const struct filter *f, const char *s, size_t n),
	void *arg)
{
	struct parser p = { opt, text, text, 0 };

	for (;;) {
		const struct filter *f;
		const char *start;

		blanks(&p);
		start = p.at;
		f = expr(&p);
		add(arg, f, start, p.at - start);
		blanks(&p);
		if (!*p.at)
			return;
		expect(&p, ',', "a comma must follow, or the end");
	}
}

/* What an expression asks of a process is read once for all expressions. */
static struct {
	int pid;
	ssize_t cmdline_n, exe_n, cgroup_n;	/* -1 = not to be had */
	int has_cmdline, has_exe, has_cgroup;
	char cmdline[32768], exe[PATH_MAX], cgroup[PATH_MAX];
} subject;

void
filter_forget(void)
{
	subject.pid = 0;
}

static int
match_cmdline(const char *glob, int pid)
{
	if (!subject.has_cmdline++)
		subject.cmdline_n = proc_cmdline(pid, subject.cmdline,
			sizeof(subject.cmdline));
	return subject.cmdline_n >= 0 &&
		glob_match(glob, subject.cmdline, subject.cmdline_n);
}

static int
match_exe(const char *glob, int pid)
{
	if (!subject.has_exe++)
		subject.exe_n = proc_link(pid, "exe", subject.exe,
			sizeof(subject.exe));
	return subject.exe_n >= 0 &&
		glob_match(glob, subject.exe, subject.exe_n);
}

static int
match_cgroup(const char *glob, int pid)
{
	if (!subject.has_cgroup++)
		subject.cgroup_n = cgroup_of(&cgroups, pid, subject.cgroup,
			sizeof(subject.cgroup));
	return subject.cgroup_n >= 0 &&
		glob_match(glob, subject.cgroup, subject.cgroup_n);
}

static int
match_env(const struct filter *f, int pid)
{
	static char buf[16384];
	ssize_t n = proc_env(pid, f->text, buf, sizeof(buf));

	return n >= 0 && (!f->text2 || !strcmp(buf, f->text2));
}

static int
is_descendant(const struct process *p, u64 of)
{
	u32 steps;

	for (steps = 0; p && steps < procs.count; steps++) {
		if ((u64)p->ppid == of)
			return 1;
		p = proc_find(p->ppid);
	}
	return 0;
}

static int
match_size(const struct filter *f, u64 v)
{
	return (f->or_equal && v == f->number) ||
		(f->compare == '<' && v < f->number) ||
		(f->compare == '>' && v > f->number);
}

static int
match(const struct filter *f, const struct process *p)
{
	const struct filter *c;

	switch (f->op) {
	case OP_TRUE:
		return 1;
	case OP_AND:
		for (c = f->child; c && match(c, p); c = c->next)
			;
		return !c;
	case OP_OR:
		for (c = f->child; c && !match(c, p); c = c->next)
			;
		return !!c;
	case OP_NOT:
		return !match(f->child, p);
	case OP_UID:
		return p->uid == f->number;
	case OP_PID:
		return (u64)p->pid == f->number;
	case OP_COMM:
		return !strcmp(p->comm, f->text);
	case OP_DESCENDANTS:
		return is_descendant(p, f->number);
	case OP_ENV_K:
	case OP_ENV_KV:
		return match_env(f, p->pid);
	case OP_CGROUP:
		return match_cgroup(f->text, p->pid);
	case OP_EXE:
		return match_exe(f->text, p->pid);
	case OP_CMDLINE:
		return match_cmdline(f->text, p->pid);
	case OP_PPID:
		return (u64)p->ppid == f->number;
	case OP_SESSION:
		return (u64)p->session == f->number;
	case OP_RSS:
		return match_size(f, p->rss_pages * page_size);
	}
	return 0;
}

int
filter_match(const struct filter *f, const struct process *p)
{
	if (subject.pid != p->pid) {
		subject.pid = p->pid;
		subject.has_cmdline = subject.has_exe = subject.has_cgroup = 0;
	}
	return match(f, p);
}
