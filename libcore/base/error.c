/* error.c - messages to people: one write(2) each, so that lines of several
 * processes on one console do not mix. */
#include "../base.h"

const char *applet_name = "membox";
void (*die_cleanup)(void);
const char *applet_usage = "usage: membox APPLET [ARGUMENTS]\n";

enum { MESSAGE_MAX = 1024 };

struct message {
	size_t used;
	char text[MESSAGE_MAX];
};

/* Names from the system are inside: what could move a terminal's cursor is
 * shown, not sent. A newline is ours only at the end. */
static void
message_put(void *arg, const char *s, size_t n)
{
	static const char hex[] = "0123456789abcdef";
	struct message *m = arg;

	while (n && m->used < MESSAGE_MAX - 8) {
		size_t len = utf8_printable(s, n);
		if (len) {
			memcpy(m->text + m->used, s, len);
			m->used += len;
		} else {
			len = 1;
			m->text[m->used++] = '\\';
			m->text[m->used++] = 'x';
			m->text[m->used++] = hex[(u8)*s >> 4];
			m->text[m->used++] = hex[*s & 15];
		}
		s += len;
		n -= len;
	}
}

static void
message_str(struct message *m, const char *s)
{
	message_put(m, s, strlen(s));
}

static void
message_send(struct message *m)
{
	m->text[m->used++] = '\n';
	(void)!write(2, m->text, m->used);
}

static void
message_error(const char *fmt, va_list ap)
{
	struct message m = { 0 };
	int error = errno;
	size_t n = strlen(fmt);

	message_str(&m, applet_name);
	message_str(&m, ": ");
	fmt_to(message_put, &m, fmt, ap);
	if (n && fmt[n - 1] == ':') {
		message_str(&m, " ");
		message_str(&m, strerror(error));
	}
	message_send(&m);
	errno = error;
}

int
warn(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	message_error(fmt, ap);
	va_end(ap);
	return 1;
}

static void
clean_up(void)
{
	if (die_cleanup)
		die_cleanup();
}

void
die(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	message_error(fmt, ap);
	va_end(ap);
	clean_up();
	_exit(EXIT_FAILED);
}

void
usage_die(const char *fmt, ...)
{
	va_list ap;
	size_t n = strcspn(applet_usage, "\n");

	va_start(ap, fmt);
	message_error(fmt, ap);
	va_end(ap);
	note("%.*s", (int)n, applet_usage);
	note("Try '%s --help'.", applet_name);
	clean_up();
	_exit(EXIT_USAGE);
}

void
fault_die(const char *opt, const char *text, const char *at, const char *what)
{
	warn("%s: %s", opt, what);
	note("  %s", text);
	note("  %*s^", (int)(at - text), "");
	clean_up();
	_exit(EXIT_USAGE);
}

void
note(const char *fmt, ...)
{
	struct message m = { 0 };
	va_list ap;

	va_start(ap, fmt);
	fmt_to(message_put, &m, fmt, ap);
	va_end(ap);
	message_send(&m);
}
