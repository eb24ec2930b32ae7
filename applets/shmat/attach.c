/* attach.c - attach segments and hold them. */
#include <sys/shm.h>
#include <sys/wait.h>

#include "shmat.h"

enum { ATTACH_MAX = 4096 };
static char *attached[ATTACH_MAX];
static u32 count;

static int
attach_one(struct out *o, const struct shm_segment *seg)
{
	char *p;

	if (count == ATTACH_MAX)
		return warn("segment %d: more than %d at once", seg->id,
			ATTACH_MAX);
	p = segment_attach(seg, opts.rw ? 0 : SHM_RDONLY);
	if (!p)
		return EXIT_FAILED;
	attached[count++] = p;
	if (opts.list.format == ROWS_JSON)
		out_fmt(o, "{\"key\":\"0x%08x\",\"id\":%d,\"size\":%lu,"
			"\"address\":\"0x%lx\"}\n", seg->key, seg->id,
			seg->size, (unsigned long)(uintptr_t)p);
	else
		out_fmt(o, "0x%08x %d %lu 0x%lx\n", seg->key, seg->id,
			seg->size, (unsigned long)(uintptr_t)p);
	return 0;
}

static int
attach_all(struct out *o)
{
	struct shms list;
	struct shm_segment seg;
	int failed = 0, r;

	if (shms_open(&list) < 0)
		return warn("open /proc/sysvipc/shm (no CONFIG_SYSVIPC?):");
	while ((r = shms_next(&list, &seg)) > 0)
		failed |= attach_one(o, &seg);
	shms_close(&list);
	return r < 0 ? warn("read /proc/sysvipc/shm:") : failed;
}

/* The command's own status, 128+N when a signal ended it. */
static int
run_command(char **argv)
{
	int status;
	pid_t pid = fork();

	if (pid < 0)
		die("fork:");
	if (!pid) {
		execvp(argv[0], argv);
		warn("%s:", argv[0]);
		_exit(errno == ENOENT ? 127 : 126);
	}
	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return warn("wait for %s:", argv[0]);
	return WIFSIGNALED(status) ? 128 + WTERMSIG(status)
		: WEXITSTATUS(status);
}

static void
hold(void)
{
	if (opts.hold)
		sleep_until(now_ns() + opts.hold);
	else
		while (!stop_signal)
			pause();
}

int
verb_attach(char **words)
{
	static struct out o;
	struct shm_segment seg;
	int failed = 0;
	u32 i;

	root_refuse("attach");
	if (opts.all ? !!words[0] : !words[0])
		usage_die("attach: which? ID, 0xKEY, or --all");
	stop_on_signals();
	out_open(&o, 1);
	if (opts.all)
		failed = attach_all(&o);
	for (; *words; words++)
		failed |= segment_find(*words, &seg) ||
			attach_one(&o, &seg);
	if (out_finish(&o, "standard output"))
		failed = EXIT_FAILED;
	if (opts.command)
		failed = run_command(opts.command);
	else if (count)
		hold();
	for (i = 0; i < count; i++)
		shmdt(attached[i]);
	return failed;
}
