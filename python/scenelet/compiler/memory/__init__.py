"""The arena: where each tensor and each scratch buffer lies."""
