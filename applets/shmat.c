/* shmat - System V shared memory, seen and attached without disturbing it
 *
 * config SHMAT
 * 	bool "shmat (12 kb)"
 * 	default y
 * 	help
 * 	  usage: shmat [list] [OPTION]...
 */
#include "list.h"

enum { OPT_JSON = 256 + 16, OPT_BYTES, OPT_FORMAT };

static const struct opt options[] = {
	{ "json", OPT_JSON }, { "bytes", OPT_BYTES },
	{ "format", OPT_FORMAT, OPT_ARG },
	{ 0 }
};

int shmat_main(char **argv);

int
shmat_main(char **argv)
{
	static struct out out;
	struct shm_list list = { .kinds = SHM_SYSV };
	struct opts o;
	int id, status;

	opt_open(&o, argv, options);
	while ((id = opt_next(&o)) != OPT_END)
		switch (id) {
		case OPT_JSON: list.format = ROWS_JSON; break;
		case OPT_BYTES: list.bytes = 1; break;
		}
	out_open(&out, 1);
	status = shm_list(&out, &list);
	if (out_finish(&out, "standard output"))
		return EXIT_FAILED;
	return status;
}
