"""Headers by which mail programs, webmails and their servers tell on a user, and where each is documented.

They hold the browser's or the computer's address, its name, the login, the account's settings, or the program
and its version. They go from users' mail. ``python -m docs`` writes the table in
docs/reference/headers.md from here.
"""

from typing import NamedTuple


class Telltale(NamedTuple):
    """A header that tells on its user."""

    name: str
    """As in the message; a * at its end stands for any rest."""
    tells: str
    written_by: str
    source: str
    """Where it is documented or written: a project's file, a manual, or a public mailing list's archive."""


# Always dropped: what is left of Received is the relay's own.
TRACE = Telltale(
    "Received",
    "address and name of the computer or browser, login",
    "webmails, local mail servers",
    "SquirrelMail `class/deliver/Deliver.class.php`; Roundcube `http_received_header`; "
    "Horde `Horde_Core_Mime_Headers_Received`",
)

TELLTALES = (
    Telltale("X-Originating-IP", "address", "Zimbra, Horde, Open-Xchange", "Zimbra `MailSender.java`; Horde `imp/config/header.php`"),  # noqa: E501
    Telltale("X-Originating-Client", "program", "Open-Xchange", "mail of linux-kernel and git lists"),
    Telltale("X-Originating-Host", "computer", "Mailreader.com, PHP mailers", "mail of linux-kernel list"),
    Telltale("X-Originating-User*", "login, program", "PHP webmails", "their scripts"),
    Telltale("X-Originating-Email", "address, login", "Hotmail", "mail of public lists"),
    Telltale("X-Remote-*", "browser, address", "Horde", "Horde `imp/config/header.php`"),
    Telltale("X-Forward", "address", "SOGo", "SOGo `SOGoDraftObject.m`"),
    Telltale("X-Forwarded-For", "address", "webmails behind a proxy", "RFC 7239 1"),
    Telltale("X-Real-IP", "address", "webmails behind a proxy", "nginx, ngx_http_realip_module"),
    Telltale("X-Client-IP", "address", "webmails", "their scripts"),
    Telltale("X-Sender-IP", "address", "webmails", "their scripts"),
    Telltale("X-Sender-Host", "computer", "webmails", "their scripts"),
    Telltale("X-User-IP", "address", "webmails", "their scripts"),
    Telltale("X-IP", "address", "webmails", "their scripts"),
    Telltale("X-Browser", "browser", "Mailreader.com", "mail of linux-kernel list"),
    Telltale("X-HTTP-*", "address, browser", "PHP webmails", "their scripts"),
    Telltale("X-Squirrel-*", "address and login, weakly hidden", "SquirrelMail", "`class/deliver/Deliver.class.php`"),  # noqa: E501
    Telltale("X-RoundCube-*", "webmail's server", "Roundcube with additional_message_headers", "i-MSCP's configuration of the plugin"),  # noqa: E501
    Telltale("X-Sender", "login", "Roundcube, Eudora", "mail of linux-kernel list"),
    Telltale("X-X-Sender", "login and computer", "Pine, Alpine", "mail of git list"),
    Telltale("X-Authenticated-*", "login", "Zimbra, cPanel", "Zimbra `zimbraSmtpSendAddAuthenticatedUser`; mail of linux-iio list"),  # noqa: E501
    Telltale("X-Authentication-Warning", "login and computer", "sendmail", "mail of git list"),
    Telltale("X-AuthUser", "login", "XMail", "mail of linux-kernel list"),
    Telltale("X-EN-*", "address, computer, login", "Endurance's mail servers", "mail of oss-security list"),
    Telltale("X-Get-Message-Sender-Via", "login", "cPanel", "mail of linux-iio list"),
    Telltale("X-Source*", "script and directory", "cPanel", "mail of linux-iio list"),
    Telltale("X-AntiAbuse", "server, user id", "cPanel", "mail of linux-iio list"),
    Telltale("X-PHP-*", "script and its user", "PHP", "PHP manual, `mail.add_x_header`"),
    Telltale("X-Mailer", "program and system", "Outlook, Apple Mail, Zimbra, RainLoop, SnappyMail", "mail of public lists"),  # noqa: E501
    Telltale("X-Newsreader", "program and system", "Sylpheed, Forte Agent", "mail of linux-kernel list"),
    Telltale("X-Library", "program", "Indy", "its `IdMessage`"),
    Telltale("X-MimeOLE", "program", "Outlook, Outlook Express", "mail of linux-kernel list"),
    Telltale("User-Agent", "program and system", "Thunderbird, Mutt, KMail, Evolution, Alpine, Roundcube", "RFC 5536 3.2.13"),  # noqa: E501
    Telltale("X-User-Agent", "program and system", "K-9 Mail, scripts", "mail of public lists"),
    Telltale("X-Operating-System", "system", "Mutt's and Gnus's users", "mail of linux-kernel list"),
    Telltale("X-OS", "system", "Mutt's users", "mail of linux-kernel list"),
    Telltale("X-Uptime", "how long the computer runs", "Mutt's users", "mail of linux-kernel list"),
    Telltale("X-Accept-Language", "language of the program", "Mozilla", "mail of linux-kernel list"),
    Telltale("Accept-Language", "language of the program", "Outlook, Horde", "RFC 3282"),
    Telltale("X-Mozilla-*", "account's settings", "Thunderbird's drafts", "Thunderbird `MimeMessage.jsm`"),
    Telltale("X-Identity-Key", "account's settings", "Thunderbird's drafts", "mail of linux-arm list"),
    Telltale("X-Account-Key", "account's settings", "Thunderbird's drafts", "Thunderbird `nsMsgLocalFolderHdrs.h`"),  # noqa: E501
    Telltale("FCC", "login and mail server", "Thunderbird, Mutt", "mail of linux-arm list"),
    Telltale("X-FCC", "login and mail server", "Emacs, Evolution", "mail of public lists"),
    Telltale("X-Evolution-*", "login and mail server", "Evolution", "Evolution `camel-mime-message.c`"),
    Telltale("X-KMail-*", "account's settings", "KMail", "mail of batman list"),
    Telltale("X-Claws-*", "account's settings", "Claws Mail's drafts", "Claws Mail `compose.c`"),
    Telltale("X-Sylpheed-*", "account's settings", "Sylpheed's drafts", "Sylpheed `compose.c`"),
    Telltale("X-Apple-*", "account's settings", "Apple Mail", "mail of openbmc list"),
    Telltale("X-Universally-Unique-Identifier", "the draft's own number", "Apple Mail", "mail of openbmc list"),  # noqa: E501
    Telltale("X-Uniform-Type-Identifier", "program", "Apple Mail and Notes", "mail of public lists"),
    Telltale("X-Draft-From", "folder and account", "Gnus", "Gnus manual, «Archived Messages»"),
    Telltale("X-Gnus-*", "folder and account", "Gnus", "Gnus manual"),
    Telltale("X-Outbound-*", "address", "Cisco's mail gateways", "mail of linux-scsi list"),
    Telltale("X-Antivirus*", "program", "Avast, AVG", "mail of public lists"),
    Telltale("X-AVG-*", "program", "AVG", "mail of public lists"),
    Telltale("Mime-Autoconverted", "server on the way", "old sendmail", "guide of 2003"),
    Telltale("X-MIME-Autoconverted", "server on the way", "sendmail", "sendmail `cf/README`"),
)  # fmt: skip

NAMES = tuple(telltale.name for telltale in TELLTALES)


def table() -> str:
    """Write the table in Markdown."""
    rows = [("Header", "Tells", "Written by", "Source"), ("---",) * 4]
    rows += [(f"`{one.name}`", one.tells, one.written_by, one.source) for one in (TRACE, *TELLTALES)]
    return "".join(f"| {' | '.join(row)} |\n" for row in rows)
