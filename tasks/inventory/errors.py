"""Why the deploy does not begin."""

import sys
from typing import TYPE_CHECKING

from pyinfra.api.exceptions import PyinfraError

# Only pyinfra's command line imports it: it makes a process's threads, sockets and children gevent's.
if TYPE_CHECKING or "pyinfra_cli" in sys.modules:
    from pyinfra_cli.exceptions import CliError
else:
    from click import ClickException as CliError


class DeployError(CliError, PyinfraError):
    """Something that cannot work, found before anything on any host was changed.

    The message is one line: file, host, setting, what is wrong, what to do. pyinfra shows the errors of its
    own command line as they are; with others it names the line of code, which tells an operator nothing.
    """
