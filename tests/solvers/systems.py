"""Models for the exact solvers, and the values that they must give."""

import json
from pathlib import Path

import numpy as np
import pymc as pm
import pytensor.tensor as pt

import statmech_dsl as sm
from statmech_dsl.lower.recovery import recover
from statmech_dsl.solvers.system import discrete_system

DATA = Path(__file__).parents[1] / "data"


def table(name, file="exact"):
    return json.loads((DATA / f"{file}.json").read_text())["tables"][name]


def system_of(model):
    recovered = recover(model)
    return discrete_system(recovered.ir, recovered.tables, recovered.clamped)


def ising(lattice, J=1.0, h=0.0, observed=None):
    i, j = lattice.bonds
    with sm.Model() as model:
        s = sm.Spin("s", lattice, observed=observed)
        sm.Energy("exchange", -J * s[i] * s[j])
        if np.any(h):
            sm.Energy("zeeman", -h * s)
        m = sm.Observable("m", s.mean())
        sm.Observable("abs_m", abs(m))
        sm.Observable("m2", m**2)
        sm.Observable("m4", m**4)
        sm.Observable("spins", s)
        sm.Observable("pairs", s[i] * s[j])
    return model


def potts(lattice, q):
    i, j = lattice.bonds
    with sm.Model() as model:
        s = sm.Potts("s", lattice, q=q)
        sm.Energy("exchange", -1.0 * pt.eq(s[i], s[j]))
    return model


def clock(lattice, q):
    i, j = lattice.bonds
    with sm.Model() as model:
        s = sm.Clock("s", lattice, q=q)
        sm.Energy("exchange", -pt.cos(s.angle[i] - s.angle[j]))
    return model


def curie_weiss(N, h):
    with sm.Model() as model:
        s = sm.Spin("s", N)
        sm.Energy("exchange", -(s.sum() ** 2) / (2 * N))
        sm.Energy("zeeman", -h * s)
        sm.Observable("m", s.mean())
        sm.Observable("abs_m", abs(s.mean()))
        sm.Observable("m2", s.mean() ** 2)
        sm.Observable("m4", s.mean() ** 4)
    return model


def z2_gauge(lattice):
    with sm.Model() as model:
        U = sm.Spin("U", lattice.n_links)
        a, b, c, d = lattice.plaquette_links.T
        sm.Energy("plaquettes", -1.0 * U[a] * U[b] * U[c] * U[d])
    return model


def rbm(row):
    W, b, c = (np.array(row[name]) for name in "Wbc")
    with sm.Model() as model:
        v = sm.Occupation("v", row["nv"])
        h = sm.Occupation("h", row["nh"])
        sm.Energy("bias", -(b * v).sum() - (c * h).sum())
        sm.Energy("weights", -W * v[:, None] * h[None, :])
        sm.Observable("mean_v", v)
        sm.Observable("mean_h", h)
    return model


def spin_glass(row):
    """Couplings Jx[y][x] to (x + 1, y) and Jy[y][x] to (x, y + 1), on a torus."""
    site = np.arange(row["L"] ** 2).reshape(row["L"], row["L"])
    right, up = np.roll(site, -1, axis=1), np.roll(site, -1, axis=0)
    with sm.Model() as model:
        s = sm.Spin("s", site.size)
        sm.Energy("x", -np.ravel(row["Jx"]) * s[site.ravel()] * s[right.ravel()])
        sm.Energy("y", -np.ravel(row["Jy"]) * s[site.ravel()] * s[up.ravel()])
    return model


def random_graph(row):
    i, j = np.array(row["edges"]).T
    with sm.Model() as model:
        s = sm.Spin("s", row["N"])
        sm.Energy("exchange", -np.array(row["J"]) * s[i] * s[j])
        sm.Energy("zeeman", -np.array(row["h"]) * s)
        sm.Observable("spin", s[row["spin"]])
        sm.Observable("pair", s[i[row["bond"]]] * s[j[row["bond"]]])
    return model


def mixed(seed):
    """Several kinds of variables, random terms of up to three sites, clamped sites, a fixed term.

    Random indices meet: instances read one site twice, or a clamped and a free one.
    """
    rng = np.random.default_rng(seed)
    n = {"s": 5, "p": 3, "v": 3, "k": 2}

    def observed(values):
        return np.ma.array(values, mask=rng.random(len(values)) < 0.7)

    def sites(name, m):
        return rng.integers(n[name], size=m)

    with sm.Model() as model:
        s = sm.Spin("s", n["s"], observed=observed(rng.choice([-1, 1], 5)))
        p = sm.Potts("p", n["p"], q=3, observed=observed(rng.integers(3, size=3)))
        v = sm.Levels("v", n["v"], values=[-1, 0, 2])
        k = sm.Clock("k", n["k"], q=4)
        sm.Energy("fields", (rng.normal(size=5) * s).sum() + (rng.normal(size=3) * v).sum())
        J = rng.normal(size=6)
        sm.Energy("triples", J * s[sites("s", 6)] * v[sites("v", 6)] * pt.eq(p[sites("p", 6)], 1))
        sm.Energy("colors", pt.eq(p[sites("p", 4)], p[sites("p", 4)]) * rng.normal(size=4))
        sm.Energy("clocks", -pt.cos(k.angle[sites("k", 3)] - k.angle[sites("k", 3)]))
        sm.Energy("same", 0.3 * v[sites("v", 4)] * v[sites("v", 4)] * v[sites("v", 4)])
        pm.Potential("fixed", (0.5 * v[sites("v", 2)] * s[sites("s", 2)]).sum())
        sm.Observable("o", s.sum() + p.mean() * v[0] + pt.cos(k.angle[1]))
    return model
