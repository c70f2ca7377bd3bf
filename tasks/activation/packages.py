"""Packages: installed before anything else, and those that must make room removed."""

from pyinfra import host
from pyinfra.facts.deb import DebPackages
from pyinfra.operations import apt

from tasks.host.operations import debconf
from tasks.host.step import step
from tasks.part import Part


@step("Packages")
def install(wanted: Part) -> None:
    """Install what is missing, without questions and without recommended packages."""
    if gone := wanted.packages_gone:
        apt.packages(name=f"Remove {', '.join(gone)}", packages=list(gone), present=False)
    for package, questions in wanted.answers.items():
        debconf.answers(
            name=f"Answer the questions of {package}'s installation", package=package, questions=questions
        )
    installed = host.get_fact(DebPackages)
    apt.packages(
        name="Install Postfix, what checks passwords, and telnet-ssl",
        packages=list(wanted.packages),
        no_recommends=True,
        update=not set(wanted.packages) <= set(installed),  # a converged run asks no package source anything
    )
