"""Measure: each group of rows in a process of its own, the results to benchmarks/results.

python -m benchmarks.run [WORK ...] [--json FOLDER]
"""

from __future__ import annotations

import argparse
import importlib
import importlib.metadata
import json
import os
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
RESULTS = ROOT / "benchmarks" / "results"
THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "RAYON_NUM_THREADS")


def confine(cores: int) -> None:
    """Keep this process and all of its threads on so many cores."""
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[-cores:])


def measure(name: str, folder: Path) -> None:
    """Run one work in this process; print its rows and write them."""
    work = importlib.import_module(f"benchmarks.works.{name}")
    confine(getattr(work, "CORES", 1))
    from benchmarks import peers
    from benchmarks.environment import LIBRARIES, environment
    from benchmarks.report import line
    from benchmarks.rows import as_json

    title, _, text = (work.__doc__ or "").partition("\n")
    began, rows = time.perf_counter(), []
    for row in work.measure():
        rows.append(as_json(row))
        print(line(rows[-1]), flush=True)
    compared = {row.get("other") for row in rows}
    installed = [p for p in peers.PEERS if p in compared - set(LIBRARIES) and peers.version(p)]
    result = {
        "title": title,
        "text": text.strip(),
        "environment": environment((*LIBRARIES, *installed)),
        "seconds": round(time.perf_counter() - began),
        "rows": rows,
    }
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{name}.json").write_text(json.dumps(result, indent=1) + "\n")


def main() -> None:
    """Run the named works, all unless named, one after the other."""
    from benchmarks.works import WORKS

    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("works", nargs="*", metavar="WORK", help=f"of: {', '.join(WORKS)}")
    parser.add_argument("--json", type=Path, default=RESULTS, help="folder for the results")
    parser.add_argument("--here", action="store_true", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if unknown := set(arguments.works) - set(WORKS):
        parser.error(f"no such work: {', '.join(sorted(unknown))}; there are {', '.join(WORKS)}")
    if arguments.here:
        for name in arguments.works:
            measure(name, arguments.json)
        return
    failed = []
    for name in arguments.works or WORKS:
        print(f"--- {name}", flush=True)
        command = [sys.executable, "-m", "benchmarks.run", name, "--here", "--json", arguments.json]
        env = os.environ | dict.fromkeys(THREADS, "1")
        if subprocess.run([*map(str, command)], cwd=ROOT, env=env, check=False).returncode:
            failed.append(name)
    if failed:
        sys.exit(f"failed: {', '.join(failed)}")


if __name__ == "__main__":
    main()
