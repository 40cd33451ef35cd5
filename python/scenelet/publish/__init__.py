"""Publishing: reports, model cards, challenge submissions, and the demo."""
