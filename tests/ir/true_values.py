"""True values of the elementary functions, by 70 digits of Python's decimal, and errors against them."""

import math
from decimal import Decimal, localcontext

import numpy as np

PI = Decimal("3.14159265358979323846264338327950288419716939937510582097494459230781640628621")


def spread(low, high, n=1000):
    """Numbers from an interval, its ends among them."""
    return [float(low), *np.random.default_rng(0).uniform(low, high, n).tolist(), float(high)]


def magnitudes(low, high):
    """Numbers of every order of magnitude."""
    return [2.0**x for x in spread(math.log2(low), math.log2(high))]


# ---- true values ---------------------------------------------------------------------------------


def alternating(first, ratio):
    """Sum of a series whose term k is minus ``ratio(k)`` times the one before."""
    total = term = first
    k = 1
    while abs(term) > Decimal(10) ** -65:
        term *= -ratio(k)
        total += term
        k += 1
    return total


def true_sin(x):
    z = Decimal(x) % (2 * PI)
    return alternating(z, lambda k: z * z / (2 * k * (2 * k + 1)))


def true_cos(x):
    z = Decimal(x) % (2 * PI)
    return alternating(Decimal(1), lambda k: z * z / (2 * k * (2 * k - 1)))


def true_exp(x):
    return Decimal(x).exp()


def true_exp2(x):
    return (Decimal(x) * Decimal(2).ln()).exp()


def true_log(x):
    return Decimal(x).ln()


def true_atan2(y, x):
    """A Newton step from the C library's value: its error becomes the cube of what it was."""
    guess = Decimal(math.atan2(y, x))
    s, c, x, y = true_sin(guess), true_cos(guess), Decimal(x), Decimal(y)
    return guess + (y * c - x * s) / (x * c + y * s)


def worst(f, true, points, unit):
    """Largest error in units of ``unit(true value)``."""
    with localcontext() as context:
        context.prec = 80
        pairs = ((f(*x), true(*x)) for x in points)
        return max(float(abs(Decimal(got) - t) / Decimal(unit(float(t)))) for got, t in pairs)


def singles(*parts):
    return [(x,) for part in parts for x in part]
