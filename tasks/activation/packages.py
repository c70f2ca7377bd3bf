"""Packages: installed before anything else, and those that must make room removed."""

from pyinfra.operations import apt

from tasks.host.operations import apt as host_apt
from tasks.host.operations import debconf
from tasks.host.step import step
from tasks.part import Part


@step("Packages")
def install(wanted: Part) -> None:
    """Install what is missing, without questions and without recommended packages.

    Another mail server makes room in the same transaction, for Postfix conflicts with it (deb-control(5)): so
    nothing goes that needs a mail server, and is served by the new one.
    """
    host_apt.ready(name="Wait until packages can be installed", packages=list(wanted.packages))
    for package, questions in wanted.answers.items():
        debconf.answers(
            name=f"Answer the questions of {package}'s installation", package=package, questions=questions
        )
    apt.packages(
        name="Install Postfix, what checks passwords, and telnet-ssl",
        packages=list(wanted.packages),
        no_recommends=True,
        extra_install_args=f"-o DPkg::Lock::Timeout={host_apt.PATIENCE}",
    )
    if gone := wanted.packages_gone:
        apt.packages(name=f"Remove {', '.join(gone)}", packages=list(gone), present=False)
