"""Operators with int16 activations and INT8 weights (TFLite's 16x8): what differs from INT8 ones."""
