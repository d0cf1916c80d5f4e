"""Weights of the spins on a rim, as a Gaussian state of fermions.

Without a field, the weight of the spins on the rim of a planar part, all others summed over, is a
Gaussian state: each site has two real fermions a and b, X = i a b flips its spin, and neighbors around
the rim have s s' = i b a', or -i b a' across the seam. The state is a norm and the covariance
M[k, l] = <i c_k c_l>, which is orthogonal at any temperature. A bond multiplies by exp(K i c_p c_q) and a
sum by (1 + i c_p c_q) / 2. Both change M by a matrix of rank two [S. Bravyi, Quantum Inf. Comput. 5, 216
(2005)]:

    M'_ij = M_ij - g (M_ip M_jq - M_iq M_jp),   g = sinh 2K / n,   n = cosh 2K + M_pq sinh 2K

Frustrated bonds at low T have a small n, and M then loses digits. So numbers have twice the digits of a
float64: each is the sum of two. All are power series in beta, see `series`. Axes: order, part, site.
"""

# pyright: reportCallIssue=false, reportGeneralTypeIssues=false
# Numba supplies the first parameter of an intrinsic, and `fma` is one.

from __future__ import annotations

import numba as nb
import numpy as np

from statmech_dsl.backends.numba_cpu.runtime import fma
from statmech_dsl.compiled import compiled
from statmech_dsl.solvers.series import ORDERS

INSERT, BOND, SUM = range(3)
"""Operations: a site in a new last slot; a bond of two slots; a sum over one, filled by the last."""


@nb.njit(forceinline=True)
def _mul(a, a_low, b, b_low):
    p = a * b
    low = fma(a, b, -p) + (a * b_low + a_low * b)
    s = p + low
    return s, low - (s - p)


@nb.njit(forceinline=True)
def _add(a, a_low, b, b_low):
    s = a + b
    v = s - a
    low = (a - (s - v)) + (b - v) + (a_low + b_low)
    t = s + low
    return t, low - (t - s)


@nb.njit
def _times(a, b):
    """Multiply a series by a vector of series."""
    c = np.zeros(b.shape)
    for n in range(ORDERS):
        for k in range(n + 1):
            for i in range(b.shape[2]):
                p, p_low = _mul(a[k, 0, 0], a[k, 1, 0], b[n - k, 0, i], b[n - k, 1, i])
                c[n, 0, i], c[n, 1, i] = _add(c[n, 0, i], c[n, 1, i], p, p_low)
    return c


@nb.njit
def _affine(x, factor, b):
    """A number plus a power of two times a series, or its negative."""
    c = np.empty(b.shape)
    for n in range(ORDERS):
        c[n, 0, 0], c[n, 1, 0] = _add(x, 0.0, factor * b[n, 0, 0], factor * b[n, 1, 0])
        x = 0.0
    return c


@nb.njit
def _plus(a, b):
    c = np.empty(b.shape)
    for n in range(ORDERS):
        c[n, 0, 0], c[n, 1, 0] = _add(a[n, 0, 0], a[n, 1, 0], b[n, 0, 0], b[n, 1, 0])
    return c


@nb.njit
def _inverse(a):
    """1 / a, by Newton's method: each step doubles the digits and the orders that are right."""
    q = np.zeros(a.shape)
    q[0, 0, 0] = 1.0 / a[0, 0, 0]
    for _ in range(3):
        q = _times(q, _affine(2.0, -1.0, _times(a, q)))
    return q


@nb.njit
def _column(M, p, n):
    """Column p of M, of which only the part below the diagonal is kept."""
    c = np.zeros((ORDERS, 2, n))
    for m in range(ORDERS):
        for part in range(2):
            for i in range(p):
                c[m, part, i] = -M[m, part, p, i]
            for i in range(p + 1, n):
                c[m, part, i] = M[m, part, i, p]
    return c


@nb.njit
def _set_column(M, p, n, c):
    for m in range(ORDERS):
        for part in range(2):
            for i in range(p):
                M[m, part, p, i] = -c[m, part, i]
            for i in range(p + 1, n):
                M[m, part, i, p] = c[m, part, i]


@nb.njit
def _exchange(a, i, b, j):
    """Put series i of a into b; zero is left."""
    for m in range(ORDERS):
        for part in range(2):
            b[m, part, j], a[m, part, i] = a[m, part, i], 0.0


@nb.njit
def _rank_two(M, A, B, P, Q, n):
    """M[i, j] += B[i] P[j] - A[i] Q[j]."""
    for m in range(ORDERS):
        for i in range(n):
            for k in range(m + 1):
                a, a_low, b, b_low = -A[k, 0, i], -A[k, 1, i], B[k, 0, i], B[k, 1, i]
                for j in range(i):
                    q, q_low = Q[m - k, 0, j], Q[m - k, 1, j]
                    p, p_low = P[m - k, 0, j], P[m - k, 1, j]
                    x, y = a * q, b * p
                    low = fma(a, q, -x) + fma(a, q_low, a_low * q)
                    low += fma(b, p, -y) + fma(b, p_low, b_low * p)
                    s, s_low = _add(x, low, y, 0.0)
                    M[m, 0, i, j], M[m, 1, i, j] = _add(M[m, 0, i, j], M[m, 1, i, j], s, s_low)


