"""Data sets as they lie on disk: one module and one row of the registry each."""
