/* SPDX-License-Identifier: MIT */
#include "guard.h"

#include "memory_map.h"
#include "scn_stm32f4.h"

/* RASR.SIZE means 2^(SIZE + 1) bytes (PM0214, 4.5.6); access permission 000 is none, even for privileged code. */
#define SIZE_FIELD 7u
_Static_assert(SCN_GUARD_BYTES == 2u << SIZE_FIELD, "the size field does not say the guard's size");

void scn_guard_init(void) {
    SCN_MPU->CTRL = 0;
    SCN_MPU->RNR = 0;
    SCN_MPU->RBAR = SCN_LINKER_SIZE(scn_stack_guard);
    SCN_MPU->RASR = SCN_MPU_RASR_XN | SIZE_FIELD << 1 | SCN_MPU_RASR_ENABLE;
    SCN_MPU->CTRL = SCN_MPU_CTRL_ENABLE | SCN_MPU_CTRL_DEFAULT_MAP;
    __asm volatile("dsb\n isb" ::: "memory");
}
