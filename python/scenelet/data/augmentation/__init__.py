"""Other ways that a recording might have sounded: of waveforms and of features."""
