/* run.h - what only the command line and the run it asks for share. */
#ifndef MEMTRACK_RUN_H
#define MEMTRACK_RUN_H

/* ---- memtrack.c ---- */

extern struct settings {
	struct trace_options trace;
	const char *output, *owner_file;
	u64 interval, duration;	/* ns, 0 = none */
	u32 stacks;
	int throttle, file_flags, json, kmsg, notui, threads, boot, owner;
	int debug, reports_asked;
} set;

/* ---- boot.c ---- */

int boot_params(void);		/* prints them; exit code */

/* ---- command.c: the command that is traced, if any ---- */

/* A reader that waits behind those it watches loses what they do. The command
 * does not inherit it. */
void run_first(void);
void note_child(int sig);	/* SIGCHLD's handler */
void start_command(char **argv);	/* exits on failure */
int command_ended(void);	/* 1: it has, as this call finds */
/* A signal to us alone ends the command as well. */
void signal_command(void);
void wait_command(void);
int command_status(void);	/* as a shell's; 0 without a command */

/* ---- run.c: all return the exit code ---- */

int trace_run(char **command);	/* NULL: until a signal */
int owner_run(void);
int tui_run_and_report(void);

#endif
