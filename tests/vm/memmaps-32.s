# memmaps-32 - a 32-bit process with known regions: code, data, 1 MiB of zeroed
# memory behind the data, of which the first page and the last are touched.
# Prints "ready" and waits.
.globl _start
.text
_start:
	incb room + 4096
	incb room + 1048575
	movl $4, %eax			# write
	movl $1, %ebx
	movl $said, %ecx
	movl $6, %edx
	int $0x80
wait:	movl $29, %eax			# pause
	int $0x80
	jmp wait
.data
said:	.ascii "ready\n"
.bss
.lcomm room, 1048576
.section .note.GNU-stack, "", @progbits
