/* time.c - clocks and the signals that end a run. */
#include <signal.h>
#include <sys/resource.h>
#include <time.h>

#include "../base.h"

volatile int stop_signal;

static u64
clock_ns(clockid_t clock)
{
	struct timespec t;

	clock_gettime(clock, &t);
	return t.tv_sec * 1000000000ull + t.tv_nsec;
}

u64
now_ns(void)
{
	return clock_ns(CLOCK_MONOTONIC);
}

u64
wall_ns(void)
{
	return clock_ns(CLOCK_REALTIME);
}

u64
cpu_ns(void)
{
	return clock_ns(CLOCK_PROCESS_CPUTIME_ID);
}

int
sleep_until(u64 ns)
{
	struct timespec t = { ns / 1000000000, ns % 1000000000 };

	while (!stop_signal)
		if (!clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &t, NULL))
			return 0;
	return -1;
}

/* Civil date from days since 1970-01-01 (Howard Hinnant's algorithm). */
static void
civil(s64 days, s64 *year, unsigned *month, unsigned *day)
{
	s64 era;
	unsigned doe, yoe, doy, mp;

	days += 719468;
	era = (days >= 0 ? days : days - 146096) / 146097;
	doe = (unsigned)(days - era * 146097);
	yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
	doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
	mp = (5 * doy + 2) / 153;
	*day = doy - (153 * mp + 2) / 5 + 1;
	*month = mp < 10 ? mp + 3 : mp - 9;
	*year = (s64)yoe + era * 400 + (*month <= 2);
}

char *
fmt_time(char *buf, s64 seconds)
{
	s64 days = seconds / 86400, rest = seconds % 86400, year;
	unsigned month, day;

	if (rest < 0) {
		rest += 86400;
		days--;
	}
	civil(days, &year, &month, &day);
	fmt_str(buf, FMT_TIME_MAX, "%04ld-%02u-%02uT%02u:%02u:%02uZ", year,
		month, day, (unsigned)(rest / 3600),
		(unsigned)(rest / 60 % 60), (unsigned)(rest % 60));
	return buf;
}

static void
stop_note(int signal)
{
	stop_signal = signal;
}

void
stop_on_signals(void)
{
	/* SA_RESETHAND: who asks twice does not want to wait. */
	struct sigaction stop = {
		.sa_handler = stop_note, .sa_flags = (int)SA_RESETHAND,
	};
	struct sigaction old;

	sigaction(SIGINT, &stop, NULL);
	sigaction(SIGTERM, &stop, NULL);
	if (!sigaction(SIGHUP, NULL, &old) && old.sa_handler != SIG_IGN)
		sigaction(SIGHUP, &stop, NULL);
	signal(SIGPIPE, SIG_IGN);
}
