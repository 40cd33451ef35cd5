"""Knowledge distillation from a teacher: losses and the two-stage method."""
