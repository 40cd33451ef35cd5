/* SPDX-License-Identifier: MIT */
/* Deliberate crashes, to test how they are reported: only in a program that is built with SCN_FAULT_INJECTION, so that
 * no typing error can crash a device. */
#ifndef SCN_FAULT_INJECTION_H
#define SCN_FAULT_INJECTION_H

#include <stdbool.h>

#ifdef SCN_FAULT_INJECTION
/* Execute "provoke fault|stack|hang|deaf|clock"; returns false for any other line. */
bool scn_inject_fault(const char *line);
#else
static inline bool scn_inject_fault(const char *line) {
    (void)line;
    return false;
}
#endif

#endif
