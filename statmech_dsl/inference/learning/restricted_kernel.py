"""An epoch of contrastive divergence on two layers of two-valued sites, in one compiled function.

Small batches leave little work for each call of a library: draws and steps are done here, on couplings in
float32. Sums of couplings are looked up (see `lookups`) where the states of a batch are worth a table; else
they are matrix products. Sites y of a layer have the values low and low + size. Energies are
``-x^T W y - a^T x - b^T y``.
"""

# pyright: reportCallIssue=false

from __future__ import annotations

import numpy as np

from statmech_dsl.backends.numba_cpu.lookups import (
    CODES,
    FOUR,
    LINE,
    TOGETHER,
    add_lines,
    copy_bytes,
    encode,
)
from statmech_dsl.backends.numba_cpu.runtime import draw
from statmech_dsl.backends.numba_cpu.runtime_float32 import f32, top24, weight2f
from statmech_dsl.backends.numba_cpu.vectors import Rows, vectors
from statmech_dsl.compiled import unchecked
from statmech_dsl.ir.elementary import LOG2E

LANES = 16
"""Random streams side by side."""
AT_ONCE = 8
"""Words that each gives in a row."""
_LOG2E, _ONE = f32(LOG2E), f32(1.0)
WORTH = 32
"""States whose sums make up for a table."""
U32 = np.uint32


@unchecked
def encode_all(states, codes):
    """The codes of all states, whose sites are 0 or 1."""
    (n, size), rest = states.shape, np.zeros(TOGETHER, np.int8)
    flat, to = states.reshape(-1), codes.reshape(-1)
    for r in range(n):
        encode(flat, r * size, size, np.int8(1), rest, to, r * codes.shape[1])


