"""What is written to main.cf and master.cf: what the relay needs, and nothing that is the admin's."""

from dataclasses import replace
from typing import Any, ClassVar

import pytest

from tasks.postfix.configuration import (
    FIELDS,
    NOTHING,
    Configuration,
    ConfigurationError,
    Postconf,
    Service,
    calls,
    merge,
)
from tasks.postfix.configuration import changes as all_changes
from tasks.postfix.operations import told

SMTPD = ["smtp", "inet", "n", "-", "y", "-", "-", "smtpd"]


def found(
    main: dict[str, str] | None = None,
    services: dict[str, list[str]] | None = None,
    options: dict[str, dict[str, str]] | None = None,
    defaults: dict[str, str] | None = None,
) -> Postconf:
    """Make what postconf says on a host whose Postfix knows two parameters."""
    known = ["myhostname", "smtpd_tls_auth_only"]
    return Postconf(
        known=[*known, *(defaults or {})],
        main=main or {},
        services=services or {},
        entries={key: " ".join(fields) for key, fields in (services or {}).items()},
        options=options or {},
        defaults=defaults or {},
        filtering=[],
    )


def changes(wanted: Configuration, host: Postconf, former: Configuration = NOTHING) -> list[list[str]]:
    """Tell what postconf is called with."""
    return calls(all_changes(wanted, host, former))


class TestMerge:
    def test_parts_come_together(self) -> None:
        one = Configuration({"a": "1"}, {"smtp/inet": None}, {"smtp/inet": {"a": "1"}}, frozenset({"a"}))
        other = Configuration({"b": None}, {"x/unix": None}, {"smtp/inet": {"b": "2"}}, frozenset({"b"}))
        assert merge(one, other) == Configuration(
            {"a": "1", "b": None},
            {"smtp/inet": None, "x/unix": None},
            {"smtp/inet": {"a": "1", "b": "2"}},
            frozenset({"a", "b"}),
        )

    def test_parts_may_agree(self) -> None:
        part = Configuration({"a": "1"}, {"x/unix": Service("smtp")}, {"x/unix": {"a": "1"}})
        assert merge(part, part) == part

    @pytest.mark.parametrize(
        ("one", "other", "complaint"),
        [
            (
                {"parameters": {"a": "1"}},
                {"parameters": {"a": "2"}},
                "main.cf: a is wanted as '1' and as '2'",
            ),
            (
                {"parameters": {"a": "1"}},
                {"parameters": {"a": None}},
                "main.cf: a is wanted as '1' and as None",
            ),
            (
                {"services": {"x/unix": None}},
                {"services": {"x/unix": Service("smtp")}},
                "master.cf: x/unix is",
            ),
            (
                {"options": {"x/unix": {"a": "1"}}},
                {"options": {"x/unix": {"a": ""}}},
                "x/unix in master.cf: a is",
            ),
        ],
        ids=["values", "unset", "service", "option"],
    )
    def test_contradicting_steps_are_found_before_any_host_is_changed(
        self, one: dict[str, Any], other: dict[str, Any], complaint: str
    ) -> None:
        with pytest.raises(ConfigurationError, match=complaint):
            merge(Configuration(**one), Configuration(**other))


class TestParameters:
    def test_nothing_is_done_where_nothing_differs(self) -> None:
        host = found(
            {"myhostname": "mx1", "mynetworks": "10.0.0.0/8"},
            {"smtp/inet": SMTPD},
            {"smtp/inet": {"smtpd_tls_auth_only": "yes"}},
        )
        wanted = Configuration(
            {"myhostname": "mx1", "gone": None},
            {"smtp/inet": Service("smtpd", chroot="y"), "smtps/inet": None},
            {"smtp/inet": {"smtpd_tls_auth_only": "yes", "gone": None}},
        )
        assert changes(wanted, host) == []

    def test_all_parameters_change_in_one_call_and_the_admins_stay(self) -> None:
        host = found({"myhostname": "old", "mynetworks": "10.0.0.0/8", "stale": "1", "staler": ""})
        wanted = Configuration(
            {"myhostname": "mx1", "smtpd_tls_auth_only": "yes", "stale": None, "staler": None}
        )
        assert changes(wanted, host) == [
            ["-e", "myhostname = mx1", "smtpd_tls_auth_only = yes"],
            ["-X", "stale", "staler"],
        ]

    def test_empty_is_a_value(self) -> None:
        assert changes(Configuration({"myhostname": ""}), found()) == [["-e", "myhostname = "]]
        assert changes(Configuration({"myhostname": ""}), found({"myhostname": ""})) == []

    def test_newer_parameter_is_left_out_where_this_postfix_lacks_it(self) -> None:
        wanted = Configuration(
            {"new": "1", "myhostname": "mx1"},
            options={"smtp/inet": {"newer": "1"}},
            where_known=frozenset({"new", "newer"}),
        )
        assert changes(wanted, found()) == [["-e", "myhostname = mx1"]]

    @pytest.mark.parametrize(
        "wanted",
        [Configuration({"mistyped": "1"}), Configuration(options={"smtp/inet": {"mistyped": "1"}})],
        ids=["main.cf", "master.cf"],
    )
    def test_parameter_that_postfix_lacks_is_refused(self, wanted: Configuration) -> None:
        with pytest.raises(ConfigurationError, match="Postfix does not know mistyped"):
            changes(wanted, found())

    def test_what_postfix_gave_up_can_still_be_removed(self) -> None:
        assert changes(Configuration({"gone": None}), found({"gone": "1"})) == [["-X", "gone"]]

    def test_parameters_of_our_own_need_not_be_known(self) -> None:
        wanted = Configuration({"quietrelay_x": "1"})
        assert changes(wanted, found()) == [["-e", "quietrelay_x = 1"]]


