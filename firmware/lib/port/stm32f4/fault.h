/* The last word of a program that went wrong. */
#ifndef SCN_STM32F4_FAULT_H
#define SCN_STM32F4_FAULT_H

/* Handler of every exception that nothing else handles: prints one line with the registers that tell where and why,
 * remembers them (crash.h) and resets. The third crash in a row ends the program with status 99 in QEMU; a board always
 * resets itself, so that it can be spoken to again. */
void scn_fault_handler(void);

#endif
