"""The documentation is true: its code runs, its output is real, its links lead somewhere."""

import re
import subprocess
import sys

import pytest

from tests.docs.pages import ROOT, all_pages, anchors, blocks, links
from tests.docs.tables import fill

PAGES = all_pages()
every_page = pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))


@every_page
def test_the_code_of_a_page_prints_what_the_page_says(page):
    """In a process of its own: what else was imported may change the order in which PyTensor adds."""
    command = [sys.executable, "-m", "tests.docs.pages", "--check", str(page)]
    run = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr[-4000:]


@every_page
def test_links_lead_somewhere(page):
    text = page.read_text()
    for is_image, target in links(text):
        if re.match(r"https?://|mailto:", target):
            assert not is_image, f"{target}: pictures are kept in the repository"
            continue
        name, _, anchor = target.partition("#")
        file = (page.parent / name).resolve() if name else page
        assert file.exists(), f"{target} does not exist"
        if anchor and file.suffix == ".md":
            assert anchor in anchors(file.read_text()), f"{target}: no such heading"
        if is_image:
            assert file.stat().st_size < 150_000, f"{target} is large"


@every_page
def test_quotes_are_in_their_files(page):
    for block in blocks(page.read_text()):
        if block.comment is not None and block.comment["file"]:
            assert block.text in (ROOT / block.comment["file"]).read_text(), block.comment["file"]


def test_every_page_can_be_reached():
    reached, new = set(), {ROOT / "docs" / "index.md"}
    while new:
        reached |= new
        targets = {
            (page.parent / target.partition("#")[0]).resolve()
            for page in new
            for _, target in links(page.read_text())
            if target.partition("#")[0].endswith(".md")
        }
        new = targets - reached
    assert set(PAGES) <= reached | {ROOT / "README.md"}
    assert "docs/index.md" in (ROOT / "README.md").read_text()


@every_page
def test_tables_are_those_of_the_code(page):
    text = page.read_text()
    assert text == fill(text), f"python -m tests.docs.pages {page.relative_to(ROOT)} mends it"
