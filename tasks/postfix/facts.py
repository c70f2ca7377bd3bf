"""What Postfix on a host can do and is told to do."""

from collections.abc import Iterable
from shlex import quote

from pyinfra.api import FactBase
from typing_extensions import override

from tasks.postfix.configuration import Postconf

MAIN_CF = "/etc/postfix/main.cf"
MASTER_PID = "/var/spool/postfix/pid/master.pid"
"""Where the process id of Postfix's master(8) stands."""

SECTIONS = {
    "known": "postconf -dH | tr '\\n' ' ' && echo",  # a thousand names, as one line
    "main": "postconf -n",
    # Of what main.cf sets, ours among it, of which Postfix knows no default.
    "defaults": "{ postconf -d $(postconf -nH) 2>/dev/null || true; }",
    "filtering": (
        "{ { postconf | grep -E '^[a-z_]*(header|body)_checks ='; postconf -P; }"
        r" | grep -oE '[a-z]+:/[^ ,]+' | sed 's/^[a-z]*://' | xargs -r grep -lsw FILTER || true; }"
    ),
    "services": "postconf -M",
    "options": "postconf -P",
}


class PostfixSays(FactBase[Postconf | None]):
    """All that ``postconf`` tells, in one remote command; None where Postfix is not set up.

    A main.cf or master.cf that postconf cannot read fails the host, with postconf's own words.
    """

    @override
    def requires_command(self, directory: str = "") -> str:
        return "postconf"

    @override
    def command(self, directory: str = "") -> str:
        # Warnings on stderr (an unused parameter of the admin's, say) are Postfix's to log, not ours.
        said = " && ".join(f"echo '[{title}]' && {command}" for title, command in SECTIONS.items())
        if directory:
            return said.replace("postconf -", f"postconf -c {quote(directory)} -")
        return f"test ! -e {MAIN_CF} || {{ {said}; }}"

    @override
    def process(self, output: Iterable[str]) -> Postconf:
        return parse(output)


def parse(lines: Iterable[str]) -> Postconf:
    """Read the sections that `PostfixSays` prints."""
    sections: dict[str, list[str]] = {}
    section: list[str] = []
    # Brackets alone make no title: an entry for [::1]:25 begins with one, and may end with the other.
    titles = {f"[{title}]": title for title in SECTIONS}
    for line in lines:
        if title := titles.get(line):
            section = sections.setdefault(title, [])
        else:
            section.append(line)
    options: dict[str, dict[str, str]] = {}
    for path, value in map(_assignment, sections["options"]):
        key, name = path.rsplit("/", 1)
        options.setdefault(key, {})[name] = value
    entries = [line.split(None, 7) for line in sections["services"]]
    return {
        "known": " ".join(sections["known"]).split(),
        "main": dict(map(_assignment, sections["main"])),
        "defaults": dict(map(_assignment, sections["defaults"])),
        "filtering": sections["filtering"],
        "entries": {"/".join(entry[:2]): " ".join(entry) for entry in entries},
        "services": {f"{entry[0]}/{entry[1]}": [*entry[:7], entry[7].split()[0]] for entry in entries},
        "options": options,
    }


def _assignment(line: str) -> tuple[str, str]:
    name, _, value = line.partition("=")
    return name.strip(), value.strip()
