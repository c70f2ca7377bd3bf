"""Deploy files as modules, which is what `inspect` takes all code for.

pyinfra orders operations by the lines of the call stack. For each line `inspect.stack` wants the module that
it stands in, and searches all modules for a file that is in none: a deploy file, which pyinfra compiles and
runs. That is a third of a run's work on the controller, for each operation on each host.
"""

import sys
from pathlib import Path
from types import ModuleType

from pyinfra.api import State


def known_as_module(state: State) -> None:
    """Let `inspect` find the deploy file that is being run; nothing else looks at the module."""
    if state.current_deploy_filename:
        file = str(Path(state.current_deploy_filename).absolute())
        if file not in sys.modules:
            module = sys.modules[file] = ModuleType(file)
            module.__file__ = file
