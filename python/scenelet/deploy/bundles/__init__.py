"""Bundles: a model, its front end, the engine and an example as a library of one kind (PlatformIO, CMake ...)."""
