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

#endif
