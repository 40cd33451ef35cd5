"""Shared by all stages: files, parallel tasks, external tools, templates, metrics, energy."""
