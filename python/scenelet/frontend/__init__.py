"""The log-mel front end: one integer specification as tables, a NumPy model, and the firmware's C."""
