"""The log-mel front end: one integer specification as tables, as a NumPy model and as the firmware's C."""
