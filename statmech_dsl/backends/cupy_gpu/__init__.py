"""The GPU backend: programs printed as CUDA C, run by CuPy."""
