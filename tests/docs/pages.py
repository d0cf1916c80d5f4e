"""Pages of documentation as tests: run the code, hold the quoted output against what was printed.

A page is Markdown. Its fenced ``python`` blocks run in order, in one namespace and in an empty folder. A
``text`` block that follows one is what it printed. A ``console`` block that starts with a command of
`statmech` holds such commands, after ``$ ``, and what they print. ``...`` in quoted output stands for
anything. A comment ``<!-- quote: FILE -->`` before a block says that FILE contains it, line for line;
``<!-- no run -->`` that it only shows something.

    python -m tests.docs.pages README.md docs/*.md

writes the output of a fresh run into the pages (all of them if none is named); with ``--check`` first it
only says where they differ.
"""

from __future__ import annotations

import contextlib
import doctest
import io
import os
import re
import shlex
import sys
import tempfile
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tests.docs.tables import fill

ROOT = Path(__file__).parents[2]
FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
COMMENT = re.compile(r"<!-- (quote: (?P<file>\S+)|no run) -->\s*$")
LINK = re.compile(r"(!?)\[[^\]]*\]\(([^)\s]+)\)")
WIDTH = "100"


@dataclass(frozen=True)
class Block:
    """A fenced block: its language, its text, where it lies in the page, what stands before it."""

    language: str
    text: str
    span: tuple[int, int]
    line: int
    follows: str
    comment: re.Match | None


def all_pages() -> list[Path]:
    """The README and every page below docs."""
    return [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]


def blocks(page: str) -> list[Block]:
    """All fenced blocks of a page."""
    found, end = [], 0
    for match in FENCE.finditer(page):
        between = page[end : match.start()]
        previous = found[-1].language if found and not between.strip() else ""
        line = page.count("\n", 0, match.start()) + 1
        span = match.start(2), match.end(2)
        comment = COMMENT.search(between)
        found.append(Block(match[1], match[2], span, line, previous, comment))
        end = match.end()
    return found


def links(page: str) -> list[tuple[bool, str]]:
    """Whether each link is an image, and its target; code is skipped."""
    prose = re.sub(r"`[^`\n]*`", "", FENCE.sub("", page))
    return [(bool(match[1]), match[2]) for match in LINK.finditer(prose)]


def anchors(page: str) -> set[str]:
    """The anchors that headings get, as GitHub makes them."""
    headings = re.findall(r"^#+ (.*)$", FENCE.sub("", page), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", h.lower()).strip().replace(" ", "-") for h in headings}


@contextlib.contextmanager
def printing() -> Iterator[io.StringIO]:
    """Collect what is printed, as in a terminal of fixed width; warnings go to nobody."""
    out = io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(io.StringIO()):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield out


def run_page(path: Path) -> Iterator[tuple[Block, str]]:
    """Run a page in the present folder; yield each block of quoted output with the real one."""
    namespace: dict = {"__name__": "__main__"}
    printed = ""
    for block in blocks(path.read_text()):
        if block.comment is not None:
            continue
        if block.language == "python":
            name = f"{path.relative_to(ROOT)}:{block.line}"
            with printing() as out:
                exec(compile("\n" * block.line + block.text, name, "exec"), namespace)
            printed = out.getvalue()
        elif block.language == "text" and block.follows == "python":
            yield block, printed
        elif block.language == "console" and block.text.startswith("$ statmech"):
            yield block, "".join(map(run_command, commands(block.text)))


def commands(text: str) -> list[str]:
    """The commands in a console block."""
    return [line[2:] for line in text.splitlines() if line.startswith("$ ")]


def run_command(line: str) -> str:
    """The command and what it prints."""
    from statmech_dsl.cli import main

    with printing() as out, contextlib.suppress(SystemExit):
        main(shlex.split(line)[1:])
    return f"$ {line}\n{out.getvalue()}"


def tidy(text: str) -> str:
    """Text without trailing spaces and empty lines around it."""
    return "\n".join(line.rstrip() for line in text.strip("\n").splitlines()) + "\n"


def agree(quoted: str, printed: str) -> bool:
    """Whether quoted output is what was printed, up to spaces, ``...``, times and hashes."""
    for changing in (r"\b\d+\.\d s$", r"\b[0-9a-f]{16}$"):
        quoted, printed = (re.sub(changing, "#", x, flags=re.MULTILINE) for x in (quoted, printed))
    flags = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE
    check = doctest.OutputChecker().check_output
    return check(quoted, printed, flags)


def settings() -> dict[str, str]:
    """Environment of a page: no windows, and terminals of one width."""
    return {"MPLBACKEND": "Agg", "COLUMNS": WIDTH, "NO_COLOR": "1", "TERM": "dumb"}


def differences(path: Path) -> str:
    """What a page says and its code does not print."""
    return "".join(
        f"{path.relative_to(ROOT)}, line {block.line}, says\n{block.text}\n"
        f"but the code prints\n{tidy(printed)}\n"
        f"python -m tests.docs.pages {path.relative_to(ROOT)} mends it\n"
        for block, printed in run_page(path)
        if not agree(block.text, printed)
    )


def update(path: Path) -> None:
    """Write real output into a page, except where it is abridged by ``...``."""
    page, parts, end = path.read_text(), [], 0
    for block, printed in run_page(path):
        text = block.text if "..." in block.text else tidy(printed)
        parts += [page[end : block.span[0]], text]
        end = block.span[1]
        if not agree(block.text, printed):
            print(f"{path}:{block.line}: was not what the code prints")
    path.write_text(fill("".join([*parts, page[end:]])))


if __name__ == "__main__":
    os.environ.update(settings())
    only_check = sys.argv[1:2] == ["--check"]
    paths = [Path(name).resolve() for name in sys.argv[1 + only_check :]] or all_pages()
    found = ""
    for each in paths:
        with tempfile.TemporaryDirectory() as folder, contextlib.chdir(folder):
            if only_check:
                found += differences(each)
            else:
                update(each)
    sys.exit(found or 0)
