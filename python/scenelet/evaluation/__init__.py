"""What a model is worth: accuracy, cross-validation, calibration, and equality with the reference."""
