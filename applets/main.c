/* main.c - one binary, many names: the applet is chosen by argv[0], or by the
 * first argument of "membox". */
#include <signal.h>
#include <sys/prctl.h>

#include "kern.h"

#define APPLET(name, NAME, summary, size) int name##_main(char **argv);
#define ALIAS(alias, name)
#include "applets.h"
#undef APPLET
#undef ALIAS

#include "usage.h"

static const struct applet {
	const char *name;
	const char *summary;	/* NULL: an alias */
	const char *size;
	const char *usage;
	int (*run)(char **argv);
} applets[] = {
#define APPLET(name, NAME, summary, size) \
	{ #name, summary, size, USAGE_##NAME, name##_main },
#define ALIAS(alias, applet) { .name = #alias, .size = #applet },
#include "applets.h"
#undef APPLET
#undef ALIAS
	{ 0 }
};

static const char config_text[] =
#include "config-text.h"
	;

static const char usage[] =
	"usage: membox APPLET [ARGUMENTS]\n"
	"       membox --list | --install [-s] DIR | --config | --version\n"
	"\n"
	"Inspects, measures and dumps the memory of a Linux machine. Called by\n"
	"the name of an applet (a link to this file), it is that applet.\n"
	"\n"
	"  --list             names of the applets, one a line\n"
	"  --install [-s] DIR make a hard (-s: symbolic) link in DIR for each\n"
	"  --config           the configuration this binary was built with\n"
	"  --version          the version\n"
	"\n"
	"APPLET --help tells more.\n";

static const struct applet *
applet_find(const char *name)
{
	const struct applet *a;

	for (a = applets; a->name; a++)
		if (!strcmp(a->name, name))
			return a;
	return NULL;
}

static int
applet_run(const struct applet *a, char **argv)
{
	const struct applet *real = a->run ? a : applet_find(a->size);

	applet_name = a->name;
	applet_usage = real->usage;
	return real->run(argv);
}

static void
describe(struct out *o)
{
	struct stat st;
	char size[FMT_SIZE_MAX];
	const struct applet *a;

	out_fmt(o, "membox %s", MEMBOX_VERSION);
	if (!stat("/proc/self/exe", &st))
		out_fmt(o, ", %s", fmt_size(size, (u64)st.st_size));
	out_str(o, "\n\n");
	out_str(o, usage);
	out_str(o, "\nApplets:\n");
	for (a = applets; a->name; a++)
		if (a->run)
			out_fmt(o, "  %-9s %6s  %s\n", a->name, a->size,
				a->summary);
		else
			out_fmt(o, "  %-9s         alias of %s\n", a->name,
				a->size);
}

/* Puts DIR/NAME for each applet; what is there already must be ours. */
static int
install_link(int dir, const char *where, const char *self, const char *name,
	int symbolic)
{
	struct stat ours, theirs;
	int r = symbolic ? symlinkat(self, dir, name)
		: linkat(AT_FDCWD, self, dir, name, AT_SYMLINK_FOLLOW);

	if (!r)
		return 0;
	if (errno == EEXIST && !stat(self, &ours) &&
	    !fstatat(dir, name, &theirs, 0) && ours.st_ino == theirs.st_ino &&
	    ours.st_dev == theirs.st_dev)
		return 0;
	if (errno == EXDEV)
		return warn("link %s/%s: another file system: use "
			"--install -s", where, name);
	return warn("link %s/%s:", where, name);
}

static int
install(char **argv)
{
	static char self[PATH_MAX];
	int symbolic = *argv && !strcmp(*argv, "-s"), dir, failed = 0;
	const struct applet *a;
	ssize_t n;

	argv += symbolic;
	if (!argv[0] || argv[1])
		usage_die("--install takes one directory");
	n = readlink("/proc/self/exe", self, sizeof(self) - 1);
	if (n < 0)
		die("read the link /proc/self/exe (is /proc mounted?):");
	dir = open(*argv, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (dir < 0)
		die("open %s:", *argv);
	for (a = applets; a->name; a++)
		failed |= install_link(dir, *argv, self, a->name, symbolic);
	return failed;
}

static int
membox(char **argv)
{
	static struct out o;
	const struct applet *a;

	out_open(&o, 1);
	if (!*argv || !strcmp(*argv, "--help") || !strcmp(*argv, "-h")) {
		describe(&o);
	} else if (!strcmp(*argv, "--list")) {
		for (a = applets; a->name; a++)
			out_fmt(&o, "%s\n", a->name);
	} else if (!strcmp(*argv, "--install")) {
		return install(argv + 1);
	} else if (!strcmp(*argv, "--config")) {
		out_str(&o, config_text);
	} else if (!strcmp(*argv, "--version")) {
		out_str(&o, "membox " MEMBOX_VERSION "\n");
	} else if (**argv == '-') {
		usage_die("unknown option %s", *argv);
	} else {
		a = applet_find(*argv);
		if (a) {
			/* ps and dracut look for the applet's name. */
			prctl(PR_SET_NAME, a->name);
			return applet_run(a, argv);
		}
		warn("unknown applet %s (membox --list names them)", *argv);
		return EXIT_NO_APPLET;
	}
	return out_finish(&o, "standard output");
}

/* A file that is opened where 0, 1 or 2 was closed would be taken for them: a
 * dump would hold our messages. A directory in their place gives EBADF. */
static void
hold_standard_fds(void)
{
	int fd;

	for (fd = 0; fd <= 2; fd++)
		if (fcntl(fd, F_GETFD) < 0)
			open("/", O_RDONLY | O_DIRECTORY);
}

int
main(int argc, char **argv)
{
	const char *name, *slash;
	const struct applet *a;

	applet_usage = usage;
	hold_standard_fds();
	page_init();
	/* A closed pipe is an errno, told or not told by who writes. */
	signal(SIGPIPE, SIG_IGN);
	if (!argc)
		usage_die("no argv[0]");
	slash = strrchr(argv[0], '/');
	name = slash ? slash + 1 : argv[0];
	a = applet_find(name);
	if (a)
		return applet_run(a, argv);
	if (!strncmp(name, "membox", 6))
		return membox(argv + 1);
	warn("unknown applet %s (membox --list names them)", name);
	return EXIT_NO_APPLET;
}
