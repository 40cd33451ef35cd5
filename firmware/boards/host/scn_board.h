/* SPDX-License-Identifier: MIT */
/* This computer; SCENELET_MICROPHONE names its microphone (lib/port/host). */
#ifndef SCN_BOARD_H
#define SCN_BOARD_H

/* I2S (1 in scn_port.h). */
#define SCN_BOARD_MICROPHONE 1

#endif
