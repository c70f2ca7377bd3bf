"""What all sections of an inventory have in common: frozen, strict, and telling where they went wrong."""

import difflib
import sys
from typing import Any, NamedTuple

from pydantic import BaseModel, ConfigDict, ValidationError

from tasks.inventory.errors import DeployError
from tasks.inventory.source import locate


class SettingsError(DeployError):
    """A setting that cannot be, said in one line: file, host, setting, remedy."""


class Becomes(NamedTuple):
    """The parameter on the host that a setting turns into, for the table in the README."""

    parameter: str


class Section(BaseModel):
    """One concern of the relay. Frozen, and strict about names: a misspelled setting is an error."""

    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        hide_input_in_errors=True,
        defer_build=True,  # an inventory has few of all sections, and what checks one takes a while to make
    )

    def __init__(self, **settings: Any) -> None:
        """Check the settings; a file's name among them counts from the file in which the section is written.

        :raises SettingsError: naming the place in the inventory, the setting and the remedy.
        """
        caller = sys._getframe(1)
        try:
            self.__pydantic_validator__.validate_python(
                settings, self_instance=self, context=caller.f_code.co_filename
            )
        except ValidationError as error:
            where = locate(caller.f_code.co_filename, caller.f_lineno)
            raise SettingsError(f"{where}: {describe(type(self), error)}") from None

    def to_json(self) -> dict[str, Any]:
        """Show the section in `pyinfra INVENTORY debug-inventory`."""
        return {type(self).__name__: self.model_dump(mode="json")}


def describe(model: type[BaseModel], error: ValidationError) -> str:
    """Say in one line all that is wrong with a section."""
    return "; ".join(_describe_one(model, detail) for detail in error.errors(include_url=False))


def _describe_one(model: type[BaseModel], detail: Any) -> str:
    name = ".".join(str(part) for part in detail["loc"])
    setting = f"{model.__name__}.{name}" if name else model.__name__
    match detail["type"]:
        case "extra_forbidden":
            near = difflib.get_close_matches(name, model.model_fields, n=1)
            known = f"did you mean {near[0]}?" if near else f"known are: {', '.join(model.model_fields)}"
            return f"{setting} is not a setting; {known}"
        case "missing":
            return f"{setting} is missing; add it (the README's settings table tells what it takes)"
        case "value_error":
            return f"{setting}: {detail['ctx']['error']}"
        case _:
            return f"{setting}: {detail['msg']}; see the README's settings table"
