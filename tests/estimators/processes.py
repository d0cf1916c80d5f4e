"""Series whose autocorrelation times are known."""

import numpy as np
from scipy.signal import lfilter


def ar1(seed, phi, shape):
    """Unit-variance Gaussian AR(1) chains: rho(t) = phi^t, tau_int = (1 + phi) / (1 - phi) / 2."""
    noise = np.random.default_rng(seed).normal(size=shape) * np.sqrt(1 - phi**2)
    noise[..., 0] /= np.sqrt(1 - phi**2)  # stationary from the first draw
    return lfilter([1.0], [1.0, -phi], noise, axis=-1)
