/* faulty - run a command whose reads of one file fail at chosen offsets
 *
 * usage: faulty [-s] [-e EIO|EFAULT] -f FILE -o OFFSET[,OFFSET].. COMMAND...
 *
 * A read(2) or pread(2) of FILE that touches the page at an OFFSET fails with
 * the error (EIO), as a whole, as /proc/kcore does; with -s it first gives what
 * stands before that page, as a disk does. All else goes on as it is. The exit
 * status is the command's, 128+N after a signal; 125 when it could not be run;
 * the number of failed reads goes to stderr with -v.
 *
 * By seccomp's user notification (Linux 5.5): the filter holds for all threads.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

enum { PAGE = 4096, OFFSETS = 64 };

static char file[PATH_MAX];
static uint64_t bad[OFFSETS];
static int nbad, error = EIO, partial, verbose, failures;

static void
fail(const char *what)
{
	perror(what);
	exit(125);
}

/* In the child: the filter, whose listener goes to the parent. */
static void
install_filter(int sock)
{
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS,
			offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_pread64, 1, 0),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_read, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_USER_NOTIF),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog prog = { sizeof(code) / sizeof(*code), code };
	char control[CMSG_SPACE(sizeof(int))] = { 0 };
	struct iovec iov = { "", 1 };
	struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1,
		.msg_control = control, .msg_controllen = sizeof(control) };
	struct cmsghdr *c = CMSG_FIRSTHDR(&msg);
	int fd;

	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0))
		fail("no_new_privs");
	fd = (int)syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER,
		SECCOMP_FILTER_FLAG_NEW_LISTENER, &prog);
	if (fd < 0)
		fail("seccomp");
	c->cmsg_level = SOL_SOCKET;
	c->cmsg_type = SCM_RIGHTS;
	c->cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(c), &fd, sizeof(fd));
	if (sendmsg(sock, &msg, 0) < 0)
		fail("sendmsg");
	close(fd);
	close(sock);
}

static int
take_listener(int sock)
{
	char control[CMSG_SPACE(sizeof(int))], byte;
	struct iovec iov = { &byte, 1 };
	struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1,
		.msg_control = control, .msg_controllen = sizeof(control) };
	int fd;

	if (recvmsg(sock, &msg, 0) <= 0 || !CMSG_FIRSTHDR(&msg))
		return -1;
	memcpy(&fd, CMSG_DATA(CMSG_FIRSTHDR(&msg)), sizeof(fd));
	return fd;
}

/* Offset of the call's first byte when it reads our file, else -1. */
static int64_t
read_offset(const struct seccomp_notif *n)
{
	char path[64], link[PATH_MAX], line[64];
	long long pos = -1;
	ssize_t len;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%u/fd/%llu", n->pid,
		n->data.args[0]);
	len = readlink(path, link, sizeof(link) - 1);
	if (len < 0)
		return -1;
	link[len] = 0;
	if (strcmp(link, file))
		return -1;
	if (n->data.nr == SYS_pread64)
		return (int64_t)n->data.args[3];
	snprintf(path, sizeof(path), "/proc/%u/fdinfo/%llu", n->pid,
		n->data.args[0]);
	f = fopen(path, "r");
	if (!f)
		return -1;
	while (fgets(line, sizeof(line), f))
		if (sscanf(line, "pos: %lld", &pos) == 1)
			break;
	fclose(f);
	return pos;
}

/* What stands before the bad page, put into the caller's memory: bytes. */
static int64_t
give(const struct seccomp_notif *n, int64_t offset, size_t len)
{
	static char buf[16 << 20];
	struct iovec from = { buf, 0 }, to = { (void *)n->data.args[1], 0 };
	int fd = open(file, O_RDONLY | O_CLOEXEC);
	ssize_t got;

	if (len > sizeof(buf))
		len = sizeof(buf);
	got = pread(fd, buf, len, offset);
	close(fd);
	if (got <= 0)
		return got;
	from.iov_len = to.iov_len = (size_t)got;
	return process_vm_writev((pid_t)n->pid, &from, 1, &to, 1, 0);
}

static void
answer(const struct seccomp_notif *n, struct seccomp_notif_resp *r)
{
	int64_t offset = read_offset(n), got;
	uint64_t first = UINT64_MAX, len = n->data.args[2], page;
	int i;

	r->flags = SECCOMP_USER_NOTIF_FLAG_CONTINUE;
	for (i = 0; offset >= 0 && i < nbad; i++) {
		page = bad[i] & ~(uint64_t)(PAGE - 1);
		if (page < (uint64_t)offset + len &&
		    page + PAGE > (uint64_t)offset && page < first)
			first = page;
	}
	if (first == UINT64_MAX)
		return;
	r->flags = 0;
	failures++;
	/* read's file position would not move: only pread is partial */
	if (partial && n->data.nr == SYS_pread64 && first > (uint64_t)offset) {
		got = give(n, offset, (size_t)(first - (uint64_t)offset));
		if (got > 0) {
			r->val = got;
			return;
		}
	}
	r->error = -error;
}

static void
serve(int fd)
{
	struct pollfd p = { fd, POLLIN, 0 };
	struct seccomp_notif n;
	struct seccomp_notif_resp r;

	while (poll(&p, 1, -1) > 0 && (p.revents & POLLIN)) {
		memset(&n, 0, sizeof(n));
		if (ioctl(fd, SECCOMP_IOCTL_NOTIF_RECV, &n))
			continue;
		memset(&r, 0, sizeof(r));
		r.id = n.id;
		answer(&n, &r);
		ioctl(fd, SECCOMP_IOCTL_NOTIF_SEND, &r);
	}
}

int
main(int argc, char **argv)
{
	int opt, pair[2], fd, status;
	char *s, *end;
	pid_t pid;

	while ((opt = getopt(argc, argv, "+svf:e:o:")) != -1)
		switch (opt) {
		case 's': partial = 1; break;
		case 'v': verbose = 1; break;
		case 'e': error = strcmp(optarg, "EFAULT") ? EIO : EFAULT;
			break;
		case 'f':
			if (!realpath(optarg, file))
				fail(optarg);
			break;
		case 'o':
			for (s = optarg; nbad < OFFSETS; s = end + 1) {
				bad[nbad++] = strtoull(s, &end, 0);
				if (*end != ',')
					break;
			}
			break;
		default: return 125;
		}
	if (!*file || !nbad || optind == argc)
		return fputs("faulty: see its head comment\n", stderr), 125;
	if (socketpair(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0, pair))
		fail("socketpair");
	pid = fork();
	if (pid < 0)
		fail("fork");
	if (!pid) {
		install_filter(pair[0]);
		execvp(argv[optind], argv + optind);
		fail(argv[optind]);
	}
	close(pair[0]);
	fd = take_listener(pair[1]);
	if (fd >= 0)
		serve(fd);
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	if (verbose)
		fprintf(stderr, "faulty: %d reads failed\n", failures);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}
