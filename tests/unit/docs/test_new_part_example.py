"""The example of a part is the code as it is."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[3]
PAGE = ROOT / "docs" / "development" / "where-a-new-part-goes.md"
CONCERN = ROOT / "tasks" / "logs"


def test_every_line_of_the_example_is_in_the_code() -> None:
    blocks = re.findall(
        r"^ *```python\n(.*?)^ *```", PAGE.read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE
    )
    shown = {line.strip() for block in blocks for line in block.splitlines()} - {"", "..."}
    code = {line.strip() for file in CONCERN.glob("*.py") for line in file.read_text().splitlines()}
    assert shown
    assert shown <= code, "show tasks/logs as it is"
