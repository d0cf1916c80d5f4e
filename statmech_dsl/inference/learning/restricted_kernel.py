"""An epoch of contrastive divergence on two layers of two-valued sites, in one compiled function.

Small batches leave little work for each call of a library: products of matrices, draws and steps are
all done here, on couplings in float32. Sites y of a layer have the values low and low + size. Energies are
``-x^T W y - a^T x - b^T y``.
"""

# pyright: reportCallIssue=false

from __future__ import annotations

import numba as nb
import numpy as np

from statmech_dsl.backends.numba_cpu.runtime import draw
from statmech_dsl.backends.numba_cpu.runtime_float32 import f32, top24, weight2f
from statmech_dsl.compiled import locked
from statmech_dsl.ir.elementary import LOG2E

LANES = 16
"""Random streams side by side."""
AT_ONCE = 8
"""Words that each gives in a row."""
_LOG2E, _ONE, _LIMIT = f32(LOG2E), f32(1.0), f32(126.0)
U32 = np.uint32


def compiled(function):
    """Compile, with divisions that vectorize."""
    return locked(nb.njit(cache=True, nogil=True, error_model="numpy")(function))


@compiled
def expect(fields, bias, low, size, out):
    """Expectations of sites in given fields."""
    scale = f32(-f32(size * _LOG2E))
    for n in range(fields.shape[0]):
        field, to = fields[n], out[n]
        for i in range(bias.shape[0]):
            x = f32(f32(field[i] + bias[i]) * scale)
            z = weight2f(min(max(x, -_LIMIT), _LIMIT))
            to[i] = f32(low + f32(size / f32(_ONE + z)))


@compiled
def pick(means, low, size, streams, number, words, out):
    """States with these expectations; returns the number of the next words."""
    flat, to = means.reshape(-1), out.reshape(-1)
    at_once = LANES * AT_ONCE
    for k in range(0, words.shape[0], at_once):
        draw(LANES, streams, 0, words, k, number, LANES, AT_ONCE, LANES)
        number = U32(number + U32(AT_ONCE))
    for k in range(flat.shape[0]):
        on = f32(top24(words[k]) * size) < f32(flat[k] - low)
        to[k] = f32(low + size) if on else low
    return number


@compiled
def step(x, velocity, gradient, rate, momentum, l1, l2):
    """Momentum, weight decay, and the step."""
    for k in range(x.shape[0]):
        sign = f32(f32(x[k] > 0) - f32(x[k] < 0))
        g = f32(f32(gradient[k] - f32(l2 * x[k])) - f32(l1 * sign))
        v = f32(f32(momentum * velocity[k]) + f32(rate * g))
        velocity[k] = v
        x[k] += v


@compiled
def descend(parameters, velocities, gradients, rates, pulls):
    """A step of W, a and b."""
    (W, a, b), (vW, va, vb), (gW, ga, gb) = parameters, velocities, gradients
    momentum = rates[3]
    step(W.reshape(-1), vW.reshape(-1), gW.reshape(-1), rates[0], momentum, pulls[0], pulls[1])
    step(a, va, ga, rates[1], momentum, pulls[2], pulls[3])
    step(b, vb, gb, rates[2], momentum, pulls[4], pulls[5])


@compiled
def differences(n, x, y, gradients):
    """Means over the first n states less means over the others, of x y^T, x and y; y is overwritten."""
    gW, ga, gb = gradients
    ga[:], gb[:] = f32(0.0), f32(0.0)
    for r in range(x.shape[0]):
        w = f32(_ONE / n) if r < n else f32(-_ONE / (x.shape[0] - n))
        for i in range(ga.shape[0]):
            ga[i] += f32(w * x[r, i])
        for j in range(gb.shape[0]):
            y[r, j] *= w
            gb[j] += y[r, j]
    np.dot(x.T, y, gW)


@compiled
def epoch(data, order, n, k, restart, parameters, velocities, h, streams, levels, rates, pulls):
    """Batches of n states; parameters, velocities, and hidden states h of the chains change in place.

    ``levels``: low and size of both layers; ``rates``: of W, a, b, and momentum; ``pulls``: l1 and l2 of each.
    Returns the visible states of the chains, and the largest element of the last gradient.
    """
    W, a, b = parameters
    low_v, size_v, low_h, size_h = levels
    nv, nh = W.shape
    m, at_once = h.shape[0], LANES * AT_ONCE
    x, y = np.empty((n + m, nv), np.float32), np.empty((n + m, nh), np.float32)
    of_v, of_h = np.empty((m, nv), np.float32), np.empty((n + m, nh), np.float32)
    words_v = np.empty(-(-m * nv // at_once) * at_once, np.uint32)
    words_h = np.empty(-(-m * nh // at_once) * at_once, np.uint32)
    gradients = np.empty_like(W), np.empty_like(a), np.empty_like(b)
    number = U32(1)
    for first in range(0, order.shape[0] - n + 1, n):
        for r in range(n):
            x[r] = data[order[first + r]]
        if restart:  # there are as many chains as states in a batch
            np.dot(x[:n], W, of_h[:n])
            expect(of_h[:n], b, low_h, size_h, y[:n])
            number = pick(y[:n], low_h, size_h, streams, number, words_h, h)
        for sweep in range(k):
            if sweep > 0:
                np.dot(x[n:], W, of_h[n:])
                expect(of_h[n:], b, low_h, size_h, y[n:])
                number = pick(y[n:], low_h, size_h, streams, number, words_h, h)
            np.dot(h, W.T, of_v)
            expect(of_v, a, low_v, size_v, of_v)
            number = pick(of_v, low_v, size_v, streams, number, words_v, x[n:])
        np.dot(x, W, of_h)
        expect(of_h, b, low_h, size_h, y)
        number = pick(y[n:], low_h, size_h, streams, number, words_h, h)
        differences(n, x, y, gradients)
        descend(parameters, velocities, gradients, rates, pulls)
    gW, ga, gb = gradients
    return x[n:].copy(), max(np.abs(gW).max(), np.abs(ga).max(), np.abs(gb).max())
