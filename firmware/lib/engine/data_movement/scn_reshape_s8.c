/* SPDX-License-Identifier: MIT */
/* RESHAPE: the same bytes. */
#include "scn_reshape.h"

#include <string.h>

void scn_reshape_s8(int32_t elements, const int8_t *input, int8_t *output) {
    if (input != output) {
        memcpy(output, input, (size_t)elements);
    }
}
