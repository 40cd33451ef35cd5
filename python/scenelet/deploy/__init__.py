"""From a model to a board that runs it: export, and everything that talks to a board."""
