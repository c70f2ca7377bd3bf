"""Files that are wholly ours, each rendered from the template of the same name."""

from functools import cache
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined

ROOT = Path(__file__).parents[2]


def render(template: str, **values: object) -> str:
    """Render a template.

    :param template: path below ``templates/``, without ``.j2``
    :param values: what the template's names stand for
    :raises jinja2.UndefinedError: for a name without a value
    """
    return _environment().get_template(f"{template}.j2").render(**values)


def program(name: str) -> str:
    """Read a program that runs on the relay.

    :param name: file below ``onhost/``
    """
    return (ROOT / "onhost" / name).read_text(encoding="utf-8")


@cache
def _environment() -> Environment:
    return Environment(
        loader=FileSystemLoader(ROOT / "templates"),
        undefined=StrictUndefined,
        trim_blocks=True,  # a line that is but a tag leaves no line
        keep_trailing_newline=True,
        autoescape=False,  # noqa: S701  configuration files, not HTML
    )
