/*
 * kexec-load KERNEL INITRD CMDLINE: load a capture kernel for the next panic
 *
 * Guests have no kexec-tools; the system call does all that a test needs.
 * The running kernel wants crashkernel=256M or so on its command line.
 */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>
#include <linux/kexec.h>

int
main(int argc, char **argv)
{
	int kernel, initrd;

	if (argc != 4) {
		fprintf(stderr, "usage: kexec-load KERNEL INITRD CMDLINE\n");
		return 2;
	}
	kernel = open(argv[1], O_RDONLY);
	initrd = open(argv[2], O_RDONLY);
	if (kernel < 0 || initrd < 0 ||
	    syscall(SYS_kexec_file_load, kernel, initrd, strlen(argv[3]) + 1,
	        argv[3], (unsigned long)KEXEC_FILE_ON_CRASH)) {
		perror("kexec-load");
		return 1;
	}
	return 0;
}
