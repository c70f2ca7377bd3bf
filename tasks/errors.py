"""Why the deploy does not begin."""

from pyinfra.api.exceptions import PyinfraError
from pyinfra_cli.exceptions import CliError


class DeployError(CliError, PyinfraError):
    """Something that cannot work, found before anything on any host was changed.

    The message is one line: file, host, setting, what is wrong, what to do. pyinfra shows the errors of its
    own command line as they are; with others it names the line of code, which tells an operator nothing.
    """
