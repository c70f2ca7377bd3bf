"""Removal: a host as it was before the first run, and as it would be without the program since.

It goes by what the host itself has kept: the manifest, and what was there before. Where something fails on
the way the host goes back to the relay that it is.
"""

from dataclasses import replace

from pyinfra import host

from tasks.activation import generations, leftovers, manifest
from tasks.activation.facts.manifest import Origin
from tasks.host.operations import apt, owned
from tasks.host.order import keyed
from tasks.host.step import step
from tasks.part import Part
from tasks.postfix import operations as postfix


def remove(wanted: Part, nothing: Part, packages: bool) -> None:
    """Call the operations that take the relay away; where there is none, there are none.

    :param wanted: the relay that the inventory describes
    :param nothing: what is wanted instead of it
    :param packages: whether those go that were not there before
    """
    former = manifest.former()
    if former == manifest.Manifest():
        return
    ours = manifest.lasting(manifest.of(wanted), former)
    found = host.get_fact(Origin, directory=manifest.ORIGIN, packages=manifest.PACKAGES)
    files = {*ours.files, *ours.stays}
    generations.begin(replace(ours, files=tuple(sorted(files))))
    postfix.put_back(
        name="Put main.cf and master.cf back",
        ours=ours.postfix,
        origin=f"{manifest.ORIGIN}/files/etc/postfix" if found["known"] else "",
    )
    kept = files & set(found["kept"])
    leftovers.remove(files - kept)
    put_back(kept)
    for action in nothing.actions:
        action()
    take_away(ours, wanted)
    if packages and found["packages"] is not None:
        apt.purged(
            name="Purge the packages that were not there before",
            packages=list(ours.packages),
            before=found["packages"],
        )


@step("Leftovers")
def put_back(paths: set[str]) -> None:
    """Put files back that were there before the first run."""
    for path in keyed(paths):
        owned.put_back(name=f"Put back {path}", path=path, kept=f"{manifest.ORIGIN}/files{path}")


@step("Leftovers")
def take_away(ours: manifest.Manifest, wanted: Part) -> None:
    """Remove directories, and forget the relay."""
    for path in keyed(ours.directories):
        owned.no_directory(name=f"Remove {path} where nobody else has it", path=path)
    members = [f"{user}:{group}" for user, groups in wanted.groups.items() for group in groups]
    generations.dismantled(name="Forget the relay, and have services and groups as before", members=members)
