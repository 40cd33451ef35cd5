"""Layers of generated networks, by the kinds of networks that contain them."""
