"""Data sets, their splits, audio files, and which clips a model was trained on."""
