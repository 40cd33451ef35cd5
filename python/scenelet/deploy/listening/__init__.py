"""Listening live: sources that hear and decide, and what shows it, in a terminal, as JSON or as a local page.

A source (``files``, ``microphone``, ``board``) yields :class:`.events.Heard`; a consumer (``terminal``, ``lines``,
``web``) takes them; ``choose`` makes the source that a user asks for.
"""
