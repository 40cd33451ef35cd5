"""What is shown to others: reports, model cards, challenge submissions, the demo."""
