"""What a model and a kernel ARE: frozen, hashable data without arrays and without sizes."""
