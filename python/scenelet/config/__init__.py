"""Recipes: the settings of front end, network, training and augmentation, held to their ranges when read."""
