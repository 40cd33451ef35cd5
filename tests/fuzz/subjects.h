/* SPDX-License-Identifier: MIT */
/* Networks and front ends that the targets run; tests/support/fuzzing.py generates them and this list's definitions. */
#ifndef SUBJECTS_H
#define SUBJECTS_H

#include "scn_frontend.h"
#include "scn_runtime.h"

extern const scn_model_t *const fuzz_networks[];
extern const uint32_t fuzz_network_count;

extern const scn_frontend_tables_t *const fuzz_frontends[];
extern const uint32_t fuzz_frontend_count;

#endif
