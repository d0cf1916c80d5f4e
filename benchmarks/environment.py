"""Where and with what something was measured."""

from __future__ import annotations

import importlib.metadata
import os
import platform
import subprocess
import sys
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
LIBRARIES = ("statmech_dsl", "numpy", "numba", "pymc", "pytensor", "scipy")


def environment(names: Iterable[str] = LIBRARIES) -> dict[str, str | int | dict[str, str]]:
    """Processor, cores, date, commit and versions."""
    return {
        "processor": processor(),
        "cores": os.cpu_count() or 1,
        "date": f"{datetime.now(UTC):%Y-%m-%d}",
        "commit": commit(),
        "python": platform.python_version(),
        "versions": {name: importlib.metadata.version(name) for name in names},
    }


def commit() -> str:
    """Short hash of the commit, and whether anything that matters here was changed since."""

    def git(*arguments: str) -> str:
        command = ["git", "-C", str(ROOT), *arguments]
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()

    try:
        changed = git("status", "--porcelain", "--", "statmech_dsl", "models", "tests")
        return git("rev-parse", "--short", "HEAD") + (
            " with uncommitted changes" if changed else ""
        )
    except (OSError, subprocess.CalledProcessError):
        return "unknown"


def processor() -> str:
    """Name of the processor."""
    if sys.platform == "darwin":
        command = ["sysctl", "-n", "machdep.cpu.brand_string"]
        return subprocess.run(command, capture_output=True, text=True).stdout.strip()
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        lines = []
    names = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor() or platform.machine()
