/* SPDX-License-Identifier: MIT */
/* This computer, which has the microphone that SCENELET_MICROPHONE names (lib/port/host). */
#ifndef SCN_BOARD_H
#define SCN_BOARD_H

/* I2S, as scn_port.h counts. */
#define SCN_BOARD_MICROPHONE 1

#endif
