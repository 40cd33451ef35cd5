"""Training: features and labels in, a run folder with a trained network out."""
