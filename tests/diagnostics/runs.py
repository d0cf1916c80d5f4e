"""Runs with exact distributions: independent draws, in the form in which `sample` returns them."""

import json

import numpy as np
import xarray as xr


def tree(values, T=None, dims=None, **sites):
    """Make a DataTree; arrays are (chain, draw, ...), or (chain, draw, T, ...) for a list of T."""
    many = np.ndim(T) == 1
    first = ("chain", "draw", "T") if many else ("chain", "draw")
    variables = {
        name: ((*first, *(dims or {}).get(name, ())), np.asarray(array))
        for name, array in values.items()
    }
    attrs = {"n_sites": json.dumps(sites)} if sites else {}
    if T is not None and not many:
        attrs["T"] = float(T)
    posterior = xr.Dataset(variables, coords={"T": np.array(T)} if many else {}, attrs=attrs)
    return xr.DataTree.from_dict({"/": xr.Dataset(attrs=attrs), "posterior": posterior})


def ising_states(lattice):
    """Return all states of a small Ising model with J = 1, (2^N, N), and their energies."""
    N = lattice.n_sites
    states = 2 * ((np.arange(2**N)[:, np.newaxis] >> np.arange(N)) & 1) - 1
    i, j = lattice.bonds
    return states, -(states[:, i] * states[:, j]).sum(axis=1)


def ising_run(lattice, temperatures, shape, seed=1):
    """Draw independent states from the exact distribution: energies, states (chain, draw, T, N)."""
    states, energies = ising_states(lattice)
    rng = np.random.default_rng(seed)
    picks = []
    for T in temperatures:
        p = np.exp(-(energies - energies.min()) / T)
        picks.append(rng.choice(len(p), size=shape, p=p / p.sum()))
    picks = np.stack(picks, axis=-1)
    return energies[picks].astype(float), states[picks].astype("int8")


def exact_means(lattice, T, *functions):
    """Return exact thermal means of functions of (states, energies)."""
    states, energies = ising_states(lattice)
    p = np.exp(-(energies - energies.min()) / T)
    p /= p.sum()
    return [float(p @ function(states, energies)) for function in functions]


def ring_of_spins(t, length, shape, seed=1):
    """Draw from the Ising ring with t = tanh(J/T): bonds are free but for their product."""
    rng = np.random.default_rng(seed)
    n = int(np.prod(shape))
    bonds = np.empty((0, length), dtype=int)
    while len(bonds) < n:
        more = np.where(rng.random((2 * n + 8, length)) < (1 + t) / 2, 1, -1)
        bonds = np.concatenate([bonds, more[more.prod(axis=1) == 1]])
    first = rng.choice([-1, 1], size=(n, 1))
    spins = np.concatenate([first, first * np.cumprod(bonds[:n, :-1], axis=1)], axis=1)
    return spins.reshape(*shape, length).astype("int8")
