/* head - a head comment, for extract
 *
 * alias: tail HEAD_TAIL
 *
 * config HEAD
 * 	bool "head (2 kb)"
 * 	help
 * 	  usage: head
 *
 * config HEAD_TAIL
 * 	bool "tail"
 * 	depends on HEAD
 */
int head; /* another */
