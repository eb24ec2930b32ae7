/* outfile.c - results appear under their name whole, or not at all. */
#include <stdio.h>
#include <sys/vfs.h>

#include "../base.h"

/* f_type of file systems whose files are RAM (linux/magic.h; devtmpfs and
 * rootfs are one of these two). */
enum { TMPFS_TYPE = 0x01021994, RAMFS_TYPE = (int)0x858458f6 };

static char dir[PATH_MAX];	/* that a path is or will be in */

/* -1: the name is too long. */
static int
find_directory(const char *path)
{
	char *slash;

	if ((size_t)fmt_str(dir, sizeof(dir), "%s", path) >= sizeof(dir)) {
		errno = ENAMETOOLONG;
		return -1;
	}
	slash = strrchr(dir, '/');
	if (!slash)
		memcpy(dir, ".", 2);
	else
		slash[slash == dir] = 0;
	return 0;
}

int
outfile_fs(const char *path, struct statfs *fs)
{
	return find_directory(path) < 0 ? -1 : statfs(dir, fs);
}

/* Can a file be made there, and is it no RAM? */
static int
check_directory(const char *path, int flags)
{
	struct statfs fs;

	if (outfile_fs(path, &fs) < 0 || access(dir, W_OK | X_OK) < 0) {
		warn("create %s:", path);
		return -1;
	}
	if (flags & OUTFILE_ANYFS)
		return 0;
	if ((int)fs.f_type != TMPFS_TYPE && (int)fs.f_type != RAMFS_TYPE)
		return 0;
	warn("%s lies in RAM (tmpfs or ramfs): it would fill the memory it is "
		"to save; choose a disk, -o - into a pipe, or --force", path);
	return -1;
}

/* A device or pipe is written in place: there is nothing to rename. A block
 * device that is in use (mounted) is refused by the kernel (EBUSY). */
static int
open_in_place(struct outfile *f, mode_t mode)
{
	f->part[0] = 0;
	f->fd = open(f->path, O_WRONLY | O_NOFOLLOW | O_NOCTTY | O_CLOEXEC |
		(S_ISBLK(mode) ? O_EXCL : 0));
	if (f->fd < 0)
		warn("open %s:", f->path);
	return f->fd < 0 ? -1 : 0;
}

static int
refuse_existing(const char *path, mode_t mode, int flags)
{
	if (S_ISLNK(mode))
		warn("%s is a symbolic link: not followed; name the file itself",
			path);
	else if (S_ISDIR(mode))
		warn("%s is a directory: name a file in it", path);
	else if (S_ISSOCK(mode))
		warn("%s is a socket: name a file", path);
	else if (flags & OUTFILE_FORCE)
		return 0;
	else if (S_ISBLK(mode))
		warn("%s is a block device: --force overwrites what is on it",
			path);
	else
		warn("%s exists: choose another name, or --force", path);
	return -1;
}

int
outfile_check(const char *path, int flags)
{
	struct stat st;

	if (!strcmp(path, "-"))
		return 0;
	if (lstat(path, &st) < 0)
		return check_directory(path, flags);
	if (S_ISCHR(st.st_mode) || S_ISFIFO(st.st_mode))
		return 0;
	if (refuse_existing(path, st.st_mode, flags) < 0)
		return -1;
	return S_ISREG(st.st_mode) ? check_directory(path, flags) : 0;
}

static int
open_part(struct outfile *f)
{
	if ((size_t)fmt_str(f->part, sizeof(f->part), "%s.part", f->path) >=
	    sizeof(f->part)) {
		errno = ENAMETOOLONG;
		f->part[0] = 0;
		warn("%s:", f->path);
		return -1;
	}
	f->fd = open(f->part, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW |
		O_CLOEXEC, 0600);
	if (f->fd < 0 && errno == EEXIST)
		warn("%s exists: another run is writing it, or one was "
			"killed; remove it first", f->part);
	else if (f->fd < 0)
		warn("create %s:", f->part);
	return f->fd < 0 ? -1 : 0;
}

int
outfile_open(struct outfile *f, const char *path, int flags)
{
	struct stat st;

	f->fd = -1;
	f->flags = flags;
	f->path = path;
	f->part[0] = 0;
	if (!strcmp(path, "-")) {
		f->fd = 1;
		return 0;
	}
	if (outfile_check(path, flags) < 0)
		return -1;
	if (!lstat(path, &st) && !S_ISREG(st.st_mode))
		return open_in_place(f, st.st_mode);
	return open_part(f);
}

/* The .part's name is no longer needed: its room takes the directory's. */
static void
sync_directory(struct outfile *f)
{
	char *slash = strrchr(f->part, '/');
	int fd;

	if (slash)
		slash[1] = 0;
	fd = open(slash ? f->part : ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd >= 0) {
		fsync(fd);
		close(fd);
	}
}

/* Without --force a file that came meanwhile is not replaced. */
static int
give_name(const struct outfile *f)
{
	if (f->flags & OUTFILE_FORCE)
		return rename(f->part, f->path);
	if (!link(f->part, f->path))
		return unlink(f->part);
	/* File systems without links (vfat). */
	if (errno == EPERM || errno == EOPNOTSUPP || errno == ENOSYS)
		return rename(f->part, f->path);
	return -1;
}

int
outfile_commit(struct outfile *f)
{
	if (f->fd == 1)
		return 0;
	/* Pipes and character devices know no fsync (EINVAL, EROFS). */
	if (fsync(f->fd) < 0 && f->part[0]) {
		warn("fsync %s:", f->part);
		outfile_abort(f);
		return -1;
	}
	if (f->part[0] && give_name(f) < 0) {
		warn("rename %s to %s:", f->part, f->path);
		outfile_abort(f);
		return -1;
	}
	close(f->fd);
	f->fd = -1;
	if (f->part[0])
		sync_directory(f);
	return 0;
}

void
outfile_abort(struct outfile *f)
{
	if (f->fd < 0 || f->fd == 1)
		return;
	close(f->fd);
	f->fd = -1;
	if (f->part[0] && !(f->flags & OUTFILE_KEEP))
		unlink(f->part);
}
