"""Where in an inventory a line stands, told as an operator would: file, line, host or group."""

import ast
import os
import sys

SKIPPED = "skip_checks"
"""Data of a host: names of preflight checks that its operator knows better than, with commas between them."""


def inventory_file() -> str:
    """Name the inventory as it was given: the first Python file or @connector on the command line."""
    return next(
        (word for word in sys.argv[1:] if word.startswith("@") or word.endswith(".py")), "the inventory"
    )


def locate(file: str, line: int) -> str:
    """Name a place in an inventory.

    :param file: path of the inventory's Python file
    :param line: line number, from 1
    :returns: ``inventories/prod.py line 7 (mx1.example.org)``; without the host where none encloses the line
    """
    path = os.path.relpath(file)
    try:
        with open(file, encoding="utf-8") as source:
            owner = _owner(ast.parse(source.read()), line)
    except (OSError, SyntaxError):
        owner = None
    return f"{path} line {line}" + (f" ({owner})" if owner else "")


def _owner(tree: ast.Module, line: int) -> str | None:
    """The innermost ``("host", {...})`` around the line, or else the group assigned there."""
    owner = None
    for node in ast.walk(tree):  # breadth first, so that what is found last is innermost
        match node:
            case ast.Assign(targets=[ast.Name(id=name)]) if _spans(node, line):
                owner = f"group {name}"
            case ast.Tuple(elts=[ast.Constant(value=str(name)), ast.Dict()]) if _spans(node, line):
                owner = name
    return owner


def _spans(node: ast.stmt | ast.expr, line: int) -> bool:
    return node.lineno <= line <= (node.end_lineno or node.lineno)
