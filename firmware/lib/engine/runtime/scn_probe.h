/* SPDX-License-Identifier: MIT */
/* Attribution of time inside a segment. Compiles to nothing unless SCN_PROBE is defined, as in the second build of
 * firmware/measure/runner only. */
#ifndef SCN_PROBE_H
#define SCN_PROBE_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Until the next call, time belongs to `place`: stage number place - 1 of the running segment, or its scheduler (0). */
#ifdef SCN_PROBE
void scn_probe(uint32_t place);
#else
static inline void scn_probe(uint32_t place) {
    (void)place;
}
#endif

#ifdef __cplusplus
}
#endif

#endif
