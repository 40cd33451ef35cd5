"""Data augmentation, of waveforms and of features."""
