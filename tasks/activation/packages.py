"""Packages: installed before anything else, and those that must make room removed."""

from tasks.activation import manifest
from tasks.host.operations import apt, debconf
from tasks.host.step import step
from tasks.part import Part
from tasks.postfix.facts import MAIN_CF


@step("Packages")
def install(wanted: Part) -> None:
    """Install what is missing, without questions and without recommended packages.

    Another mail server makes room in the same transaction, for Postfix conflicts with it (deb-control(5)): so
    nothing goes that needs a mail server, and is served by the new one.
    """
    apt.ready(
        name="Wait until packages can be installed", packages=list(wanted.packages), noted=manifest.PACKAGES
    )
    for package, questions in wanted.answers.items():
        debconf.answers(
            name=f"Answer the questions of {package}'s installation", package=package, questions=questions
        )
    apt.installed(
        name="Install Postfix, what checks passwords, and telnet-ssl", packages=list(wanted.packages)
    )
    debconf.set_up(
        name=f"Set Postfix up where {MAIN_CF} is missing",
        package="postfix",
        questions=wanted.answers["postfix"],
        makes=MAIN_CF,
    )
    if gone := wanted.packages_gone:
        apt.removed(name=f"Remove {', '.join(gone)}", packages=list(gone))
