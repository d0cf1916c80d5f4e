"""Hold the library against exact values, and write docs/evidence.md.

python benchmarks/evidence.py [TOPIC ...]

All topics take an hour or two. What was measured is kept in benchmarks/results/evidence, so that the page can
be written after one topic was measured anew.
"""

from __future__ import annotations

import argparse
import json
import math
import sys
import time
from dataclasses import asdict
from pathlib import Path
from typing import Any

import matplotlib
import numpy as np
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from benchmarks import environment as measured  # noqa: E402
from tests.evidence.cases import CASES  # noqa: E402
from tests.evidence.checks import Check  # noqa: E402
from tests.evidence.topics import TOPICS, Topic  # noqa: E402
from tests.evidence.zscores import Score, band, scores, variance  # noqa: E402

PAGE = ROOT / "docs" / "evidence.md"
PICTURE = ROOT / "docs" / "images" / "evidence.png"
RESULTS = ROOT / "benchmarks" / "results" / "evidence"
REFERENCES = "references"
"""The topic of the z-scores."""
BAND = (0.8, 1.25)
"""Where the variance of all z-scores must lie."""
LIMIT = 4.0
"""Standard errors that no z-score may exceed."""


def measure(console: Console) -> list[Score]:
    """Run all cases, showing the worst z-score of each."""
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
    )
    found: list[Score] = []
    with Progress(*columns, console=console) as progress:
        task = progress.add_task("cases", total=len(CASES))
        for case in CASES:
            progress.update(task, description=case.family)
            began = time.perf_counter()
            own = scores(case)
            worst = max(own, key=lambda score: abs(score.z))
            console.print(
                f"{case.name}: {len(own)} z-scores, worst {worst.z:+.2f}, "
                f"{time.perf_counter() - began:.1f} s"
            )
            found += own
            progress.advance(task)
    return found


# ---- the page -----------------------------------------------------------------------------------


def page(found: list[Score], results: dict[str, dict[str, Any]]) -> str:
    """The text of docs/evidence.md, from what was measured of each topic."""
    n = len(found)
    low, high = band(n, chance=0.0027)
    right = all(abs(s.z) < LIMIT for s in found) and BAND[0] <= variance(found) <= BAND[1]
    mean = float(np.mean([s.z for s in found]))
    outside = sum(abs(s.z) > 2 for s in found)
    expected = n * math.erfc(2 / math.sqrt(2))
    short = sum(case.ci for case in CASES)
    return f"""# Evidence

What the library measures is held here against what is known exactly. This page is the output of
`make evidence`, which repeats all of it; {short} of the {len(CASES)} runs are also among the tests.

**{n} z-scores, variance {variance(found):.3f} (accepted: {BAND[0]} to {BAND[1]}), worst |z| {worst(found):.2f}
(accepted: below {LIMIT:g}): {"passed" if right else "FAILED"}.**

![Histogram of the z-scores and the normal distribution](images/evidence.png)

## How to read it

A Monte Carlo result comes with a standard error. Its z-score is (measured - exact) / standard error. If
the sampler draws from the right distribution and the error is the right one, z-scores are normal with
mean 0 and variance 1: one in 22 lies beyond 2, one in 16 000 beyond 4. A wrong sampler or a wrong
convention moves single z-scores away without limit as runs get longer. Wrong error bars show in the
variance: bars too small by a factor of 2 give 4, too large by 2 give 1/4.

The variance is the mean of z^2, about the exact mean 0. By chance alone that of {n} z-scores
would lie between {low:.2f} and {high:.2f} in 99.7 percent of all cases. Their mean is {mean:+.3f} (one
standard error is {n**-0.5:.3f}), and {outside} are beyond 2, where {expected:.0f} are expected.

{table(found)}

The five farthest out:

{farthest(found, 5)}

{sections(results)}

## How it is done

* All z-scores are independent. Every temperature, and every quantity at it, has chains of its own
  (32, as a rule): the energy and the heat capacity of one model are not measured in the same chains.
* Seeds are a hash of the name of the run. None was picked.
* Means (energies, plaquettes, correlations) have their error from the autocorrelation time
  (`sm.tau_int`), heat capacities, susceptibilities and cumulants from the jackknife (`sm.derived`).
* A run whose chains are too short for its error bars is an error, not a result.
* Updates are what the library chooses: heat bath, or Metropolis where no exact draw is known. Runs
  with "Metropolis" in their name ask for it. A few tiny ones use the reference backend.
* Conventions: p(x) = exp(-E(x)/T)/Z; each bond counts once; E = -sum delta for Potts models; the
  Curie-Weiss tables leave out i = j, and their energy is moved by J/2; tori with L = 2 have double bonds.

The exact values, with their sources and conventions, are in `tests/data`, the runs in
`tests/evidence/cases.py`.

{environments(results)}
"""


def sections(results: dict[str, dict[str, Any]]) -> str:
    """What was asked, and what was measured, topic by topic."""
    parts = []
    for name, topic in TOPICS.items():
        if name in results:
            checks = [Check(**row) for row in results[name]["checks"]]
            parts.append(section(topic, checks))
    return "\n\n".join(parts)


def section(topic: Topic, checks: list[Check]) -> str:
    """One topic."""
    lines = [topic.text, "", "| what | asked for | measured | |", "|---|---|---|---|"]
    for check in checks:
        verdict = "passed" if check.right else "**FAILED**"
        lines.append(f"| {check.what} | {check.asked} | {check.measured} | {verdict} |")
    return "\n".join(lines).replace("|mean|", "abs(mean)").replace("<s_i", "\\<s_i")


