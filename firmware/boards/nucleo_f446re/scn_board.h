/* SPDX-License-Identifier: MIT */
/* ST NUCLEO-F446RE, STM32F446RE (user manual UM1724).
 *
 * The ST-LINK's 8 MHz clock output drives HSE; its virtual serial port is wired to PA2 and PA3.
 */
#ifndef SCN_BOARD_H
#define SCN_BOARD_H

#define SCN_BOARD_NAME "nucleo_f446re"

/* External clock, Hz; 1 where it comes from another chip rather than from a crystal. */
#define SCN_BOARD_HSE_HZ 8000000u
#define SCN_BOARD_HSE_BYPASS 1

/* Console: USART number, and its pins' port letter and number; all are alternate function 7. */
#define SCN_BOARD_USART 2
#define SCN_BOARD_TX_PORT 'A'
#define SCN_BOARD_TX_PIN 2
#define SCN_BOARD_RX_PORT 'A'
#define SCN_BOARD_RX_PIN 3

/* LED LD2, green. */
#define SCN_BOARD_LED_PORT 'A'
#define SCN_BOARD_LED_PIN 5

/* An I2S microphone (1 in scn_port.h) on SPI2, at the morpho connector CN10: clock to pin 30 (PB13), word
 * select to 16 (PB12), data to 26 (PB15); the microphone's channel select to ground (left). Alternate function 5. */
#define SCN_BOARD_MICROPHONE 1
#define SCN_BOARD_PLLI2S_OWN_DIVIDER 1
#define SCN_BOARD_I2S_CK_PORT 'B'
#define SCN_BOARD_I2S_CK_PIN 13
#define SCN_BOARD_I2S_WS_PORT 'B'
#define SCN_BOARD_I2S_WS_PIN 12
#define SCN_BOARD_I2S_SD_PORT 'B'
#define SCN_BOARD_I2S_SD_PIN 15

#endif
