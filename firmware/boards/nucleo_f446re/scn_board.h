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

#endif