def worst(found: list[Score]) -> float:
    """Largest |z|."""
    return max(abs(s.z) for s in found)


def table(found: list[Score]) -> str:
    """One line for each family, for each way to an error bar, and for all."""
    groups: dict[str, list[Score]] = {}
    for score in found:
        groups.setdefault(score.case.family, []).append(score)
    for name, what in (("sm.tau_int", "means"), ("sm.derived", "functions of means")):
        groups[f"**{what}, by `{name}`**"] = [s for s in found if s.estimator == name]
    groups["**all**"] = found
    lines = [
        "| family | z-scores | worst abs(z) | variance | 99.7 % by chance |",
        "|---|--:|--:|--:|--:|",
    ]
    for name, own in groups.items():
        low, high = band(len(own), chance=0.0027)
        lines.append(
            f"| {name} | {len(own)} | {worst(own):.2f} | {variance(own):.2f} | {low:.2f} to {high:.2f} |"
        )
    return "\n".join(lines)


def farthest(found: list[Score], n: int) -> str:
    """The n z-scores that are farthest out."""
    lines = ["| run | T | quantity | measured | exact | z |", "|---|--:|---|--:|--:|--:|"]
    for s in sorted(found, key=lambda score: -abs(score.z))[:n]:
        lines.append(
            f"| {s.case.name} | {s.T:.4g} | {s.quantity} | {s.value:.6g} +- {s.error:.2g} | "
            f"{s.exact:.6g} | {s.z:+.2f} |"
        )
    return "\n".join(lines)


def environments(results: dict[str, dict[str, Any]]) -> str:
    """Where, when and with what."""
    lines = ["| topic | date | minutes | commit | processor |", "|---|---|--:|---|---|"]
    for name, result in results.items():
        where = result["environment"]
        lines.append(
            f"| {name} | {where['date']} | {result['minutes']:.1f} | {where['commit']} | "
            f"{where['processor']}, {where['cores']} cores |"
        )
    return "\n".join(lines)


def draw(found: list[Score]) -> None:
    """Histogram of the z-scores and the normal distribution."""
    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    edges = np.linspace(-4.5, 4.5, 37)
    grid = np.linspace(-4.5, 4.5, 400)
    figure, axes = plt.subplots(figsize=(6.4, 3.6), layout="constrained")
    axes.hist([s.z for s in found], edges, density=True, color="#9ecae1", edgecolor="white")
    axes.plot(grid, np.exp(-(grid**2) / 2) / np.sqrt(2 * np.pi), color="#d94801", label="normal")
    axes.set(
        xlabel="z = (measured - exact) / standard error",
        ylabel="density",
        title=f"{len(found)} z-scores, variance {variance(found):.2f}",
        xlim=(-4.5, 4.5),
    )
    axes.legend(frameon=False)
    PICTURE.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(PICTURE, dpi=150)
    plt.close(figure)


def measured_topic(name: str, console: Console) -> dict[str, Any]:
    """Measure a topic, and keep what was found."""
    began = time.perf_counter()
    found: dict[str, Any] = {"environment": measured.environment()}
    if name == REFERENCES:
        rows = [asdict(s) | {"case": s.case.name} for s in measure(console)]
        found["scores"] = rows
    else:
        checks = TOPICS[name].find(
            True, lambda check: console.print(f"{check.what}: {check.measured}")
        )
        found["checks"] = [asdict(check) | {"right": bool(check.right)} for check in checks]
    found["minutes"] = (time.perf_counter() - began) / 60
    RESULTS.mkdir(parents=True, exist_ok=True)
    (RESULTS / f"{name}.json").write_text(json.dumps(found, indent=1) + "\n")
    return found


def kept() -> dict[str, dict[str, Any]]:
    """What was measured last of each topic."""
    files = {name: RESULTS / f"{name}.json" for name in (REFERENCES, *TOPICS)}
    return {name: json.loads(file.read_text()) for name, file in files.items() if file.exists()}


def main() -> None:
    """Measure, draw, write; fail if the evidence does."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("topics", nargs="*", metavar="TOPIC")
    console = Console()
    names = parser.parse_args().topics or (REFERENCES, *TOPICS)
    if unknown := set(names) - {REFERENCES, *TOPICS}:
        parser.error(
            f"there is no topic {', '.join(sorted(unknown))}: {REFERENCES}, {', '.join(TOPICS)}"
        )
    for name in names:
        console.print(f"--- {name}")
        measured_topic(name, console)
    results = kept()
    by_name = {case.name: case for case in CASES}
    rows = results.get(REFERENCES, {}).get("scores", [])
    found = [Score(**row | {"case": by_name[row["case"]]}) for row in rows]
    failed = [
        row["what"]
        for name, result in results.items()
        for row in result.get("checks", [])
        if not row["right"]
    ]
    if found:
        draw(found)
        PAGE.write_text(page(found, results))
        console.print(
            f"{len(found)} z-scores, variance {variance(found):.3f}, worst |z| {worst(found):.2f}; "
            f"written to {PAGE.relative_to(ROOT)}"
        )
        if worst(found) >= LIMIT or not BAND[0] <= variance(found) <= BAND[1]:
            failed.append("z-scores")
    if failed:
        sys.exit("the evidence is outside its limits: " + "; ".join(failed))


if __name__ == "__main__":
    main()
