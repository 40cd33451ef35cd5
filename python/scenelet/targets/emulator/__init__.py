"""QEMU: its process, its serial port, and the measuring program that runs in it."""
