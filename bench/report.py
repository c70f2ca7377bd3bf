"""What was measured: kept as JSON, and told in the tables and the picture of docs/explanation/speed.md."""

import json
import os
import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from bench.converged import ANSIBLE, DEPLOY, FLOOR
from bench.picture import draw
from bench.throughput import EVERYTHING

Rows = list[dict[str, Any]]

RESULTS = Path("bench/results.json")
PAGE = Path("docs/explanation/speed.md")
PICTURE = PAGE.with_name("converged.svg")
BEGIN, END = "<!-- bench: begin -->", "<!-- bench: end -->"


def keep(part: str, results: Any) -> None:
    """Keep a part's results beside those of the other parts, with the machine that they are from."""
    kept = read()
    kept[part] = results
    kept["machine"] = machine()
    RESULTS.write_text(json.dumps(kept, indent=2) + "\n")


def read() -> dict[str, Any]:
    """Read what has been kept so far."""
    return json.loads(RESULTS.read_text()) if RESULTS.exists() else {}


def machine() -> str:
    """Name this machine by its cores and memory."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return f"{os.cpu_count()} cores, {memory:.0f} GB"


def publish() -> str:
    """Draw the picture, write the tables into their page, and return them."""
    kept = read()
    told = "\n\n".join(table(kept[part]) for part, table in TABLES.items() if part in kept)
    if len({row["hosts"] for row in kept.get("converged", [])}) > 1:
        PICTURE.write_text(_picture(kept["converged"]))
        told = f"![Time against the number of hosts]({PICTURE.name})\n\n{told}"
    PAGE.write_text(
        re.sub(f"{BEGIN}.*?{END}", lambda _: f"{BEGIN}\n\n{told}\n\n{END}", PAGE.read_text(), flags=re.DOTALL)
    )
    return told


def converged(rows: Rows) -> str:
    """Tell of runs that change nothing."""
    found = {(row["who"], row["hosts"], row["round_trip"]): row for row in rows}
    lines = []
    for round_trip in sorted({row["round_trip"] for row in rows}):
        for hosts in sorted({row["hosts"] for row in rows if row["round_trip"] == round_trip}):
            deploy, floor = (found[who, hosts, round_trip] for who in (DEPLOY, FLOOR))
            ansible = found.get((ANSIBLE, hosts, round_trip))
            lines.append(
                [
                    str(hosts),
                    f"{round_trip * 1000:.0f} ms",
                    f"{floor['seconds']:.1f} s",
                    f"**{deploy['seconds']:.1f} s**",
                    f"{deploy['seconds'] / floor['seconds']:.1f} x",
                    f"{ansible['seconds']:.1f} s ({ansible['runs']})" if ansible else "",
                    f"{ansible['seconds'] / deploy['seconds']:.0f} x" if ansible else "",
                    f"{deploy['cpu'] / hosts * 1000:.0f} ms",
                ]
            )
    heads = [
        "hosts",
        "round trip",
        "`exec -- true`",
        "`deploy.py`",
        "ratio",
        "Ansible (runs)",
        "Ansible / ours",
    ]
    return _table([*heads, "controller's CPU a host"], lines)


def cold(row: dict[str, Any]) -> str:
    """Tell of first runs."""
    ratio = row["deploy"] / row["script"]
    return _table(
        ["first run on one host", "seconds", "ratio"],
        [
            ["a shell script, in one connection", f"{row['script']:.1f} s", "1"],
            ["`deploy.py`", f"{row['deploy']:.1f} s", f"{ratio:.2f}"],
        ],
    )


def verification(row: dict[str, Any]) -> str:
    """Tell how long `pytest tests/` takes."""
    return _table(
        ["verification", "hosts", "tests", "seconds"],
        [["`pytest tests/ --inventory`", str(row["hosts"]), str(row["tests"]), f"{row['seconds']:.0f} s"]],
    )


def rollout(row: dict[str, Any]) -> str:
    """Tell where a rollout ended."""
    words = f"`quietrelay deploy --serial`, {row['hosts']} relays, a fault in the {row['faulty']}rd"
    rest = row["hosts"] - row["changed"] - 1
    return _table(
        ["rollout", "changed", "went back", "not touched", "seconds"],
        [[words, str(row["changed"]), "1", str(rest), f"{row['seconds']:.0f} s"]],
    )


def throughput(rates: dict[str, float]) -> str:
    """Tell of messages a second."""
    whole = rates[EVERYTHING]
    lines = [[part, f"{rate:.0f}", f"{whole / rate:.2f}"] for part, rate in rates.items()]
    return _table(["relay, port 465", "messages/s", "everything on / this"], lines)


def sweep(rates: dict[str, float]) -> str:
    """Tell of messages a second for more and more connections."""
    return _table(
        ["connections at once", *rates], [["messages/s", *(f"{rate:.0f}" for rate in rates.values())]]
    )


TABLES: dict[str, Callable[[Any], str]] = {
    "converged": converged,
    "cold": cold,
    "verification": verification,
    "rollout": rollout,
    "throughput": throughput,
    "sweep": sweep,
    "machine": lambda machine: f"Measured on {machine}, which the hosts shared with the controller.",
}


def _picture(rows: Rows) -> str:
    def line(who: str) -> list[tuple[int, float]]:
        here = [row for row in rows if row["who"] == who and not row["round_trip"]]
        return sorted((row["hosts"], row["seconds"]) for row in here)

    names = {"Ansible": ANSIBLE, "deploy.py": DEPLOY, "exec -- true": FLOOR}
    title = "A run that changes nothing, seconds against hosts"
    return draw(title, {name: points for name, who in names.items() if (points := line(who))})


def _table(heads: Sequence[str], lines: Sequence[Sequence[str]]) -> str:
    rule = ["---", *["---:"] * (len(heads) - 1)]
    return "\n".join(f"| {' | '.join(line)} |" for line in [heads, rule, *lines])
