"""What was before the first run comes back, and what somebody has set since is kept."""

import pytest

from tasks.postfix.configuration import NOTHING, Change, Configuration, Postconf, Service, calls
from tasks.postfix.origin import additions
from tests.unit.tasks.postfix.test_configuration import found

SMTP = ["smtp", "inet", "n", "-", "y", "-", "-", "smtpd"]
POSTSCREEN = ["smtp", "inet", "n", "-", "y", "-", "1", "postscreen"]
SUBMISSION = ["submission", "inet", "n", "-", "n", "-", "-", "smtpd"]
SMTPS = ["smtps", "inet", "n", "-", "y", "-", "-", "smtpd"]
SLOW = ["slow", "unix", "-", "-", "n", "-", "1", "smtp"]

OURS = Configuration(
    parameters={"smtpd_banner": "ours", "quietrelay_x": "1", "smtpd_use_tls": None},
    services={
        "smtp/inet": Service("smtpd", shipped=True),
        "submission/inet": Service("smtpd"),
        "smtps/inet": None,
    },
    options={"smtp/inet": {"smtpd_data_restrictions": "ours"}},
)
BEFORE = found(
    {"smtpd_banner": "before", "smtpd_use_tls": "yes", "relayhost": "a"},
    {"smtp/inet": POSTSCREEN, "smtps/inet": SMTPS},
    {"smtp/inet": {"smtpd_banner": "mine"}},
)
DEPLOYED = found(
    {"smtpd_banner": "ours", "quietrelay_x": "1", "relayhost": "a"},
    {"smtp/inet": [*SMTP[:4], "n", "-", "-", "smtpd"], "submission/inet": SUBMISSION},
    {"smtp/inet": {"smtpd_data_restrictions": "ours"}},
)


def since(**changed: object) -> list[list[str]]:
    """Tell what is set in what was before, where what was deployed has been changed so since."""
    current = {**DEPLOYED, **changed}
    return calls(additions(BEFORE, current, OURS))  # type: ignore[arg-type]


def with_service(key: str, *entry: str) -> dict[str, object]:
    """Give another master.cf, as facts have it."""
    services = DEPLOYED["services"] | {key: list(entry)}
    return {"services": services, "entries": {one: " ".join(said) for one, said in services.items()}}


def test_where_nobody_has_set_anything_all_is_as_before() -> None:
    assert since() == []


def test_a_host_that_was_never_changed_is_left_as_it_is() -> None:
    assert additions(BEFORE, BEFORE, NOTHING) == []


@pytest.mark.parametrize(
    ("main", "calls"),
    [
        ({"message_size_limit": "1"}, [["-e", "message_size_limit = 1"]]),
        ({"relayhost": "b"}, [["-e", "relayhost = b"]]),
        ({"smtpd_banner": "theirs"}, [["-e", "smtpd_banner = theirs"]]),
        ({"quietrelay_y": "left"}, []),
    ],
)
def test_a_parameter_that_somebody_has_set_since_is_kept(
    main: dict[str, str], calls: list[list[str]]
) -> None:
    assert since(main=DEPLOYED["main"] | main) == calls


def test_a_parameter_that_somebody_has_removed_since_stays_away() -> None:
    assert since(main={name: value for name, value in DEPLOYED["main"].items() if name != "relayhost"}) == [
        ["-X", "relayhost"]
    ]


def test_a_service_that_somebody_has_added_since_is_kept_with_its_options() -> None:
    services = with_service("slow/unix", *SLOW)
    services["entries"] = {**services["entries"], "slow/unix": f"{' '.join(SLOW)} -o a=b"}  # type: ignore[dict-item]
    assert since(**services) == [["-M", "slow/unix = slow unix - - n - 1 smtp -o a=b"]]


def test_what_somebody_has_said_of_a_service_of_ours_since_is_kept_where_it_was_before() -> None:
    assert since(**with_service("smtp/inet", *SMTP[:4], "n", "-", "7", "smtpd")) == [
        ["-F", "smtp/inet/process_limit = 7"]
    ]
    options = {"smtp/inet": {"smtpd_data_restrictions": "ours", "content_filter": "a"}}
    assert since(options=options) == [["-P", "smtp/inet/content_filter = a"]]


def test_a_service_that_is_another_daemons_since_is_kept() -> None:
    entry = ["submission", "inet", "n", "-", "n", "-", "-", "proxy"]
    assert since(**with_service("submission/inet", *entry)) == [
        ["-M", f"submission/inet = {' '.join(entry)}"]
    ]


def test_a_change_says_what_was_there() -> None:
    current: Postconf = {**DEPLOYED, "main": DEPLOYED["main"] | {"relayhost": "b"}}
    assert additions(BEFORE, current, OURS) == [Change("-e", "relayhost", "a", "b")]
