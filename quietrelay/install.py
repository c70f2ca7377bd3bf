"""Puts the command ``quietrelay`` into the environment that runs this.

``.venv/bin/python -m quietrelay.install`` is an editable installation without pip, which would have to
download what builds packages. From then on the program is found from any directory, by ``pyinfra`` as well.
"""

import sys
import sysconfig
from pathlib import Path

from quietrelay.places import CLONE

COMMAND = """\
#!{python}
from quietrelay.main import quietrelay

quietrelay(prog_name="quietrelay")
"""


def install() -> Path:
    """Write the command and where its packages lie (site's ``.pth`` files), and name the command's file."""
    Path(sysconfig.get_path("purelib"), "quietrelay.pth").write_text(f"{CLONE}\n", encoding="utf-8")
    command = Path(sysconfig.get_path("scripts"), "quietrelay")
    command.write_text(COMMAND.format(python=sys.executable), encoding="utf-8")
    command.chmod(0o755)
    return command


if __name__ == "__main__":
    print(install())
