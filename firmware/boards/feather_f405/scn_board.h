/* SPDX-License-Identifier: MIT */
/* Adafruit Feather STM32F405 Express.
 *
 * 12 MHz crystal; the console is on the pins marked TX and RX. The USB connector is not used but to flash: hold BOOT0
 * high and reset, then upload with dfu.
 */
#ifndef SCN_BOARD_H
#define SCN_BOARD_H

#define SCN_BOARD_NAME "feather_f405"

/* External clock, Hz; 1 where it comes from another chip rather than from a crystal. */
#define SCN_BOARD_HSE_HZ 12000000u
#define SCN_BOARD_HSE_BYPASS 0

/* Console: USART number, and its pins' port letter and number; all are alternate function 7. */
#define SCN_BOARD_USART 3
#define SCN_BOARD_TX_PORT 'B'
#define SCN_BOARD_TX_PIN 10
#define SCN_BOARD_RX_PORT 'B'
#define SCN_BOARD_RX_PIN 11

/* The red LED beside the USB connector, D13. */
#define SCN_BOARD_LED_PORT 'C'
#define SCN_BOARD_LED_PIN 1

/* An I2S microphone (1 in scn_port.h) on SPI2: clock to the pin marked SCK, word select to D10, data to
 * MO; the microphone's channel select to ground (left). Alternate function 5. */
#define SCN_BOARD_MICROPHONE 1
#define SCN_BOARD_PLLI2S_OWN_DIVIDER 0
#define SCN_BOARD_I2S_CK_PORT 'B'
#define SCN_BOARD_I2S_CK_PIN 13
#define SCN_BOARD_I2S_WS_PORT 'B'
#define SCN_BOARD_I2S_WS_PIN 9
#define SCN_BOARD_I2S_SD_PORT 'B'
#define SCN_BOARD_I2S_SD_PIN 15

#endif
