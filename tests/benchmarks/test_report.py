"""From results to the page and the picture."""

import json

import pytest

from benchmarks import report
from benchmarks.rows import Comparison, Figure, as_json
from benchmarks.timing import Duel, Side, Spread

WHERE = {
    "processor": "a processor",
    "cores": 2,
    "date": "2030-01-01",
    "commit": "abc",
    "python": "3.13",
    "versions": {"numpy": "2"},
}


@pytest.fixture
def folder(tmp_path):
    """Results of one work: a peer that was measured, one that disagrees, one that is absent."""
    one = Spread(1.0, 0.5, 1.5)
    good = Duel(Side("us", one, -1.0, 0.01), Side("them", one, -1.01, 0.01), Spread(12.3, 12, 13))
    rows = [
        Comparison("Ising", "mcising", "measured", good),
        Comparison("Ising", "openjij", "the energies do not agree", good),
        Comparison("Ising", "hamon", "not installed"),
        Figure("waiting", "s", Spread(1234.0, 1000.0, 2000.0)),
    ]
    result = {
        "title": "A title.",
        "text": "Some words.",
        "environment": WHERE,
        "rows": [as_json(r) for r in rows],
    }
    (tmp_path / "ising.json").write_text(json.dumps(result))
    return tmp_path


def test_only_what_was_measured_and_agrees_is_in_the_tables(folder):
    text = report.speeds(folder)
    assert "### A title\n\nSome words.\n" in text
    assert "| Ising | mcising | 1 | 1 | 12.3 (12 to 13) | -1.0000 +- 0.0100 |" in text
    assert "| Ising | openjij" not in text
    assert "* Ising against openjij: the energies do not agree" in text
    assert "* Ising against hamon: not installed" in text
    assert "| waiting | s | 1,234 (1,000 to 2,000) |" in text
    assert "a processor, 2030-01-01, commit abc, Python 3.13, numpy 2." in text
    assert "images/performance.png" in text


def test_the_picture_is_drawn(folder, tmp_path):
    path = tmp_path / "picture.png"
    report.draw(report.results(folder), path)
    assert 0 < path.stat().st_size < 150_000


def test_a_folder_without_results_says_so(tmp_path):
    assert "Nothing is measured yet" in report.speeds(tmp_path)


def test_lines_for_the_terminal(folder):
    (result,) = report.results(folder)
    lines = [report.line(row) for row in result["rows"]]
    assert lines[0].startswith("Ising / mcising: 1 against 1 ns, ratio 12.3 (12 to 13)")
    assert lines[1].endswith("the energies do not agree")
    assert lines[2] == "Ising / hamon: not installed"
    assert lines[3].startswith("waiting: 1,234")
