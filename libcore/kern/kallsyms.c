/* kallsyms.c - the kernel's symbols, streamed: 100,000 lines and more. */
#include "../kern.h"

int
ksyms_open(struct ksyms *k, char *buf, size_t size)
{
	k->fd = root_open("/proc/kallsyms", O_RDONLY);
	if (k->fd < 0)
		return -1;
	lines_open(&k->lines, k->fd, buf, size);
	return 0;
}

/* "ffffffff81000000 T name" or "ffffffffc0000000 t name\t[module]" */
int
ksym_parse(char *line, struct ksym *s)
{
	const char *p = line;
	char *name, *end;

	if (scan_hex(&p, &s->addr) < 0 || p[0] != ' ' || !p[1] || p[2] != ' ')
		return -1;
	s->type = p[1];
	name = line + (p - line) + 3;
	s->name = name;
	s->module = "";
	end = name + strcspn(name, " \t");
	if (*end) {
		char *module = strchr(end, '[');
		*end = 0;
		if (module) {
			s->module = ++module;
			module[strcspn(module, "]")] = 0;
		}
	}
	return *name ? 0 : -1;
}

int
ksyms_next(struct ksyms *k, struct ksym *s)
{
	char *line;
	size_t n;

	line = lines_next(&k->lines, &n);
	if (!line) {
		errno = k->lines.err;
		return k->lines.err ? -1 : 0;
	}
	if (!ksym_parse(line, s))
		return 1;
	errno = EBADMSG;
	return -1;
}

void
ksyms_close(struct ksyms *k)
{
	close(k->fd);
}
