"""A step of the deploy: pyinfra's ``@deploy``, keeping the function's own type."""

from collections.abc import Callable
from typing import ParamSpec, TypeVar, cast

from pyinfra.api import deploy

P = ParamSpec("P")
R = TypeVar("R")


def step(title: str) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Group a function's operations under a title in pyinfra's output.

    pyinfra types every deploy as returning an operation's result, though it hands on what the function
    returns; our steps return the part of the Postfix configuration that follows from them.
    """

    def wrap(function: Callable[P, R]) -> Callable[P, R]:
        return cast(Callable[P, R], deploy(title)(function))

    return wrap
