"""Files that nobody but their owner, and a group at most, may read, not even while they are written."""

from collections.abc import Generator
from hashlib import sha256

from pydantic import SecretStr
from pyinfra import host
from pyinfra.api import OperationError, QuoteString, StringCommand, operation
from pyinfra.facts.files import File, Sha256File

from prefetch import Aside
from tasks.host import differences
from tasks.host.operations import found_files


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
    if host.get_fact(File, path=path) is False:
        yield found_files.in_the_way(path)
        return
    if _is_there(path, text, group):
        host.noop(f"{path} is up to date")
        return
    yield written(path, text, group, _mode(group), aside)


def written(path: str, text: str, group: str, mode: str, aside: str = "") -> StringCommand:
    """Make the command that writes a file whole, or not at all.

    :param path: absolute path on the host
    :param group: group that it belongs to
    :param mode: in octal
    :param aside: what follows the path's name where it is to lie until somebody renames it
    """
    # mktemp makes the file 0600 (mktemp(1)); it lies beside its destination so that mv is a rename.
    return (Aside if aside else StringCommand)(
        StringCommand("new=$(mktemp ", QuoteString(f"{path}.XXXXXX"), ")", _separator=""),
        "&& trap 'rm -f \"$new\"' EXIT",
        '&& cat > "$new"',
        f'&& test $(wc -c < "$new") = {len(text.encode())}',  # a connection may break at any time
        StringCommand("&& chown", QuoteString(f"root:{group}"), '"$new" && chmod', mode, '"$new"'),
        StringCommand('&& mv "$new"', QuoteString(path + aside)),
        _stdin=text,
    )


def _is_there(path: str, text: str, group: str) -> bool:
    found = host.get_fact(File, path=path)
    same = bool(found) and host.get_fact(Sha256File, path=path) == sha256(text.encode()).hexdigest()
    found_files.tell(path, found, group, _mode(group), same)
    return bool(found and same and not differences.rights(found, group, _mode(group)))


def _mode(group: str) -> str:
    return "600" if group == "root" else "640"
