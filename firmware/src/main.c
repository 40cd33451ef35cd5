/* SPDX-License-Identifier: MIT */
#include "scn_session.h"

int main(void) {
    scn_session_begin();
    for (;;) {
        scn_session_step();
    }
}
