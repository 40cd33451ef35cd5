/* Crashes on purpose, to see that they are reported: only in a program that is built with SCN_PROVOKE, so that no
 * typing error can crash a device. */
#ifndef SCN_PROVOKE_H
#define SCN_PROVOKE_H

#include <stdbool.h>

#ifdef SCN_PROVOKE
/* Obey "provoke fault|stack|hang|deaf"; returns false for any other line. */
bool scn_provoke(const char *line);
#else
static inline bool scn_provoke(const char *line) {
    (void)line;
    return false;
}
#endif

#endif
