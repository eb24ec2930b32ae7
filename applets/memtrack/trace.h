/* trace.h - what only the files of the tracing instance share. */
#ifndef MEMTRACK_TRACE_H
#define MEMTRACK_TRACE_H

/* ---- trace.c ---- */

extern struct instance {
	int tracefs, dir;	/* directories; -1 = none */
	int adopted;		/* set up by someone else */
	int own_clock;		/* its time is now_ns() */
} instance;
/* Says why and exits; nothing is left behind by a start that failed. */
_Noreturn void trace_give_up(const char *what, const char *path);

/* ---- trace_events.c ---- */

/* Reads their formats and turns them on; exits on failure. */
void events_open(int user_stacks);
/* What was taken over goes back to what it is by default. */
void events_quiet(void);
/* The parameter trace_trigger= sets its triggers in the global instance, too:
 * there they cost time and are of no use. */
void events_drop_at_boot(void);

/* ---- trace_rings.c ---- */

void rings_open(void);		/* exits on failure */
void rings_close(void);

#endif
