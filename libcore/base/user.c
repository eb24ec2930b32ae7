/* user.c - names of users from /etc/passwd: libc's getpwuid brings the heap with
 * it, and knows nothing of --root. */
#include "../base.h"

enum { USERS = 64 };
static struct {
	u32 uid;
	char name[USER_MAX];
} known[USERS];
static unsigned known_count;

/* name:password:uid:.. */
static int
parse_line(char *line, u32 *uid)
{
	char *at = strchr(line, ':'), *end = at ? strchr(at + 1, ':') : NULL;
	const char *s = end ? end + 1 : "";
	u64 v;

	if (!end || scan_u64(&s, &v) < 0 || *s != ':')
		return -1;
	*at = 0;
	*uid = (u32)v;
	return 0;
}

/* The line of a user, by name or (name NULL) by number. */
static int
find(const char *name, u32 *uid, char *found)
{
	struct lines l;
	char buf[1024], *line;
	size_t n;
	u32 v;
	int fd = root_open("/etc/passwd", O_RDONLY), hit = 0;

	if (fd < 0)
		return -1;
	lines_open(&l, fd, buf, sizeof(buf));
	while (!hit && (line = lines_next(&l, &n))) {
		if (parse_line(line, &v) < 0)
			continue;
		hit = name ? !strcmp(line, name) : v == *uid;
		if (hit) {
			*uid = v;
			fmt_str(found, USER_MAX, "%s", line);
		}
	}
	close(fd);
	return hit ? 0 : -1;
}

int
user_id(const char *name, u32 *uid)
{
	char found[USER_MAX];

	return find(name, uid, found);
}

char *
user_name(char *buf, u32 uid)
{
	unsigned i;

	for (i = 0; i < known_count; i++)
		if (known[i].uid == uid)
			return strcpy(buf, known[i].name);
	if (find(NULL, &uid, buf) < 0)
		fmt_str(buf, USER_MAX, "%u", uid);
	if (known_count < USERS) {
		known[known_count].uid = uid;
		strcpy(known[known_count++].name, buf);
	}
	return buf;
}
