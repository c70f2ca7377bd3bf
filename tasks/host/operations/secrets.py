"""Files that nobody but their owner, and a group at most, may read, not even while they are written."""

from collections.abc import Generator
from hashlib import sha256

from pydantic import SecretStr
from pyinfra import host
from pyinfra.api import OperationError, QuoteString, StringCommand, operation
from pyinfra.facts.files import File, Sha256File


@operation()
def file(
    path: str, content: SecretStr, group: str = "root", aside: str = ""
) -> Generator[StringCommand, None, None]:
    """Own a file that holds a secret: root's, mode 0600 before it has content, replaced in one rename.

    pyinfra's own uploads pass through /tmp, readable there for a moment, and show their content as a
    difference. Here it goes over the connection's standard input, so it stands in no argument, no plan and
    no other file.

    + path: absolute path on the host; its directory exists
    + content: text, ending in a newline
    + group: group that may read it too
    + aside: what follows the path's name where it is to lie until somebody renames it
    """
    text = content.get_secret_value()
    if not text.endswith("\n"):
        raise OperationError(f"the content for {path} does not end in a newline")
    if _is_there(path, text, group):
        host.noop(f"{path} is up to date")
        return
    # mktemp makes the file 0600 (mktemp(1)); it lies beside its destination so that mv is a rename.
    yield StringCommand(
        StringCommand("new=$(mktemp ", QuoteString(f"{path}.XXXXXX"), ")", _separator=""),
        "&& trap 'rm -f \"$new\"' EXIT",
        '&& cat > "$new"',
        StringCommand("&& chown", QuoteString(f"root:{group}"), '"$new" && chmod', _mode(group), '"$new"'),
        StringCommand('&& mv "$new"', QuoteString(path + aside)),
        _stdin=text,
    )


def _is_there(path: str, text: str, group: str) -> bool:
    found = host.get_fact(File, path=path)
    if not found or (str(found["mode"]), found["user"], found["group"]) != (_mode(group), "root", group):
        return False
    return bool(host.get_fact(Sha256File, path=path) == sha256(text.encode()).hexdigest())


def _mode(group: str) -> str:
    return "600" if group == "root" else "640"
