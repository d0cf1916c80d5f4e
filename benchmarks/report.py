"""From benchmarks/results to the tables and the picture of docs/performance.md.

python -m benchmarks.report
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

from benchmarks.peers import PEERS
from benchmarks.works import WORKS

ROOT = Path(__file__).resolve().parents[1]
RESULTS = ROOT / "benchmarks" / "results"
PAGE = ROOT / "docs" / "performance.md"
PICTURE = ROOT / "docs" / "images" / "performance.png"
MARKED = re.compile(r"(?<=<!-- speeds -->\n).*?(?=<!-- end -->)", re.DOTALL)

Result = dict[str, Any]
Row = dict[str, Any]


def results(folder: Path = RESULTS) -> list[Result]:
    """What was measured, in the order of the works."""
    paths = [folder / f"{name}.json" for name in WORKS]
    return [json.loads(path.read_text()) for path in paths if path.is_file()]


def published(row: Row) -> bool:
    """Whether a comparison may be shown: it was measured and the energies agree."""
    return row["kind"] == "comparison" and row["status"] == "measured"


# ---- numbers as text ----------------------------------------------------------------------------


def number(x: float) -> str:
    """Three digits."""
    return f"{x:,.0f}" if abs(x) >= 100 else f"{x:.3g}"


def spread(x: dict[str, float]) -> str:
    """Median and quartiles."""
    return f"{number(x['median'])} ({number(x['low'])} to {number(x['high'])})"


def energy(side: Row) -> str:
    """Energy per site and its standard error."""
    if side["energy"] is None:
        return "none"
    return f"{side['energy']:.4f} +- {side['error']:.4f}"


def line(row: Row) -> str:
    """A row in one line, for the terminal."""
    if row["kind"] == "figure":
        return f"{row['what']}: {spread(row['value'])} {row['unit']}"
    head = f"{row['system']} / {row['other']}: "
    if row["duel"] is None:
        return head + row["status"]
    a, b = row["duel"]["ours"], row["duel"]["theirs"]
    text = (
        f"{number(a['ns']['median'])} against {number(b['ns']['median'])} ns, "
        f"ratio {spread(row['duel']['ratio'])}; energies {energy(a)}, {energy(b)}"
    )
    return head + text + ("" if row["status"] == "measured" else f"; {row['status']}")


# ---- the page -----------------------------------------------------------------------------------


def section(result: Result) -> str:
    """One group: its table, and what is missing from it."""
    rows = result["rows"]
    comparisons, figures = [r for r in rows if published(r)], [r for r in rows if "value" in r]
    parts = [f"### {result['title'].rstrip('.')}\n"]
    if result["text"]:
        parts.append(f"{result['text']}\n")
    if comparisons:
        head = (
            "| system | against | this library, ns | other, ns | other / this | energy | other's |\n"
            "|---|---|--:|--:|--:|--:|--:|\n"
        )
        parts.append(head + "".join(map(comparison, comparisons)))
    if figures:
        head = "| what | unit | median (quartiles) |\n|---|---|--:|\n"
        body = (f"| {r['what']} | {r['unit']} | {spread(r['value'])} |\n" for r in figures)
        parts.append(head + "".join(body))
    missing = [r for r in rows if r["kind"] == "comparison" and not published(r)]
    if missing:
        listed = (f"* {r['system']} against {r['other']}: {r['status']}\n" for r in missing)
        parts.append("Without a figure:\n\n" + "".join(listed))
    parts.append(where(result["environment"]) + "\n")
    return "\n".join(parts)


def comparison(row: Row) -> str:
    """A line of a table."""
    a, b, ratio = row["duel"]["ours"], row["duel"]["theirs"], row["duel"]["ratio"]
    cells = (
        row["system"],
        row["other"],
        number(a["ns"]["median"]),
        number(b["ns"]["median"]),
        spread(ratio),
        energy(a),
        energy(b),
    )
    return f"| {' | '.join(cells)} |\n"


def where(environment: dict[str, Any]) -> str:
    """Processor, date, commit and versions, in one line."""
    versions = ", ".join(f"{name} {version}" for name, version in environment["versions"].items())
    return (
        f"{environment['processor']}, {environment['date']}, commit {environment['commit']}, "
        f"Python {environment['python']}, {versions}."
    )


def speeds(folder: Path = RESULTS) -> str:
    """All tables, with the picture before them."""
    found = results(folder)
    if not found:
        return "\nNothing is measured yet: `make bench` fills this section.\n\n"
    picture = ""
    if any(map(against_peer, (r for result in found for r in result["rows"]))):
        picture = (
            "![Times of other libraries divided by those of this one](images/performance.png)\n\n"
        )
    return f"\n{picture}" + "\n".join(map(section, found)) + "\n"


# ---- the picture --------------------------------------------------------------------------------


def against_peer(row: Row) -> bool:
    """Whether a published row compares with another library."""
    return published(row) and row["other"] in PEERS


def draw(found: list[Result], path: Path) -> None:
    """How many times longer other libraries take, on a logarithmic axis."""
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    rows = [r for result in found for r in result["rows"] if against_peer(r)]
    if not rows:
        return
    ratios = [r["duel"]["ratio"] for r in rows]
    names = [f"{r['system']}: {r['other']}" for r in rows]
    middle = [x["median"] for x in ratios]
    low, high = ([abs(x[side] - x["median"]) for x in ratios] for side in ("low", "high"))
    figure, axes = plt.subplots(figsize=(8, 0.8 + 0.24 * len(rows)), layout="constrained")
    axes.barh(names, middle, xerr=(low, high), color="#9ecae1", log=True)
    axes.axvline(1, color="#d94801")
    for k, x in enumerate(middle):
        place = {"xytext": (6, 0), "textcoords": "offset points", "va": "center", "fontsize": 8}
        axes.annotate(number(x), (x, k), **place)
    axes.set(
        xlim=(min(0.5, min(middle) / 2), 8 * max(middle)), xlabel="time / time of this library"
    )
    axes.invert_yaxis()
    axes.margins(y=0.01)
    axes.tick_params(labelsize=8)
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=110)
    plt.close(figure)


def main() -> None:
    """Write the page and the picture."""
    draw(results(), PICTURE)
    page = PAGE.read_text()
    PAGE.write_text(MARKED.sub(lambda _: speeds(), page))


if __name__ == "__main__":
    main()
