"""From a PyTensor energy to passes that a backend can run: pure functions, listed in `pipeline`."""
