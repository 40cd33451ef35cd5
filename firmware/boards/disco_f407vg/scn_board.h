/* SPDX-License-Identifier: MIT */
/* ST STM32F4DISCOVERY, STM32F407VG (user manual UM1472).
 *
 * 8 MHz crystal X2; PA2 and PA3 are free on the header. The on-board ST-LINK of most revisions has no serial port that
 * is wired to them: connect a USB-to-serial adapter.
 */
#ifndef SCN_BOARD_H
#define SCN_BOARD_H

#define SCN_BOARD_NAME "disco_f407vg"

/* External clock, Hz; 1 where it comes from another chip rather than from a crystal. */
#define SCN_BOARD_HSE_HZ 8000000u
#define SCN_BOARD_HSE_BYPASS 0

/* Console: USART number, and its pins' port letter and number; all are alternate function 7. */
#define SCN_BOARD_USART 2
#define SCN_BOARD_TX_PORT 'A'
#define SCN_BOARD_TX_PIN 2
#define SCN_BOARD_RX_PORT 'A'
#define SCN_BOARD_RX_PIN 3

/* LED LD4, green. */
#define SCN_BOARD_LED_PORT 'D'
#define SCN_BOARD_LED_PIN 12

/* Microphone U9: PDM (2 in scn_port.h), on clock and data of SPI2; alternate function 5. */
#define SCN_BOARD_MICROPHONE 2
#define SCN_BOARD_PLLI2S_OWN_DIVIDER 0
#define SCN_BOARD_I2S_CK_PORT 'B'
#define SCN_BOARD_I2S_CK_PIN 10
#define SCN_BOARD_I2S_SD_PORT 'C'
#define SCN_BOARD_I2S_SD_PIN 3

#endif
