"""Entries to challenges: one row of the registry per challenge, and one module that writes its files."""
