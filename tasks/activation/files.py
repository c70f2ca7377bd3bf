"""Files: all that is wholly ours, written aside where it differs, and switched to at once."""

from collections.abc import Collection, Generator
from dataclasses import dataclass

from pydantic import SecretStr
from pyinfra import host
from pyinfra.api import QuoteString, StringCommand, operation
from pyinfra.api.operation import OperationMeta

from tasks.activation.facts.health import rehearsal_of
from tasks.host.operations import owned, secrets
from tasks.host.order import keyed
from tasks.host.step import step
from tasks.host.templates import program
from tasks.part import ASIDE, File, Made, Part
from tasks.postfix import operations as postfix
from tasks.postfix.configuration import Configuration


@step("Files")
def write(wanted: Part, former: Configuration) -> None:
    """Make directories, write files aside, have others made on the host, and switch.

    :param former: what main.cf and master.cf were to say before
    """
    for path in keyed(wanted.directories):
        directory = wanted.directories[path]
        owned.directory(name=f"Make {path}", path=path, group=directory.group, mode=directory.mode)
    written = {}
    for path in keyed(wanted.files):
        file = wanted.files[path]
        if isinstance(file, File):
            written[path] = _write(path, file)
    for path in keyed(wanted.files):  # which may need what lies aside
        file = wanted.files[path]
        if isinstance(file, Made) and file.operation:
            made = file.operation(name=file.title or f"Make {path}", **file.arguments())
            if file.aside:
                written[path] = made
    for path in keyed(wanted.files):
        file = wanted.files[path]
        if isinstance(file, Made) and not file.aside:
            name = f"Keep {path} at mode {file.mode}"
            owned.file(name=name, path=path, group=file.group, mode=file.mode)
    trial = Trial(wanted, former)
    switched(name="Switch to the files that are written, at once", written=written, trial=trial)


def _write(path: str, file: File) -> OperationMeta:
    name = file.title or f"Write {path}"
    content = file.content()
    if isinstance(content, SecretStr):
        return secrets.file(name=name, path=path, content=content, group=file.group, aside=ASIDE)
    return owned.text(name=name, path=path, content=content, group=file.group, mode=file.mode, aside=ASIDE)


@dataclass(frozen=True)
class Trial:
    """How a relay is tried before it is live, be it the first one."""

    wanted: Part
    former: Configuration

    def of(self, paths: Collection[str]) -> StringCommand | None:
        """Try it with what lies beside paths (onhost/trial.sh); nothing if no mail or login needs those."""
        daemons = [one for one in self.wanted.daemons if one.makes]
        read = {path for one in daemons for path in (one.unit_file, *one.reads)} | {*self.wanted.rereads}
        if read.isdisjoint(paths):
            return None
        units = " ".join(one.unit_file for one in daemons)
        script = QuoteString(rehearsal_of(self.wanted.probes))
        tried = StringCommand("tried", '"$new"', script, QuoteString(units), *map(QuoteString, paths))
        return postfix.tried_aside(self.wanted.postfix, self.former, tried)


@operation()
def switched(written: dict[str, OperationMeta], trial: Trial) -> Generator[StringCommand, None, None]:
    """Rename what was written aside into place, once Postfix and OpenSSL can read it.

    + written: paths with the operations that wrote beside them
    + trial: how they are tried before
    """
    paths = [path for path, wrote in written.items() if wrote.is_complete() and wrote.did_change()]
    if not paths:
        host.noop("nothing lies aside")
        return
    if tried := trial.of(paths):
        script = StringCommand("\n".join([program("aside.sh"), program("trial.sh"), ""]), tried)
        yield StringCommand("bash -c", QuoteString(script.get_raw_value()))
    yield StringCommand(program("aside.sh"), "switch_files", *map(QuoteString, paths))