class TestServices:
    def test_new_service_is_written_whole(self) -> None:
        wanted = Configuration(
            services={"127.0.0.1:10587/inet": Service("smtpd"), "x/unix": Service("smtp", "-", "y", "0")}
        )
        assert changes(wanted, found()) == [
            ["-M", "127.0.0.1:10587/inet = 127.0.0.1:10587 inet n - n - - smtpd"],
            ["-M", "x/unix = x unix - - y - 0 smtp"],
        ]

    def test_only_fields_that_differ_are_changed(self) -> None:
        wanted = Configuration(services={"smtp/inet": Service("smtpd")})
        assert changes(wanted, found(services={"smtp/inet": SMTPD})) == [["-F", "smtp/inet/chroot = n"]]

    @pytest.mark.parametrize("field", ["private", "chroot", "process_limit", "command"])
    def test_each_field_that_is_ours_is_compared(self, field: str) -> None:
        entry = ["smtp", "inet", "n", "-", "n", "-", "7", "smtpd"]
        entry[FIELDS.index(field)] = "other"
        (command,) = changes(
            Configuration(services={"smtp/inet": Service("smtpd", process_limit="7")}),
            found(services={"smtp/inet": entry}),
        )
        assert command[:1] == ["-F"]
        assert [assignment.partition(" = ")[0] for assignment in command[1:]] == [f"smtp/inet/{field}"]

    def test_process_limit_is_the_admins_where_no_step_gives_one(self) -> None:
        entry = ["smtp", "inet", "n", "-", "n", "-", "250", "smtpd"]
        host = found(services={"smtp/inet": entry})
        assert changes(Configuration(services={"smtp/inet": Service("smtpd")}), host) == []
        limited = Configuration(services={"smtp/inet": Service("smtpd", process_limit="0")})
        assert changes(limited, host) == [["-F", "smtp/inet/process_limit = 0"]]

    def test_unwanted_service_goes_whole_and_the_admins_stay(self) -> None:
        host = found(
            services={"smtps/inet": SMTPD, "policy/unix": SMTPD},
            options={"smtps/inet": {"myhostname": "x"}, "policy/unix": {"myhostname": "x"}},
        )
        wanted = Configuration({"myhostname": "x"}, services={"smtps/inet": None})
        assert changes(wanted, host)[1:] == [["-MX", "smtps/inet"]]


class TestOptions:
    def test_options_change_in_one_call_each_way_and_the_admins_stay(self) -> None:
        host = found(
            services={"smtp/inet": SMTPD},
            options={"smtp/inet": {"smtpd_tls_auth_only": "no", "myhostname": "x", "content_filter": "y"}},
        )
        wanted = Configuration(
            options={
                "smtp/inet": {"smtpd_tls_auth_only": "yes", "myhostname": None},
                "submission/inet": {"myhostname": "z"},
            }
        )
        assert changes(wanted, host) == [
            ["-P", "smtp/inet/smtpd_tls_auth_only = yes", "submission/inet/myhostname = z"],
            ["-PX", "smtp/inet/myhostname"],
        ]

    def test_no_option_of_our_services_undoes_what_main_cf_promises(self) -> None:
        overridden = {"smtpd_tls_auth_only": "no"}
        host = found(
            {"smtpd_tls_auth_only": "yes"},
            {"smtp/inet": SMTPD, "other/inet": SMTPD},
            {"smtp/inet": overridden, "other/inet": overridden},
        )
        wanted = Configuration({"smtpd_tls_auth_only": "yes"}, {"smtp/inet": Service("smtpd", chroot="y")})
        assert changes(wanted, host) == [["-PX", "smtp/inet/smtpd_tls_auth_only"]]

    def test_services_come_before_their_options(self) -> None:
        wanted = Configuration(services={"x/unix": Service("smtp")}, options={"x/unix": {"myhostname": "x"}})
        assert [command[0] for command in changes(wanted, found())] == ["-M", "-P"]


