/* opt.c - one way to read a command line: long and short options, clusters,
 * --opt=value, "--", operands in between. */
#include "../base.h"

static const struct opt common[] = {
	{ "help", 256 }, { "version", 257 }, { "root", 258, OPT_ARG }, { 0 },
};
enum { COMMON_HELP = 256, COMMON_VERSION, COMMON_ROOT };

void
opt_open(struct opts *o, char **argv, const struct opt *table)
{
	*o = (struct opts){ .table = table, .in = argv + 1, .out = argv + 1 };
	o->operands = o->out;
}

static _Noreturn void
print_and_exit(const char *a, const char *b, const char *c)
{
	struct out o;

	out_open(&o, 1);
	out_str(&o, a);
	out_str(&o, b);
	out_str(&o, c);
	_exit(out_finish(&o, "standard output"));
}

static const struct opt *
find_long(const struct opt *table, const char *name, size_t n)
{
	for (; table->name || table->id; table++)
		if (table->name && !strncmp(table->name, name, n) &&
		    !table->name[n])
			return table;
	return NULL;
}

static const struct opt *
find_short(const struct opt *table, char c)
{
	for (; table->name || table->id; table++)
		if (table->id == c)
			return table;
	return NULL;
}

static void
common_option(int id, char *arg)
{
	switch (id) {
	case COMMON_HELP:
		print_and_exit(applet_usage, "", "");
	case COMMON_VERSION:
		print_and_exit(applet_name, " (membox) ", MEMBOX_VERSION "\n");
	case COMMON_ROOT:
		if (root_set(arg) < 0)
			die("--root %s:", arg);
	}
}

static void
refuse_lacking(const struct opt *opt, const char *shown, size_t n)
{
	if (opt->lacks)
		usage_die("%.*s: not in this build (see membox --config)",
			(int)n, shown);
}

/* The option at *o->in, which begins with "--". */
static int
next_long(struct opts *o)
{
	char *word = *o->in++, *name = word + 2;
	size_t n = strcspn(name, "=");
	const struct opt *opt = find_long(o->table, name, n);
	int shared = !opt;

	if (shared)
		opt = find_long(common, name, n);
	if (!opt)
		usage_die("unknown option %.*s", (int)n + 2, word);
	refuse_lacking(opt, word, n + 2);
	o->arg = name[n] ? name + n + 1 : NULL;
	if (opt->arg == OPT_FLAG && o->arg)
		usage_die("%.*s takes no value", (int)n + 2, word);
	if (opt->arg == OPT_ARG && !o->arg && !(o->arg = *o->in++))
		usage_die("%s needs a value", word);
	if (!shared)
		return opt->id;
	common_option(opt->id, o->arg);
	return 0;
}

static int
next_short(struct opts *o)
{
	char shown[3] = { '-', *o->cluster++ };
	const struct opt *opt = find_short(o->table, shown[1]);

	if (!opt && shown[1] == 'h')
		common_option(COMMON_HELP, NULL);
	if (!opt)
		usage_die("unknown option %s", shown);
	refuse_lacking(opt, shown, 2);
	o->arg = NULL;
	if (opt->arg == OPT_ARG) {
		o->arg = *o->cluster ? o->cluster : *o->in++;
		o->cluster = NULL;
		if (!o->arg)
			usage_die("%s needs a value", shown);
	}
	return opt->id;
}

/* What follows "--" joins the operands, or stays apart as the command. */
static int
opt_finish(struct opts *o)
{
	if (o->split && *o->in)
		o->command = o->in;
	else
		while (*o->in)
			*o->out++ = *o->in++;
	*o->out = NULL;
	return OPT_END;
}

int
opt_next(struct opts *o)
{
	int id = 0;

	while (!id) {
		char *word;

		if (o->cluster && *o->cluster)
			return next_short(o);
		o->cluster = NULL;
		word = *o->in;
		if (!word)
			return opt_finish(o);
		if (word[0] != '-' || !word[1]) {
			*o->out++ = word;
			o->in++;
		} else if (word[1] != '-') {
			o->cluster = word + 1;
			o->in++;
		} else if (!word[2]) {
			o->in++;
			if (o->split && !*o->in)
				usage_die("no command after --");
			return opt_finish(o);
		} else {
			id = next_long(o);
		}
	}
	return id;
}
