"""What a model costs: instructions, flash, RAM, and the reasons for each."""