def room(n: int, size: int) -> np.ndarray:
    """Room for the codes of n states of so many sites."""
    return np.zeros((n, -(-size // TOGETHER) * TOGETHER // FOUR), np.uint8)


@vectors
def add_two(to: Rows, one: Rows, other: Rows):
    """The sum of two lines of numbers in float32."""
    to[0] = (one[0].as_reals() + other[0].as_reals()).bits()


@unchecked
def fields(states, codes, W, low, size, bias, out):
    """Fields of the sites of one layer in states of the other one, given with their codes; W [source, site]."""
    n_sites = W.shape[1]
    if out.shape[0] < WORTH:
        products = np.dot(states, W)
        for r in range(out.shape[0]):
            for j in range(n_sites):
                out[r, j] = products[r, j] + bias[j]
        return
    start = np.zeros(out.shape[1], np.float32)
    for i in range(W.shape[0] if low != 0 else 0):
        for j in range(n_sites):
            start[j] += f32(low * W[i, j])
    for j in range(n_sites):
        start[j] += bias[j]
    fours = (W.shape[0] + FOUR - 1) // FOUR
    lines = np.zeros(fours * CODES * LINE, np.float32)
    flat, width, some = out.reshape(-1), out.shape[1], codes.reshape(-1)
    for first in range(0, n_sites, LINE):
        m = min(LINE, n_sites - first)
        tabulate(W[:, first : first + m], size, lines)
        for r in range(out.shape[0]):
            at, of = r * width + first, r * codes.shape[1]
            add_lines(flat, at, start, first, lines, 0, some, of, fours, m)


@unchecked
def tabulate(W, size, lines):
    """The table of a line of sites: the sums of four sources each that may be high."""
    for i in range(W.shape[0]):
        four = i // FOUR * CODES * LINE
        one = four + (1 << i % FOUR) * LINE
        for j in range(W.shape[1]):
            lines[one + j] = f32(size * W[i, j])
        for code in range(LINE, one - four, LINE):
            add_two(LINE, lines, one + code, lines, one, lines, four + code)


@unchecked
def expect(fields, low, size, out):
    """Expectations of sites in given fields."""
    scale = f32(-f32(size * _LOG2E))
    for r in range(out.shape[0]):
        field, to = fields[r], out[r]
        for i in range(out.shape[1]):
            z = weight2f(f32(field[i] * scale))
            to[i] = f32(low + f32(size / f32(_ONE + z)))


@unchecked
def fill(words, streams, number):
    """Random words; returns the number of the next ones."""
    for k in range(0, words.shape[0], LANES * AT_ONCE):
        draw(LANES, streams, 0, words, k, number, LANES, AT_ONCE, LANES)
        number = U32(number + U32(AT_ONCE))
    return number


@unchecked
def pick(means, low, size, words, out, values):
    """States with these expectations, 1 where a site is high, else 0; and their values."""
    flat, to, value, high = means.reshape(-1), out.reshape(-1), values.reshape(-1), f32(low + size)
    for k in range(flat.shape[0]):
        on = f32(top24(words[k]) * size) < f32(flat[k] - low)
        to[k], value[k] = np.int8(on), high if on else low


@unchecked
def pick_in(fields, low, size, words, out, values):
    """States in these fields, and their values."""
    scale, high, n = f32(-f32(size * _LOG2E)), f32(low + size), out.shape[1]
    for r in range(out.shape[0]):
        field, to, value, word = fields[r], out[r], values[r], words[r * n : r * n + n]
        for i in range(n):
            z = weight2f(f32(field[i] * scale))
            on = f32(top24(word[i]) * f32(_ONE + z)) < _ONE
            to[i], value[i] = np.int8(on), high if on else low


@unchecked
def step(x, velocity, gradient, rate, momentum, l1, l2):
    """Momentum, weight decay, and the step."""
    for k in range(x.shape[0]):
        sign = f32(f32(x[k] > 0) - f32(x[k] < 0))
        g = f32(f32(gradient[k] - f32(l2 * x[k])) - f32(l1 * sign))
        v = f32(f32(momentum * velocity[k]) + f32(rate * g))
        velocity[k] = v
        x[k] += v


@unchecked
def descend(parameters, velocities, gradients, rates, pulls):
    """A step of W, a and b."""
    (W, a, b), (vW, va, vb), (gW, ga, gb) = parameters, velocities, gradients
    momentum = rates[3]
    step(W.reshape(-1), vW.reshape(-1), gW.reshape(-1), rates[0], momentum, pulls[0], pulls[1])
    step(a, va, ga, rates[1], momentum, pulls[2], pulls[3])
    step(b, vb, gb, rates[2], momentum, pulls[4], pulls[5])


@unchecked
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


@unchecked
def epoch(
    data, codes, order, n, k, restart, parameters, velocities, h, streams, levels, rates, pulls
):
    """Batches of n states; parameters, velocities, and hidden states h of the chains change in place.

    ``data`` are values of visible states, ``codes`` their codes; h is 1 where a site is high, else 0.
    ``levels``: low and size of both layers; ``rates``: of W, a, b, and momentum; ``pulls``: l1 and l2 of each.
    Returns the visible states of the chains, and the largest element of the last gradient.
    """
    W, a, b = parameters
    low_v, size_v, low_h, size_h = levels
    (nv, nh), m, at_once = W.shape, h.shape[0], LANES * AT_ONCE
    x, y = np.empty((n + m, nv), np.float32), np.empty((n + m, nh), np.float32)
    v, values_h = np.empty((m, nv), np.int8), np.empty((m, nh), np.float32)
    codes_v, stride = np.empty((n + m, codes.shape[1]), np.uint8), codes.shape[1]
    codes_h = np.empty((m, (nh + TOGETHER - 1) // TOGETHER * TOGETHER // FOUR), np.uint8)
    of_v = np.empty((m, (nv + LINE - 1) // LINE * LINE), np.float32)
    of_h = np.empty((n + m, (nh + LINE - 1) // LINE * LINE), np.float32)
    words_v = np.empty((m * nv + at_once - 1) // at_once * at_once, np.uint32)
    words_h = np.empty((m * nh + at_once - 1) // at_once * at_once, np.uint32)
    gradients = np.empty_like(W), np.empty_like(a), np.empty_like(b)
    to, given, number = codes_v.reshape(-1), codes.reshape(-1), U32(1)
    for r in range(m):
        for j in range(nh):
            values_h[r, j] = f32(low_h + size_h) if h[r, j] else low_h
    for first in range(0, order.shape[0] - n + 1, n):
        for r in range(n):
            state = order[first + r]
            copy_bytes(to, r * stride, given, state * stride, stride)
            for i in range(nv):
                x[r, i] = data[state, i]
        if restart:  # there are as many chains as states in a batch
            fields(x[:n], codes_v[:n], W, low_v, size_v, b, of_h[:n])
            expect(of_h[:n], low_h, size_h, y[:n])
            number = fill(words_h, streams, number)
            pick(y[:n], low_h, size_h, words_h, h, values_h)
        for sweep in range(k):
            if sweep > 0:
                fields(x[n:], codes_v[n:], W, low_v, size_v, b, of_h[n:])
                expect(of_h[n:], low_h, size_h, y[n:])
                number = fill(words_h, streams, number)
                pick(y[n:], low_h, size_h, words_h, h, values_h)
            encode_all(h, codes_h)
            fields(values_h, codes_h, W.T, low_h, size_h, a, of_v)
            number = fill(words_v, streams, number)
            pick_in(of_v, low_v, size_v, words_v, v, x[n:])
            encode_all(v, codes_v[n:])
        fields(x, codes_v, W, low_v, size_v, b, of_h)
        expect(of_h, low_h, size_h, y)
        number = fill(words_h, streams, number)
        pick(y[n:], low_h, size_h, words_h, h, values_h)
        differences(n, x, y, gradients)
        descend(parameters, velocities, gradients, rates, pulls)
    gW, ga, gb = gradients
    return x[n:].copy(), max(np.abs(gW).max(), np.abs(ga).max(), np.abs(gb).max())
