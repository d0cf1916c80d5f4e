"""Weights of the spins on a rim, as a Gaussian state of fermions.

Without a field, the weight of the spins on the rim of a planar part, all others summed over, is a Gaussian
state: each site has two real fermions a and b, X = i a b flips its spin, and neighbors around the rim have
s s' = i b a', or -i b a' across the seam. The state is a norm and the covariance M[k, l] = <i c_k c_l>, which
is orthogonal at any temperature. A bond multiplies by exp(K i c_p c_q) and a sum by (1 + i c_p c_q) / 2. Both change
M by a matrix of rank two [S. Bravyi, Quantum Inf. Comput. 5, 216 (2005)]:

    M'_ij = M_ij - g (M_ip M_jq - M_iq M_jp),   g = sinh 2K / n,   n = cosh 2K + M_pq sinh 2K

Frustrated bonds at low T have a small n, and M then loses digits. So numbers have twice the digits of a float64: the
sum of two of them. All are power series in beta, see `series`. Axes of an array: order, part, site.
"""

from __future__ import annotations

import numba as nb
import numpy as np

from statmech_dsl.backends.numba_cpu.runtime import fma
from statmech_dsl.compiled import compiled
from statmech_dsl.solvers.series import ORDERS

INSERT, BOND, SUM = range(3)
"""Operations: a site in a new last slot; a bond of two slots; a sum over one, filled by the last."""


@nb.njit(inline="always")
def _mul(a, a_low, b, b_low):
    p = a * b
    low = fma(a, b, -p) + (a * b_low + a_low * b)
    s = p + low
    return s, low - (s - p)


@nb.njit(inline="always")
def _add(a, a_low, b, b_low):
    s = a + b
    v = s - a
    low = (a - (s - v)) + (b - v) + (a_low + b_low)
    t = s + low
    return t, low - (t - s)


@nb.njit
def _times(a, b):
    """Multiply a series by a series, or by a vector of them."""
    c = np.zeros(b.shape)
    for n in range(ORDERS):
        for k in range(n + 1):
            for i in range(b.shape[2]):
                p, p_low = _mul(a[k, 0, 0], a[k, 1, 0], b[n - k, 0, i], b[n - k, 1, i])
                c[n, 0, i], c[n, 1, i] = _add(c[n, 0, i], c[n, 1, i], p, p_low)
    return c


@nb.njit
def _plus(a, b):
    c = np.zeros(a.shape)
    for n in range(ORDERS):
        c[n, 0, 0], c[n, 1, 0] = _add(a[n, 0, 0], a[n, 1, 0], b[n, 0, 0], b[n, 1, 0])
    return c


@nb.njit
def _number(x):
    c = np.zeros((ORDERS, 2, 1))
    c[0, 0, 0] = x
    return c


@nb.njit
def _inverse(a):
    """1 / a, by Newton's method: each step doubles the digits and the orders that are right."""
    q = _number(1.0 / a[0, 0, 0])
    for _ in range(3):
        q = _times(q, _plus(_number(2.0), -_times(a, q)))
    return q


@nb.njit
def _column(M, p, n):
    """Column p of M, of which only the part below the diagonal is kept."""
    c = np.zeros((ORDERS, 2, n))
    c[:, :, :p] = -M[:, :, p, :p]
    c[:, :, p + 1 :] = M[:, :, p + 1 : n, p]
    return c


@nb.njit
def _set_column(M, p, n, c):
    M[:, :, p, :p] = -c[:, :, :p]
    M[:, :, p + 1 : n, p] = c[:, :, p + 1 :]


@nb.njit
def _rank_two(M, A, B, P, Q, n):
    """M[i, j] -= A[i] Q[j] - B[i] P[j]."""
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
def _change(M, p, q, n, sign, t, log_norm):
    """Multiply by exp(sign K i c_p c_q), up to the factor exp(K); t is exp(-2 K).

    Returns by how much the rows of M have lost their length, relative to the norm.
    """
    one = _number(1.0)
    P, Q = _column(M, p, n), _column(M, q, n)
    x = Q[:, :, p : p + 1].copy()
    P[:, :, q] = Q[:, :, p] = 0.0
    t_squared = _times(t, t)
    rest = _plus(one, -t_squared) * sign
    like, unlike = _plus(one, x * sign), _plus(one, x * -sign)
    norm = _plus(like, _times(t_squared, unlike)) * 0.5
    lost = abs(like[0, 0, 0] * unlike[0, 0, 0] - (P[0, 0] ** 2).sum()) / norm[0, 0, 0]
    if not norm[0, 0, 0] > 0.0:
        return np.inf
    inverse = _inverse(norm)
    first, second = norm[1, 0, 0] * inverse[0, 0, 0], norm[2, 0, 0] * inverse[0, 0, 0]
    log_norm[0] += np.log(norm[0, 0, 0]) / 2
    log_norm[1] += first / 2
    log_norm[2] += (second - first**2 / 2) / 2
    gain, shrink = _times(rest * 0.5, inverse), _times(t, inverse)
    _rank_two(M, _times(gain, P), _times(gain, Q), P, Q, n)
    x = _times(_plus(rest, _times(x, _plus(one, t_squared))), inverse * 0.5)
    P, Q = _times(shrink, P), _times(shrink, Q)
    P[:, :, q : q + 1], Q[:, :, p : p + 1] = -x, x
    _set_column(M, p, n, P)
    _set_column(M, q, n, Q)
    return lost


@nb.njit
def _move(M, a, b):
    """Move the two fermions at b, the last ones, to a."""
    for k in range(2):
        M[:, :, a + k, :a] = M[:, :, b + k, :a]
        M[:, :, a + 2 : b, a + k] = -M[:, :, b + k, a + 2 : b]
    M[:, :, a + 1, a] = M[:, :, b + 1, b]


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
    log_Z, t, n, lost = np.zeros(ORDERS), _number(0.0), 0, 0.0
    for o in range(len(kind)):
        if kind[o] == INSERT:
            M[:, :, n : n + 2, : n + 1] = 0.0
            M[0, 0, n + 1, n] = -1.0
            log_Z[0] += np.log(2.0) / 2
            n += 2
        elif kind[o] == BOND:
            flip = -1.0 if K[o] < 0.0 else 1.0
            strength, rise = flip * K[o], flip * slope[o]
            t[0, 0, 0], t[0, 1, 0] = np.exp(-2 * strength), 0.0
            for k in range(1, ORDERS):
                t[k, 0, 0], t[k, 1, 0] = _mul(t[k - 1, 0, 0], t[k - 1, 1, 0], -2 * rise / k, 0.0)
            log_Z[0] += strength
            log_Z[1] += rise
            sign = -flip if seam[o] else flip
            lost = max(lost, _change(M, 2 * first[o] + 1, 2 * second[o], n, sign, t, log_Z))
        else:
            log_Z[0] += np.log(2.0) / 2
            a = 2 * first[o]
            lost = max(lost, _change(M, a, a + 1, n, 1.0, _number(0.0), log_Z))
            n -= 2
            if a < n:
                _move(M, a, n)
        if lost == np.inf:
            break
    return log_Z, lost
