/* memidle-double - arrays of 2,000,000 doubles, touched in known phases
 *
 * usage: memidle-double READY MS [single]
 *
 * Fills two, creates READY, waits until READY.go is there; then, MS
 * milliseconds each: writes A, reads B, both, rests, writes A's first half;
 * then rests for good. A lies below B.
 * Of a single one: writes it, rests, reads the first half, reads the second
 * half, reads it.
 * READY.phases tells of each phase when it began and ended, in seconds of
 * uptime; not yet the end of the one that lasts.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <time.h>
#include <unistd.h>

enum { COUNT = 2000000, GAP = 32 << 20 };
#ifndef PR_SET_VMA
#define PR_SET_VMA 0x53564d61
#endif

static volatile double sum;
static FILE *phases;

static uint64_t
now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000ull + t.tv_nsec / 1000000;
}

/* One touch a page is enough, and a rest between rounds leaves the processor
 * to who measures. */
static void
rounds(double *w, size_t nw, const double *r, size_t nr, uint64_t until)
{
	size_t i;

	fprintf(phases, "%.3f", (double)now_ms() / 1000);
	fflush(phases);
	while (now_ms() < until) {
		for (i = 0; i < nw; i += 512)
			w[i] = w[i] + 1;
		for (i = 0; i < nr; i += 512)
			sum += r[i];
		usleep(5000);
	}
	fprintf(phases, " %.3f\n", (double)now_ms() / 1000);
	fflush(phases);
}

static double *
array(char *at, const char *name)
{
	double *a = (double *)at;
	size_t i;

	mprotect(at, COUNT * sizeof(*a), PROT_READ | PROT_WRITE);
	madvise(at, COUNT * sizeof(*a), MADV_NOHUGEPAGE);
	prctl(PR_SET_VMA, 0, at, COUNT * sizeof(*a), name);
	for (i = 0; i < COUNT; i++)
		a[i] = i;
	return a;
}

int
main(int argc, char **argv)
{
	char *room, go[256], told[256];
	double *a, *b;
	uint64_t t, ms;

	if (argc < 3)
		return 2;
	ms = (uint64_t)atoi(argv[2]);
	room = mmap(NULL, 2 * GAP, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1,
		0);
	a = array(room, "A");
	b = argc > 3 ? NULL : array(room + GAP, "B");
	snprintf(go, sizeof(go), "%s.go", argv[1]);
	snprintf(told, sizeof(told), "%s.phases", argv[1]);
	phases = fopen(told, "w");
	if (!phases)
		return 1;
	usleep(50000);
	close(open(argv[1], O_CREAT | O_WRONLY, 0644));
	while (access(go, F_OK))
		usleep(1000);
	t = now_ms();
	rounds(a, COUNT, NULL, 0, t += ms);
	if (!b) {
		rounds(NULL, 0, NULL, 0, t += ms);
		rounds(NULL, 0, a, COUNT / 2, t += ms);
		rounds(NULL, 0, a + COUNT / 2, COUNT / 2, t += ms);
		rounds(NULL, 0, a, COUNT, t += ms);
		for (;;)
			pause();
	}
	rounds(NULL, 0, b, COUNT, t += ms);
	rounds(a, COUNT, b, COUNT, t += ms);
	rounds(NULL, 0, NULL, 0, t += ms);
	rounds(a, COUNT / 2, NULL, 0, t += ms);
	for (;;)
		pause();
}
