/* unit.h - a unit test is a program that prints a PASS or FAIL line a test.
 * It is built by the host's compiler with ASan and UBSan, all options on. */
#ifndef UNIT_H
#define UNIT_H

#include <stdio.h>
#include <stdlib.h>

#include "kern.h"
#include "view.h"

static int unit_failed;

#define ok(condition, ...) do { \
	int ok_ = !!(condition); \
	unit_failed |= !ok_; \
	printf("%s %s: ", ok_ ? "PASS" : "FAIL", UNIT_NAME); \
	printf(__VA_ARGS__); \
	printf(ok_ ? "\n" : "\n\t%s:%d: %s\n", __FILE__, __LINE__, \
		#condition); \
} while (0)

#endif
