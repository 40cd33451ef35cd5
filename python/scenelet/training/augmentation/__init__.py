"""Augmentation of training batches on the features of their clips, drawn anew every epoch."""
