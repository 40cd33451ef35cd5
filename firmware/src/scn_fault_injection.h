/* SPDX-License-Identifier: MIT */
/* Crashes on purpose, to see that they are reported: only in a program that is built with SCN_FAULT_INJECTION, so that no
 * typing error can crash a device. */
#ifndef SCN_FAULT_INJECTION_H
#define SCN_FAULT_INJECTION_H

#include <stdbool.h>

#ifdef SCN_FAULT_INJECTION
/* Obey "provoke fault|stack|hang|deaf"; returns false for any other line. */
bool scn_inject_fault(const char *line);
#else
static inline bool scn_inject_fault(const char *line) {
    (void)line;
    return false;
}
#endif

#endif
