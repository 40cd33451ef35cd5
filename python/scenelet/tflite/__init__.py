"""The .tflite file: reader, object model, metadata, and one canonical form."""
