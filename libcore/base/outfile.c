/* outfile.c - results appear under their name whole, or not at all. */
#include <stdio.h>
#include <sys/vfs.h>

#include "../base.h"

/* f_type of file systems whose files are RAM (linux/magic.h; devtmpfs and
 * rootfs are one of these two). */
enum { TMPFS_TYPE = 0x01021994, RAMFS_TYPE = (int)0x858458f6 };

static int
fs_is_ram(const struct outfile *f)
{
	struct statfs fs;

	return !(f->flags & OUTFILE_ANYFS) && !fstatfs(f->fd, &fs) &&
		((int)fs.f_type == TMPFS_TYPE || (int)fs.f_type == RAMFS_TYPE);
}

/* A device or pipe is written in place: there is nothing to rename. */
static int
open_in_place(struct outfile *f)
{
	f->part[0] = 0;
	f->fd = open(f->path, O_WRONLY | O_NOFOLLOW | O_NOCTTY | O_CLOEXEC);
	if (f->fd < 0)
		warn("open %s:", f->path);
	return f->fd < 0 ? -1 : 0;
}

static int
refuse_existing(const struct outfile *f, mode_t mode)
{
	if (S_ISLNK(mode))
		warn("%s is a symbolic link: not followed; name the file itself",
			f->path);
	else if (S_ISDIR(mode))
		warn("%s is a directory: name a file in it", f->path);
	else if (!(f->flags & OUTFILE_FORCE))
		warn("%s exists: choose another name, or --force", f->path);
	else
		return 0;
	return -1;
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
	if (f->fd >= 0 && fs_is_ram(f)) {
		warn("%s lies in RAM (tmpfs or ramfs): it would fill the memory "
			"it is to save; choose a disk, -o - into a pipe, or "
			"--force", f->path);
		outfile_abort(f);
	}
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
	if (!lstat(path, &st)) {
		if (S_ISCHR(st.st_mode) || S_ISBLK(st.st_mode) ||
		    S_ISFIFO(st.st_mode))
			return open_in_place(f);
		if (refuse_existing(f, st.st_mode) < 0)
			return -1;
	}
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
