/* SPDX-License-Identifier: MIT */
/* Where a measuring program looks into a step: nothing at all unless SCN_PROBE is defined, as only firmware/measure/runner's
 * second build does. */
#ifndef SCN_PROBE_H
#define SCN_PROBE_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Until the next call, the processor works for `place`: stage number place - 1 of the running segment, or its schedule
 * (0). */
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
