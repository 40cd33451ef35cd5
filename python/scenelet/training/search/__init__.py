"""Hyperparameter search by Hyperband."""
