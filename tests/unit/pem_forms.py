"""How people have PEM: as editors, other systems and pipes leave it."""

from collections.abc import Callable
from itertools import cycle

LINES: dict[str, Callable[[str], str]] = {
    "as it should be": str,
    "CRLF": lambda text: text.replace("\n", "\r\n"),
    "CR only": lambda text: text.replace("\n", "\r"),
    "line ends of all kinds": lambda text: "".join(
        map("".join, zip(text.split("\n"), cycle(("\r\n", "\n", "\r"))))
    ),
    "byte order mark": lambda text: f"\ufeff{text}",
    "indented": lambda text: "".join(f"    {line}\n" for line in text.splitlines()),
    "indented by tabs": lambda text: "".join(f"\t{line}\n" for line in text.splitlines()),
    "blanks at line ends": lambda text: text.replace("\n", "  \n"),
    "no line end at the end": str.rstrip,
    "no line ends between": lambda text: text.replace("-----\n-----", "----------"),
    "text before and after": lambda text: f"Bag Attributes\n  friendlyName: mx1\n{text}# of 2026\n",
    "text between": lambda text: text.replace("-----\n-----", "-----\nsubject=CN = mx1\n\n-----"),
    "old word": lambda text: text.replace(" CERTIFICATE", " X509 CERTIFICATE"),
    "parameters of a curve": lambda text: (
        f"-----BEGIN EC PARAMETERS-----\nBggqhkjOPQMBBw==\n-----END EC PARAMETERS-----\n{text}"
    ),
    "quoted": lambda text: f'"{text}"',
}
"""What is done to a text, by a name for it; each is read as the text itself."""

BROKEN: dict[str, Callable[[str], str]] = {
    "line ends as two letters": lambda text: text.replace("\n", "\\n"),
    "pasted twice over itself": lambda text: text.replace("\nM", "\n-----BEGIN PRIVATE KEY-----\nM"),
    "cut off": lambda text: text[:90],
    "empty": lambda text: "",
}
"""What cannot be read, and is refused."""
