"""A browser that opens a page without a network: Debian's Chromium, headless."""

import json
import re
import subprocess
from html import unescape
from pathlib import Path
from typing import TypedDict

PATIENCE = 120  # seconds
SCHEMES = {"dark": 0, "light": 1}
# The page in a frame as wide as a telephone: Chromium's own window is never narrower than 500 px.
FRAME = """<!DOCTYPE html>
<style>body {{ margin: 0 }}</style>
<iframe src="{page}" style="border: 0; width: {width}px; height: 3000px"></iframe>
<pre></pre>
<script>
addEventListener("load", () => {{
  const frame = document.querySelector("iframe").contentWindow, page = frame.document;
  page.querySelectorAll("details").forEach(one => one.open = true);
  const style = frame.getComputedStyle(page.body);
  document.querySelector("pre").textContent = JSON.stringify({{
    title: page.title,
    text: page.body.innerText,
    width: page.documentElement.scrollWidth,
    ink: style.color,
    paper: style.backgroundColor,
    fetched: frame.performance.getEntriesByType("resource").map(one => one.name),
    scripts: page.scripts.length,
  }});
}});
</script>
"""


class Shown(TypedDict):
    """What a browser shows of a page, all that folds opened."""

    title: str
    text: str
    width: int
    """CSS pixels that the page takes; more than it has been given are scrolled sideways."""
    ink: str
    paper: str
    fetched: list[str]
    """Whatever it asked for beside the page itself."""
    scripts: int


def shown(page: Path, directory: Path, width: int, scheme: str) -> Shown:
    """Open a page.

    :param directory: for the browser's own files, and the screenshot `SCHEME-WIDTH.png`
    :param width: in CSS pixels
    :param scheme: what the reader prefers, `light` or `dark`
    """
    frame = directory / "frame.html"
    frame.write_text(FRAME.format(page=page.as_uri(), width=width))
    options = [
        "--headless",
        "--no-sandbox",  # root's browser has none
        "--disable-gpu",
        "--allow-file-access-from-files",
        "--host-resolver-rules=MAP * ~NOTFOUND",
        f"--user-data-dir={directory / 'profile'}",
        f"--blink-settings=preferredColorScheme={SCHEMES[scheme]}",
        f"--window-size={max(width, 500)},3000",
        f"--screenshot={directory / f'{scheme}-{width}.png'}",
        "--dump-dom",
    ]
    done = subprocess.run(
        ["chromium", *options, frame.as_uri()], capture_output=True, text=True, timeout=PATIENCE, check=True
    )
    found = re.search(r"<pre>(.*?)</pre>", done.stdout, re.DOTALL)
    assert found, done.stderr
    told: Shown = json.loads(unescape(found[1]))
    return told
