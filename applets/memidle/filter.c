/* filter.c - which VMAs: words joined by "and" (or nothing), "or", "not" and
 * parentheses, kept in postfix. */
#include "memidle.h"

enum filter_op {
	F_HEAP, F_STACK, F_ANON, F_FILE, F_READABLE, F_WRITABLE, F_EXECUTABLE,
	F_SHARED, F_LONGER, F_NAME, F_AND, F_OR, F_NOT
};
static const char *const words[] = {
	[F_HEAP] = "heap", [F_STACK] = "stack", [F_ANON] = "anon",
	[F_FILE] = "file", [F_READABLE] = "readable",
	[F_WRITABLE] = "writable", [F_EXECUTABLE] = "executable",
	[F_SHARED] = "shared", [F_LONGER] = "longer", [F_NAME] = "name",
};

enum { OPS_MAX = 64, TEXT_MAX = 256, NEST_MAX = 16 };
static struct op {
	u8 op;
	u64 bytes;
	char *glob;
} ops[OPS_MAX];
static unsigned op_count;
static char text[TEXT_MAX];	/* globs */
static size_t text_used;
static const char *at, *whole;

static _Noreturn void
filter_die(const char *why)
{
	fault_die("--filter", whole, at, why);
}

static struct op *
op_add(enum filter_op op)
{
	if (op_count == OPS_MAX)
		filter_die("too long");
	ops[op_count] = (struct op){ .op = (u8)op };
	return &ops[op_count++];
}

static void
skip_blanks(void)
{
	at += strspn(at, " \t,");
}

/* Takes the sign or the whole word. */
static int
take(const char *sign, const char *word)
{
	size_t n = word ? strlen(word) : 0;

	skip_blanks();
	if (*sign && !strncmp(at, sign, strlen(sign))) {
		at += strlen(sign);
		return 1;
	}
	if (!n || strncmp(at, word, n) || (at[n] >= 'a' && at[n] <= 'z'))
		return 0;
	at += n;
	return 1;
}

/* (TEXT), which may hold balanced parentheses of its own. */
static char *
argument(void)
{
	char *arg = text + text_used;
	int depth = 1;

	if (!take("(", NULL))
		filter_die("want (");
	for (; *at; at++) {
		depth += (*at == '(') - (*at == ')');
		if (!depth)
			break;
		if (text_used + 2 > TEXT_MAX)
			filter_die("too long");
		text[text_used++] = *at;
	}
	text[text_used++] = 0;
	if (!take(")", NULL))
		filter_die("want )");
	return arg;
}

static void filter_or(int depth);

static void
filter_word(int depth)
{
	unsigned i;
	struct op *op;
	const char *begin;

	if (depth > NEST_MAX)
		filter_die("nested too deeply");
	if (take("!", "not")) {
		filter_word(depth + 1);
		op_add(F_NOT);
		return;
	}
	if (take("(", NULL)) {
		filter_or(depth + 1);
		if (!take(")", NULL))
			filter_die("want )");
		return;
	}
	for (i = 0; i < ARRAY_LEN(words); i++)
		if (take("", words[i]))
			break;
	if (i == ARRAY_LEN(words))
		filter_die("want heap stack anon file readable writable "
			"executable shared longer(SIZE) or name(GLOB)");
	op = op_add(i);
	begin = at + (*at == '(');
	if (i == F_NAME)
		op->glob = argument();
	else if (i == F_LONGER && parse_size(argument(), &op->bytes) < 0)
		fault_die("--filter", whole, begin, "not a size (like 4096, "
			"64K, 1.5G)");
}

static void
filter_and(int depth)
{
	filter_word(depth);
	for (;;) {
		skip_blanks();
		if (!*at || *at == ')' || *at == '|' ||
		    (!strncmp(at, "or", 2) && !(at[2] >= 'a' && at[2] <= 'z')))
			return;
		if (!take("&&", "and"))
			take("&", NULL);
		filter_word(depth);
		op_add(F_AND);
	}
}

static void
filter_or(int depth)
{
	filter_and(depth);
	while (take("||", "or") || take("|", NULL)) {
		filter_and(depth);
		op_add(F_OR);
	}
}

void
vma_filter_parse(const char *expr)
{
	whole = at = expr;
	op_count = 0;
	text_used = 0;
	filter_or(0);
	skip_blanks();
	if (*at)
		filter_die("unexpected text");
}

/* ---- evaluation ---- */

static int
path_begins(const struct vma *v, const char *s)
{
	size_t n = strlen(s);

	return v->path_len >= n && !memcmp(v->path, s, n);
}

static int
is_file(const struct vma *v)
{
	return v->path_len && *v->path != '[' && !path_begins(v, "//anon") &&
		!path_begins(v, "/dev/zero (deleted)");
}

static int
matches(const struct op *op, const struct vma *v)
{
	switch (op->op) {
	case F_HEAP: return path_begins(v, "[heap]");
	case F_STACK: return path_begins(v, "[stack");
	case F_ANON: return !is_file(v);
	case F_FILE: return is_file(v);
	case F_READABLE: return !!(v->perm & VMA_READ);
	case F_WRITABLE: return !!(v->perm & VMA_WRITE);
	case F_EXECUTABLE: return !!(v->perm & VMA_EXEC);
	case F_SHARED: return !!(v->perm & VMA_SHARED);
	case F_LONGER: return v->end - v->start > op->bytes;
	default: return glob_match(op->glob, v->path, v->path_len);
	}
}

int
vma_filter_wants(const struct vma *v)
{
	u8 stack[OPS_MAX + 1];
	unsigned i, n = 0;

	if (!op_count)
		return 1;
	for (i = 0; i < op_count; i++)
		switch (ops[i].op) {
		case F_AND:
			n--;
			stack[n - 1] &= stack[n];
			break;
		case F_OR:
			n--;
			stack[n - 1] |= stack[n];
			break;
		case F_NOT:
			stack[n - 1] = !stack[n - 1];
			break;
		default:
			stack[n++] = (u8)matches(&ops[i], v);
		}
	return stack[0];
}
