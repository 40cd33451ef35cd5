"""Readers of data sets on disk: one module and one row of the registry per data set."""
