"""The kernels that a stage can run by: when each applies, its constants, memory and cost; one file per family."""
