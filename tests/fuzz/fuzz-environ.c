/* /proc/PID/environ read in pieces says what a plain search of the whole says;
 * command lines, and options in them, stay within the buffer. */
#include "applets/memstats/memstats.h"
#include "fuzz.h"

enum { INPUT = 8192, VALUE = 16 };

/* The value of A, the plain way; NULL when it is not set. */
static const char *
search(const char *text, size_t size)
{
	const char *end = text + size;

	for (; text < end; text += strlen(text) + 1)
		if (!strncmp(text, "A=", 2))
			return text + 2;
	return NULL;
}

int
LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	static char text[INPUT + 1], buf[INPUT + 1];
	char value[VALUE];
	const char *want, *found;
	ssize_t n;

	if (size > INPUT)
		return 0;
	memcpy(text, data, size);
	text[size] = 0;
	fuzz_root("proc/5/environ", data, size);
	fuzz_root("proc/5/cmdline", data, size);
	n = proc_env(5, "A", value, sizeof(value));
	want = search(text, size);
	must((n >= 0) == !!want);
	must(n < 0 || (strlen(value) == (size_t)n && n < VALUE &&
		!strncmp(want, value, (size_t)n)));
	must(n < 0 || strlen(want) == (size_t)n || n == VALUE - 1);
	n = proc_cmdline(5, buf, sizeof(buf));
	must(n >= 0 && n <= (ssize_t)size && !memchr(buf, 0, (size_t)n));
	found = option_value(text, size, "-D");
	must(!found || (found > text && found <= text + size));
	found = option_value(text, size, "--datadir");
	must(!found || (found > text && found <= text + size));
	return 0;
}
