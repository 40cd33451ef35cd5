"""Builds of the firmware: by the cross compiler alone, and by PlatformIO."""
