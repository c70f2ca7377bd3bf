"""Headers that no client has written yet become what they have to."""

from hypothesis import given, settings

from tests.support.generated import RELAY, SECRET, Header, dropped, kept, naming
from tests.unit.examples import HOSTNAME
from tests.unit.header_tables import checked

often = settings(max_examples=300, deadline=None)


def becomes(header: Header) -> str | None:
    """Put a header through the tables as Postfix does, which ends lines with LF."""
    return checked(header.sent.replace("\r\n", "\n").removesuffix("\n"))


@often
@given(dropped())
def test_what_tells_goes(header: Header) -> None:
    assert becomes(header) is None


@often
@given(kept())
def test_what_does_not_stays(header: Header) -> None:
    assert becomes(header) == header.sent.replace("\r\n", "\n").removesuffix("\n")


@often
@given(naming())
def test_ids_made_at_home_get_the_relays_name(header: Header) -> None:
    expected = header.delivered
    if expected is not None:
        expected = expected.replace(RELAY, HOSTNAME).replace("\r\n", "\n").removesuffix("\n")
        assert SECRET not in expected
    assert becomes(header) == expected
