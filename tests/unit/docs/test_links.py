"""Links between files of the clone lead somewhere; those among the pages are checked by script/docs."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
FILES = sorted(ROOT.glob("*.md"))


def anchors(page: Path) -> set[str]:
    """Name a page's headings as links do."""
    headings = re.findall(r"^#+ (.*)$", page.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", heading).lower().replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)
def test_links_lead_somewhere(file: Path) -> None:
    links = re.findall(r"\]\((?!https?:)([^)#]*)#?([^)]*)\)", file.read_text(encoding="utf-8"))
    dead = [path for path, _ in links if not (ROOT / path).exists()]
    lost = [f"{path}#{name}" for path, name in links if name and name not in anchors(ROOT / path)]
    assert not dead + lost
