/* memidle-flags - count a process's present pages with KPF_IDLE set
 *
 * usage: memidle-flags PID [-f]
 *
 * What somebody marked shows here: /proc/kpageflags tells the flag as it stands.
 * -f: a sum of the page frames instead, which changes when pages move.
 */
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <unistd.h>

int
main(int argc, char **argv)
{
	char path[64], line[8192];
	unsigned long start, end, idle = 0, present = 0;
	uint64_t e, f, sum = 0;
	FILE *maps;
	int pm, kf;

	if (argc < 2)
		return 2;
	snprintf(path, sizeof(path), "/proc/%s/maps", argv[1]);
	maps = fopen(path, "r");
	snprintf(path, sizeof(path), "/proc/%s/pagemap", argv[1]);
	pm = open(path, O_RDONLY);
	kf = open("/proc/kpageflags", O_RDONLY);
	if (!maps || pm < 0 || kf < 0)
		return 1;
	while (fgets(line, sizeof(line), maps)) {
		if (sscanf(line, "%lx-%lx", &start, &end) != 2)
			continue;
		for (; start < end; start += 4096) {
			if (pread(pm, &e, 8, start / 4096 * 8) != 8 ||
			    !(e >> 63))
				continue;
			present++;
			sum = sum * 31 + e;
			if (pread(kf, &f, 8, (e & ((1ull << 55) - 1)) * 8) == 8)
				idle += f >> 25 & 1;
		}
	}
	if (argc > 2)
		printf("%llx\n", (unsigned long long)sum);
	else
		printf("%lu %lu\n", idle, present);
	return 0;
}
