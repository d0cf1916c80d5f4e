"""Recovery of local terms: what a user wrote as a PyTensor graph, as families of the IR.

A tensor is a sum of scalar terms placed at its elements (`terms`, `algebra`). The `walker` turns a
graph into such a tensor, Op by Op (`rules`); long sums below nonlinear functions become running
sums (`sums`); `normal` brings terms into their final form, `emit` writes families and tables.
"""

from statmech_dsl.lower.recovery.recover import Recovered, recover

__all__ = ["Recovered", "recover"]
