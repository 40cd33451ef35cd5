"""A synthetic city: scenes, sources and microphones for demos and tests."""
