"""Graph files in rudy's format."""

import gzip

import numpy as np
import pytest

import statmech_dsl as sm
from statmech_dsl.errors import LatticeError

TEXT = "4 3\n1 2 1\n2 3 -2.5\n4 1\n"


@pytest.mark.parametrize("kind", ["text", "file", "gz"])
def test_files_and_texts(kind, tmp_path):
    source = TEXT
    if kind == "file":
        source = tmp_path / "graph.txt"
        source.write_text(TEXT)
    elif kind == "gz":
        source = tmp_path / "graph.txt.gz"
        source.write_bytes(gzip.compress(TEXT.encode()))
    graph, weights = sm.read_gset(source)
    assert graph.n_sites == 4
    np.testing.assert_array_equal(np.transpose(graph.bonds), [[0, 1], [1, 2], [3, 0]])
    np.testing.assert_array_equal(weights, [1, -2.5, 1])


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("4 2\n1 2 1\n", "2 bonds are announced and 1 follow"),
        ("4\n1 2 1\n", "line 1 is not the numbers of sites and bonds"),
        ("4 1\n1 b 1\n", "line 2 is not a bond"),
        ("4 1\n\n1.5 2 1\n", "line 3 is not a bond"),
        ("4 1\n1 5 1\n", "leaves the sites"),
        ("4 1\n2 2 1\n", "joins a site to itself"),
        ("nofile.txt", "no file nofile.txt"),
    ],
)
def test_mistakes(text, message):
    with pytest.raises(LatticeError, match=message):
        sm.read_gset(text)


def test_cuts_are_minus_the_energy():
    model = sm.models.max_cut(*sm.read_gset(TEXT))
    exact = sm.exact(model)
    assert float(exact.min_energy) == -2.0
    result = sm.anneal(model, reads=4, sweeps=10, seed=1, progressbar=False)
    (s,), w = result.s.values[:1], [1, -2.5, 1]
    cut = sum(x for x, i, j in zip(w, (0, 1, 3), (1, 2, 0), strict=True) if s[i] != s[j])
    assert cut == -float(result.energy[0])
