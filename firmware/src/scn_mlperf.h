/* SPDX-License-Identifier: MIT */
/* The commands of MLPerf Tiny's runner: name, profile, timestamp, db load, db, infer, results. */
#ifndef SCN_MLPERF_H
#define SCN_MLPERF_H

#include "scn_classifier.h"

typedef enum {
    SCN_MLPERF_UNKNOWN, /* none of them; nothing was printed */
    SCN_MLPERF_DONE,
    SCN_MLPERF_TOOK_INPUT, /* the network's input was overwritten: a session must end */
} scn_mlperf_t;

/* Execute a line. A malformed one is answered with e-[...] before anything is stored. */
scn_mlperf_t scn_mlperf(const char *line);

/* To be called where something else overwrites the network's input: "infer" then needs a new one. */
void scn_mlperf_forget(void);

#endif
