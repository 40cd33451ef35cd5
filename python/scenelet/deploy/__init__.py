"""From a model to a board that runs it: export, and every command that speaks to a board."""
