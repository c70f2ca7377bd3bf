"""The files that are wholly ours, each rendered from the template of the same name."""

from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from pyinfra.operations import files

DIRECTORY = Path(__file__).parents[2] / "templates"


def put(template: str, path: str, **values: Any) -> None:
    """Own a file that anybody on the host may read: root's, mode 0644.

    :param template: path below ``templates/``, without ``.j2``
    :param path: absolute path on the host
    :param values: what the template's names stand for
    """
    files.template(
        name=f"Write {path}",
        src=str(DIRECTORY / f"{template}.j2"),
        dest=path,
        user="root",
        group="root",
        mode="644",
        create_remote_dir=False,  # a step or a package has
        jinja_env_kwargs={"trim_blocks": True},  # a line that is but a tag leaves no line
        **values,
    )


def render(template: str, **values: Any) -> str:
    """Render a template here, for content that takes another way to the host.

    :raises jinja2.UndefinedError: for a name without a value
    """
    environment = Environment(
        loader=FileSystemLoader(DIRECTORY),
        undefined=StrictUndefined,
        trim_blocks=True,
        keep_trailing_newline=True,
        autoescape=False,  # noqa: S701  configuration files, not HTML
    )
    return environment.get_template(f"{template}.j2").render(**values)
