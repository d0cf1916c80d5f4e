"""Kernels written by hand, one file a model: the yardstick for generated ones.

Each file has ``contender(...)``: 64 replicas of one system as a `Contender`.
"""
