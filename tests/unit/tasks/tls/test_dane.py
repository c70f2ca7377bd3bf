"""DANE is on where it protects somebody, never weakened unasked, and the operator is told which."""

from typing import Any

import pytest

from tasks.part import Part
from tasks.part.check import Result
from tasks.settings import ClientTls, ServerTls
from tasks.tls import dane
from tasks.tls import part as tls

WHY = "nameserver 127.0.0.1 in /etc/resolv.conf does not answer"


def made(level: str = "auto", unvalidated: str = "", **more: Any) -> Part:
    """Make the part."""
    client = ClientTls.model_validate({"security_level": level, **more})
    return tls.part(ServerTls(), client, unvalidated)


def complaints(wanted: Part, runs: str = "may") -> list[str]:
    """Give what is refused on a host whose Postfix runs with some level."""
    says = {"main": {"smtp_tls_security_level": runs}}
    return list(wanted.complaints["dnssec"](lambda fact, **_: says))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("level", "unvalidated", "becomes"),
    [
        ("auto", "", "dane"),
        ("auto", WHY, "may"),
        ("may", "", "may"),
        ("dane", "", "dane"),
        ("secure", WHY, "secure"),
    ],
)
def test_the_level_follows_from_the_setting_and_the_resolver(
    level: str, unvalidated: str, becomes: str
) -> None:
    parameters = made(level, unvalidated).postfix.parameters
    assert parameters["smtp_tls_security_level"] == becomes
    assert parameters.get("smtp_dns_support_level") == ("dnssec" if becomes == "dane" else None)


def test_a_plan_says_what_was_found_and_what_follows() -> None:
    assert made().notes == (
        "with DANE towards other servers (client_tls.security_level is 'dane'): its resolver validates",
    )
    assert made(unvalidated=WHY).notes == (
        f"without DANE towards other servers (client_tls.security_level is 'may'): {WHY}",
    )
    assert made("may", WHY).notes == ()


def test_dane_that_protects_nobody_is_refused() -> None:
    (said,) = complaints(made("dane", WHY))
    assert said.startswith(f"client_tls.security_level: 'dane' protects nothing: {WHY}; have the host ask ")
    (said,) = complaints(made("may", WHY, policy={"example.com": "dane-only", "example.net": "secure"}))
    assert said.startswith(f"client_tls.policy: nothing is delivered to example.com by DANE: {WHY}; ")


def test_dane_does_not_go_unasked() -> None:
    (said,) = complaints(made(unvalidated=WHY), runs="dane")
    assert said.startswith(f"the host delivers by DANE, and cannot any more: {WHY}; ")
    assert said.endswith("or set ClientTls(security_level='may')")
    assert complaints(made("may", WHY), runs="dane") == []
    assert complaints(made(unvalidated=WHY)) == []
    assert complaints(made(), runs="dane") == []


def test_a_policy_by_dane_has_dns_validated_too() -> None:
    parameters = made("may", policy={"example.com": "dane-only"}).postfix.parameters
    assert parameters["smtp_dns_support_level"] == "dnssec"
    assert parameters["smtp_tls_security_level"] == "may"


@pytest.mark.parametrize(
    ("wanted", "why", "runs", "wrong", "told"),
    [
        ("auto", "", "dane", "", ""),
        ("auto", WHY, "may", "", f"not here, for {WHY}"),
        ("auto", WHY, "dane", WHY, ""),
        ("dane", WHY, "may", WHY, ""),
        ("auto", "", "may", "its resolver validates", ""),
    ],
)
def test_the_doctor_tells(wanted: str, why: str, runs: str, wrong: str, told: str) -> None:
    result = Result(True, f"{why}\n\n{runs}\n" if why else f"\n{runs}\n")
    said = dane.judged(wanted, result)
    assert said.startswith(wrong)
    assert bool(said) == bool(wrong)
    if not said:
        assert dane.told(result) == told
