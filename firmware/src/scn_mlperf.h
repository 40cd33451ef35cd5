/* SPDX-License-Identifier: MIT */
/* The commands of MLPerf Tiny's runner, beside our own: name, profile, timestamp, db load, db, infer, results. */
#ifndef SCN_MLPERF_H
#define SCN_MLPERF_H

#include "scn_classifier.h"

typedef enum {
    SCN_MLPERF_UNKNOWN, /* none of them; nothing was printed */
    SCN_MLPERF_DONE,
    SCN_MLPERF_TOOK_INPUT, /* the network's input was used: no session may go on */
} scn_mlperf_t;

/* Obey a line, or not at all: what is malformed is answered with e-[...] before anything is stored. */
scn_mlperf_t scn_mlperf(const char *line);

/* Something else has used the network's input: "infer" needs a new one. */
void scn_mlperf_forget(void);

#endif
