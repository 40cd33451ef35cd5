"""Operators that keep state between steps of a sequence."""
