"""QEMU as a process, as a serial port, and as a counter of instructions."""
