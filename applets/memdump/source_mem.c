/* source_mem.c - devices in which RAM stands at its physical address. */
#include "memdump.h"

static int
device_map(struct source *s)
{
	static struct range ram[IOMEM_RANGES];
	static const struct extent all = { 0, INT64_MAX, 0, 0 };
	int n = source_ram(s, ram);

	return n < 0 ? -1 : source_map(s, ram, n, &all, 1);
}

/* Refuses the first MiB alone: STRICT_DEVMEM lets that be read. */
static int
try_above(struct source *s)
{
	struct source high = *s;
	unsigned i;

	for (i = 0; i < s->extents && s->extent[i].end <= MIB; i++)
		;
	high.extent += i;
	high.extents -= i;
	return high.extents ? source_try(&high) : source_try(s);
}

int
mem_open(struct source *s)
{
	s->live = 1;
	s->fd = root_open("/dev/mem", O_RDONLY);
	if (s->fd < 0 && errno == ENOENT)
		return source_refuse(s, "not there: the kernel has no "
			"CONFIG_DEVMEM, or /dev is empty (mknod /dev/mem "
			"c 1 1)");
	if (s->fd < 0)
		return source_denied(s, errno, "integrity confidentiality");
	if (device_map(s) < 0)
		return -1;
	if (try_above(s) < 0)
		return errno == EPERM || errno == EFAULT ? source_refuse(s,
			"RAM above 1 MiB cannot be read: the kernel has "
			"CONFIG_STRICT_DEVMEM; use /proc/kcore, or a kernel "
			"without it") : source_denied(s, errno, "");
	source_info_sys(s);
	source_text(s);
	return 0;
}

int
crash_open(struct source *s)
{
	s->live = 1;
	s->fd = root_open("/dev/crash", O_RDONLY);
	if (s->fd < 0 && errno == ENOENT)
		return source_refuse(s, "not there: the kernels of Red Hat have "
			"it, after modprobe crash");
	if (s->fd < 0)
		return source_denied(s, errno, "integrity confidentiality");
	if (device_map(s) < 0)
		return -1;
	if (source_try(s) < 0)
		return source_denied(s, errno, "");
	source_info_sys(s);
	source_text(s);
	return 0;
}
