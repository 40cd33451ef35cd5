/* SPDX-License-Identifier: MIT */
/* Netduino Plus 2, STM32F405RG: the board that QEMU's machine netduinoplus2 describes.
 *
 * 25 MHz crystal; the console is on header pins D3 (TX) and D2 (RX).
 */
#ifndef SCN_BOARD_H
#define SCN_BOARD_H

#define SCN_BOARD_NAME "netduinoplus2"

/* External clock, Hz; 1 where it comes from another chip rather than from a crystal. */
#define SCN_BOARD_HSE_HZ 25000000u
#define SCN_BOARD_HSE_BYPASS 0

/* Console: USART number, and its pins' port letter and number; all are alternate function 7. */
#define SCN_BOARD_USART 2
#define SCN_BOARD_TX_PORT 'A'
#define SCN_BOARD_TX_PIN 2
#define SCN_BOARD_RX_PORT 'A'
#define SCN_BOARD_RX_PIN 3

#endif
