"""Recipes: the settings of front end, network, training and augmentation, with validated ranges."""
