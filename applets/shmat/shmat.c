/* shmat - System V shared memory, seen and attached without disturbing it
 *
 * config SHMAT
 * 	bool "shmat (8 kb)"
 * 	default y
 * 	help
 * 	  usage: shmat [list] [--json | --format FORMAT] [--bytes]
 * 	         shmat attach {ID | 0xKEY ... | --all} [--rw] [--hold SECONDS]
 * 	                [-- COMMAND ...]
 * 	         shmat dump ID [-o FILE] [--sparse]
 * 	         shmat hex ID [OFFSET [LENGTH]]
 * 	         shmat pfns ID
 * 	         shmat create SIZE [--key K] [--mode M] [--huge 2M|1G]
 * 	         shmat write ID [OFFSET] <DATA
 * 	         shmat advise ID ADVICE
 * 	         shmat rm [-y] ID...
 *
 * 	  System V shared memory segments. Nothing but create, write, advise and rm
 * 	  changes a segment: what is listed, dumped or looked up touches no page that
 * 	  is not there. Every ID may be written 0xKEY.
 *
 * 	  list    size, resident and swapped bytes, huge pages, who has it attached
 * 	  attach  read-only; prints key, id, size and address; holds until a signal,
 * 	          the time's end or COMMAND's, then detaches
 * 	  dump    the contents; what is absent is a hole in FILE, zeroes in a pipe
 * 	  hex     the same for eyes
 * 	  pfns    resident pages as runs of page frame numbers with their flags
 * 	  advise  ADVICE: normal random sequential willneed dontneed remove hwpoison
 * 	          soft_offline free cold pageout populate_read populate_write hugepage
 * 	          nohugepage collapse (madvise(2))
 *
 * 	        --json, --format F  table, json, ndjson, csv, prom
 * 	        --bytes         sizes as plain integers
 * 	    -a, --all           every segment
 * 	    -w, --rw            attach for writing too
 * 	        --hold SECONDS  0 = until a signal (the default)
 * 	    -o, --output FILE   written whole or not at all; --force: replace FILE,
 * 	                        also on a file system that is memory
 * 	        --sparse        pages of zeroes become holes too
 * 	        --populate      may make absent pages, by reading them
 * 	    -y, --yes           rm: do not ask (it asks on a terminal only)
 * 	        --root DIR      list: read DIR/proc, a captured tree
 *
 * 	  Without root: reading data that is in swap needs --populate; page numbers
 * 	  are not shown. Data that is read from swap comes back to memory. Of a
 * 	  segment of huge pages rss is what its processes have mapped, unknown when
 * 	  nobody has it attached; its holes are dumped as zeroes.
 *
 * 	  Exit status: 0 done; 1 a segment failed (the others are still done); 2
 * 	  usage; 3 some processes or bytes could not be read; attach -- COMMAND: its.
 *
 * 	  Examples:
 * 	    shmat                                 what is there, and whose is it?
 * 	    shmat dump 0x162e -o sga.img --sparse
 * 	    shmat attach --all --rw --hold 60     what linux-mem's shmat does
 * 	    shmat attach 98307 -- sleep 1h        keep a removed segment alive
 */
#include "shmat.h"

enum { OPT_JSON = 256 + 16, OPT_BYTES, OPT_FORMAT, OPT_HOLD, OPT_SPARSE,
	OPT_POPULATE, OPT_FORCE, OPT_KEY, OPT_MODE, OPT_HUGE };

static const struct opt options[] = {
	{ "json", OPT_JSON }, { "bytes", OPT_BYTES },
	{ "format", OPT_FORMAT, OPT_ARG }, { "all", 'a' }, { "rw", 'w' },
	{ "hold", OPT_HOLD, OPT_ARG }, { "output", 'o', OPT_ARG },
	{ "sparse", OPT_SPARSE }, { "populate", OPT_POPULATE },
	{ "force", OPT_FORCE }, { "yes", 'y' }, { "key", OPT_KEY, OPT_ARG },
	{ "mode", OPT_MODE, OPT_ARG }, { "huge", OPT_HUGE, OPT_ARG },
	{ 0 }
};

struct shmat_opts opts = { .list.kinds = SHM_SYSV };

static void
option(int id, char *arg)
{
	switch (id) {
	case OPT_JSON: opts.list.format = ROWS_JSON; break;
	case OPT_BYTES: opts.list.bytes = 1; break;
	case 'a': opts.all = 1; break;
	case 'w': opts.rw = 1; break;
	case 'o': opts.output = arg; break;
	case 'y': opts.yes = 1; break;
	case OPT_SPARSE: opts.sparse = 1; break;
	case OPT_POPULATE: opts.populate = 1; break;
	case OPT_FORCE: opts.force = 1; break;
	case OPT_KEY: opts.key = arg; break;
	case OPT_MODE: opts.mode = arg; break;
	case OPT_HUGE: opts.huge = arg; break;
	case OPT_HOLD:
		opts.hold = xparse_time("--hold", arg, 1000000000);
		break;
	case OPT_FORMAT:
		if (rows_format_of(arg, &opts.list.format) < 0)
			usage_die("--format %s: there are table, json, ndjson, "
				"csv and prom", arg);
		break;
	}
}

static int
verb_list(char **words)
{
	static struct out o;
	int status;

	if (words[0])
		usage_die("list: what is '%s'?", words[0]);
	out_open(&o, 1);
	status = shm_list(&o, &opts.list);
	return out_finish(&o, "standard output") ? EXIT_FAILED : status;
}

static const struct {
	const char *name;
	int (*run)(char **words);
} verbs[] = {
	{ "list", verb_list }, { "attach", verb_attach },
	{ "dump", verb_dump }, { "hex", verb_hex }, { "pfns", verb_pfns },
	{ "create", verb_create }, { "write", verb_write },
	{ "advise", verb_advise }, { "rm", verb_rm },
};

int
shmat_main(char **argv)
{
	struct opts o;
	size_t i;
	int id;

	opt_open(&o, argv, options);
	o.split = 1;
	while ((id = opt_next(&o)) != OPT_END)
		option(id, o.arg);
	opts.command = o.command;
	if (!o.operands[0])
		return verb_list(o.operands);
	if (o.command && strcmp(o.operands[0], "attach"))
		usage_die("a command goes with attach only");
	for (i = 0; i < ARRAY_LEN(verbs); i++)
		if (!strcmp(verbs[i].name, o.operands[0]))
			return verbs[i].run(o.operands + 1);
	usage_die("what is '%s'? list, attach, dump, hex, pfns, create, write, "
		"advise, rm", o.operands[0]);
}