@nb.njit
def _change(M, p, q, n, sign, t, log_Z):
    """Multiply by exp(sign K i c_p c_q), up to the factor exp(K); t is exp(-2 K).

    Returns by how much the rows of M have lost their length, relative to the norm.
    """
    x = np.empty((ORDERS, 2, 1))
    P, Q = _column(M, p, n), _column(M, q, n)
    _exchange(P, q, x, 0)
    _exchange(Q, p, x, 0)
    squared = _times(t, t)
    like, unlike = _affine(1.0, sign, x), _affine(1.0, -sign, x)
    norm = _plus(like, _times(squared, unlike))  # twice the norm, and twice other things below
    if not norm[0, 0, 0] > 0.0:
        return np.inf
    length = 0.0
    for i in range(n):
        length += P[0, 0, i] ** 2
    lost = abs(like[0, 0, 0] * unlike[0, 0, 0] - length) / norm[0, 0, 0]
    first, second = norm[1, 0, 0] / norm[0, 0, 0], norm[2, 0, 0] / norm[0, 0, 0]
    log_Z[0] += np.log(norm[0, 0, 0] / 2) / 2
    log_Z[1] += first / 2
    log_Z[2] += (second - first**2 / 2) / 2
    inverse = _inverse(norm)
    one = _affine(1.0, 0.0, t)
    gain = _times(_plus(_times(one, one), _affine(0.0, -1.0, squared)), inverse)
    gain = _affine(0.0, sign, gain)
    new = _plus(gain, _times(_times(x, _affine(1.0, 1.0, squared)), inverse))
    shrink = _affine(0.0, 2.0, _times(t, inverse))
    _rank_two(M, _times(gain, P), _times(gain, Q), P, Q, n)
    P, Q = _times(shrink, P), _times(shrink, Q)
    _exchange(new, 0, Q, p)
    _set_column(M, p, n, P)
    _set_column(M, q, n, Q)
    return lost


@nb.njit
def _move(M, a, b):
    """Move the two fermions at b, the last ones, to a."""
    for m in range(ORDERS):
        for part in range(2):
            for k in range(2):
                for i in range(a):
                    M[m, part, a + k, i] = M[m, part, b + k, i]
                for i in range(a + 2, b):
                    M[m, part, i, a + k] = -M[m, part, b + k, i]
            M[m, part, a + 1, a] = M[m, part, b + 1, b]


@nb.njit
def _insert(M, n):
    """Two fermions more: a spin that is its own flipped one."""
    for m in range(ORDERS):
        for part in range(2):
            for k in range(n, n + 2):
                for i in range(k):
                    M[m, part, k, i] = 0.0
    M[0, 0, n + 1, n] = -1.0


@nb.njit
def _exponential(t, K, slope):
    """exp(-2 K)."""
    t[0, 0, 0], t[0, 1, 0] = np.exp(-2 * K), 0.0
    for k in range(1, ORDERS):
        t[k, 0, 0], t[k, 1, 0] = _mul(t[k - 1, 0, 0], t[k - 1, 1, 0], -2 * slope / k, 0.0)


@compiled
def log_partition(kind, first, second, seam, K, slope, width):
    """Logarithm of the sum over all spins, by operations.

    Parameters
    ----------
    kind, first, second, seam : ndarray, shape (operations,)
        `INSERT`, `BOND` or `SUM`, the slots, whether the seam lies between those of a bond.
    K, slope : ndarray, shape (operations,)
        For a bond: its coupling K in the weight exp(K s s'), and dK/dbeta.
    width : int
        Slots.

    Returns
    -------
    log_Z : ndarray, shape (ORDERS,)
        The series.
    lost : float
        How large the relative error of a factor of Z became, as far as it can be seen.
    """
    M = np.zeros((ORDERS, 2, 2 * width, 2 * width))
    log_Z, t, n, lost = np.zeros(ORDERS), np.zeros((ORDERS, 2, 1)), 0, 0.0
    for o in range(len(kind)):
        if kind[o] == INSERT:
            _insert(M, n)
            log_Z[0] += np.log(2.0) / 2
            n += 2
            continue
        if kind[o] == BOND:
            flip = -1.0 if K[o] < 0.0 else 1.0
            p, q, sign = 2 * first[o] + 1, 2 * second[o], -flip if seam[o] else flip
            log_Z[0] += flip * K[o]
            log_Z[1] += flip * slope[o]
            _exponential(t, flip * K[o], flip * slope[o])
        else:
            p, q, sign = 2 * first[o], 2 * first[o] + 1, 1.0
            log_Z[0] += np.log(2.0) / 2
            _exponential(t, np.inf, 0.0)
        lost = max(lost, _change(M, p, q, n, sign, t, log_Z))
        if lost == np.inf:
            break
        if kind[o] == SUM:
            n -= 2
            if p < n:
                _move(M, p, n)
    return log_Z, lost
