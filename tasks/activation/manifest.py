"""The manifest: what of a host is ours, kept there. A later run tells by it what is not wanted any more."""

from collections.abc import Generator
from dataclasses import dataclass, replace

from pydantic import SecretStr, TypeAdapter
from pyinfra import host
from pyinfra.api import StringCommand, operation

from tasks.activation import release_0_1
from tasks.activation.facts.manifest import Kept, Left
from tasks.host.operations import secrets
from tasks.inventory.errors import DeployError
from tasks.inventory.source import inventory_file
from tasks.part import Part
from tasks.postfix.configuration import NOTHING, Configuration
from tasks.postfix.facts import PostfixSays

DIRECTORY = "/var/lib/quietrelay"
PATH = f"{DIRECTORY}/manifest.json"
ORIGIN = f"{DIRECTORY}/origin"
"""What the host was before the first run (onhost/generation.sh)."""
PACKAGES = f"{DIRECTORY}/packages"
"""What was installed before the first run that installed anything (onhost/apt.sh)."""


class ManifestError(DeployError):
    """A manifest that cannot be read, said in one line: file, host, what, remedy."""


@dataclass(frozen=True)
class Manifest:
    """What of a host is ours."""

    files: tuple[str, ...] = ()
    """Paths of files that are wholly ours, sorted."""
    postfix: Configuration = NOTHING
    stays: tuple[str, ...] = ()
    """Paths of files that are kept where they are not wanted any more, until the whole relay goes."""
    directories: tuple[str, ...] = ()
    packages: tuple[str, ...] = ()
    """Debian packages that any run has wanted."""


_JSON = TypeAdapter(Manifest)


def of(part: Part) -> Manifest:
    """Tell what of a host is ours once it has a part."""
    ours = replace(part.postfix, where_known=frozenset(), inherits={}, confidential=frozenset())
    return Manifest(
        tuple(sorted({*part.files} - {*part.stays})),
        ours,
        tuple(sorted(part.stays)),
        tuple(sorted(part.directories)),
        tuple(sorted(part.packages)),
    )


def lasting(former: Manifest, wanted: Manifest) -> Manifest:
    """Tell what is ours once the one is made of the other: what nobody removes stays ours."""
    return replace(
        wanted,
        stays=_both(former.stays, wanted.stays),
        directories=_both(former.directories, wanted.directories),
        packages=_both(former.packages, wanted.packages),
    )


def _both(one: tuple[str, ...], other: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(sorted({*one, *other}))


def either(former: Manifest, wanted: Manifest) -> Manifest:
    """Tell what may be ours while one is made of the other; where both name it, as it is wanted."""
    one, other = former.postfix, wanted.postfix
    options = {
        key: {**one.options.get(key, {}), **other.options.get(key, {})}
        for key in {**one.options, **other.options}
    }
    postfix = Configuration(
        {**one.parameters, **other.parameters}, {**one.services, **other.services}, options
    )
    return replace(lasting(former, wanted), files=_both(former.files, wanted.files), postfix=postfix)


def written(manifest: Manifest) -> str:
    """Write a manifest, as one line."""
    return _JSON.dump_json(manifest).decode() + "\n"


def read(text: str) -> Manifest:
    """Read a manifest.

    :raises ValueError: for a text that is none
    """
    return _JSON.validate_json(text)


def former() -> Manifest:
    """Ask the host what is ours; where no manifest is, release 0.1 may have been there, which kept none.

    :raises ManifestError: for one that is not ours to read
    """
    if text := host.get_fact(Kept, path=PATH):
        try:
            return read(text)
        except ValueError:
            raise ManifestError(
                f"{inventory_file()} ({host.name}): {PATH} cannot be read; remove it, and deploy"
            ) from None
    says = host.get_fact(PostfixSays)
    if not says or release_0_1.SIGN not in says["main"]:
        return Manifest()
    found = host.get_fact(Left, files=release_0_1.FILES, signed=release_0_1.SIGNED)
    return Manifest(tuple(sorted(found)), release_0_1.POSTFIX)


@operation()
def kept(manifest: Manifest) -> Generator[StringCommand, None, None]:
    """Keep the manifest on the host.

    + manifest: what of the host is ours
    """
    yield from secrets.file._inner(path=PATH, content=SecretStr(written(manifest)))