class TestIsolated:
    """A service that is ours alone inherits nothing of the admin's."""

    WANTED = Configuration(
        parameters={"smtp_ours": "here"},
        services={"hop/unix": Service("smtp")},
        options={"hop/unix": {"smtp_tls_security_level": "none"}},
        inherits={"hop/unix": ""},
    )
    SERVICE: ClassVar = {"hop/unix": ["hop", "unix", "n", "-", "n", "-", "-", "smtp"]}
    MAIN: ClassVar = {"smtp_ours": "here", "smtp_bind_address6": "::2", "relayhost": "a"}
    DEFAULTS: ClassVar = {
        "smtp_bind_address6": "",
        "relayhost": "",
        "smtp_ours": "x",
        "smtp_tls_security_level": "",
    }

    def test_what_main_cf_sets_for_its_daemon_has_its_default(self) -> None:
        says = found(self.MAIN, self.SERVICE, defaults=self.DEFAULTS)
        options = {"smtp_bind_address6": "", "smtp_tls_security_level": "none"}
        assert changes(self.WANTED, says) == [
            ["-P", *(f"hop/unix/{one} = {value}" for one, value in options.items())]
        ]
        settled = found(self.MAIN, self.SERVICE, {"hop/unix": options}, self.DEFAULTS)
        assert changes(self.WANTED, settled) == []

    def test_an_option_of_the_admins_goes(self) -> None:
        options = {"content_filter": "amavis:", "smtp_bind_address6": "", "smtp_tls_security_level": "none"}
        says = found(self.MAIN, self.SERVICE, {"hop/unix": options}, self.DEFAULTS)
        assert changes(self.WANTED, says) == [["-PX", "hop/unix/content_filter"]]

    def test_default_with_blanks_stands_in_main_cf(self) -> None:
        main = {"smtp_ours": "here", "smtp_words": "c"}
        defaults = {"smtp_ours": "x", "smtp_tls_security_level": "", "smtp_words": "a b"}
        options = {"smtp_words": "$quietrelay_smtp_words", "smtp_tls_security_level": "none"}
        parameter, option = changes(self.WANTED, found(main, self.SERVICE, defaults=defaults))
        assert parameter == ["-e", "quietrelay_smtp_words = a b"]
        assert option[0] == "-P"
        assert {*option[1:]} == {f"hop/unix/{name} = {value}" for name, value in options.items()}
        settled = found(
            main | {"quietrelay_smtp_words": "a b"}, self.SERVICE, {"hop/unix": options}, defaults
        )
        assert changes(self.WANTED, settled) == []
        assert ["-X", "quietrelay_smtp_words"] in changes(replace(self.WANTED, inherits={}), settled)

    def test_what_it_may_inherit_stays(self) -> None:
        wanted = replace(self.WANTED, inherits={"hop/unix": "smtp_bind_.*|content_filter"})
        options = {"content_filter": "amavis:", "smtp_helo_name": "a", "smtp_tls_security_level": "none"}
        says = found(self.MAIN, self.SERVICE, {"hop/unix": options}, self.DEFAULTS)
        assert changes(wanted, says) == [["-PX", "hop/unix/smtp_helo_name"]]


def test_an_entry_of_another_daemon_is_replaced_whole() -> None:
    postscreen = ["smtp", "inet", "n", "-", "y", "-", "1", "postscreen"]
    wanted = Configuration(services={"smtp/inet": Service("smtpd", shipped=True)})
    ((word, *columns),) = changes(wanted, found(services={"smtp/inet": postscreen}))
    assert word == "-F"
    assert {"smtp/inet/process_limit = -", "smtp/inet/command = smtpd"} <= {*columns}
    kept = ["smtp", "inet", "n", "-", "n", "-", "7", "smtpd"]
    assert changes(wanted, found(services={"smtp/inet": kept})) == []


def test_a_change_is_told_with_its_values_where_they_are_short_and_shown() -> None:
    wanted = Configuration(
        {"smtpd_tls_auth_only": "yes", "quietrelay_x": "x" * 61, "smtpd_use_tls": None},
        {"smtp/inet": Service("smtpd"), "hop/unix": Service("smtp")},
        {"smtp/inet": {"mail_name": "mark-1"}, "hop/unix": {"quietrelay_y": "1"}},
        where_known=frozenset({"mail_name"}),
        confidential=frozenset({"mail_name"}),
    )
    says = found(
        {"smtpd_tls_auth_only": "no", "smtpd_use_tls": "no"},
        {"smtp/inet": SMTPD},
        {"smtp/inet": {"mail_name": "mark-2"}},
        defaults={"mail_name": ""},
    )
    assert dict(told(all_changes(wanted, says), wanted.confidential)) == {
        "/etc/postfix/main.cf smtpd_tls_auth_only": "is 'no', not 'yes'",
        "/etc/postfix/main.cf quietrelay_x": "is not there",
        "/etc/postfix/main.cf smtpd_use_tls": "is 'no', and is not to be there",
        "/etc/postfix/master.cf smtp/inet/chroot": "is 'y', not 'n'",
        "/etc/postfix/master.cf hop/unix": "is not there, and is to be 'hop unix n - n - - smtp'",
        "/etc/postfix/master.cf smtp/inet/mail_name": "is not as it is to be",
    }
