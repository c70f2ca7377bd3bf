"""Which headers of users' mail leave the relay, with the reason for each, and where it is documented.

A header leaves if it is vouched for here, or by the inventory. What nobody vouched for goes: a list of what
is known to tell is always behind. All of IANA's registry of mail headers was judged, and what programs write
beside it, by how often it stands in public mail. ``python -m docs`` writes the tables of
docs/reference/headers.md from here.
"""

from collections.abc import Iterable
from typing import NamedTuple


class Headers(NamedTuple):
    """Headers with one fate, for one reason."""

    names: str
    """Parted by blanks; a * at the end of one stands for any rest."""
    why: str
    source: str
    """Where they are documented or written: a specification, a project's file, or public mail."""


# They leave as they were written.
VOUCHED = (
    Headers(
        "From Sender Reply-To To Cc Subject Date Keywords",
        "what a message is: who writes to whom, when, and on what",
        "RFC 5322 3.6",
    ),
    Headers(
        "Content-Type Content-Transfer-Encoding Content-Disposition Content-Description Content-Alternative"
        " Content-Duration Content-Features Content-MD5 Content-Translation-Type Encoding Message-Context",
        "how the body is to be read; what is signed or enclosed depends on it",
        "RFC 2045, RFC 2183, RFC 3458, RFC 8255; RFC 4021 2.2",
    ),
    Headers(
        "Resent-From Resent-Sender Resent-To Resent-Cc Resent-Date Resent-Reply-To",
        "who passes a message on, as he says himself",
        "RFC 5322 3.6.6",
    ),
    Headers(
        "Importance Priority Sensitivity X-Priority MT-Priority Expires Expiry-Date Reply-By Incomplete-Copy"
        " Deferred-Delivery Latest-Delivery-Time",
        "how urgent it is, how confidential, and for how long",
        "RFC 2156, RFC 4021 2.1, RFC 6758; Outlook",
    ),
    Headers(
        "Auto-Submitted Precedence X-Auto-Response-Suppress Autosubmitted Autoforwarded",
        "keeps programs from answering programs",
        "RFC 3834, RFC 2156; MS-OXCMAIL 2.2.3.2",
    ),
    Headers(
        "Disposition-Notification-To Disposition-Notification-Options Return-Receipt-To X-Confirm-Reading-To"
        " Generate-Delivery-Report Prevent-NonDelivery-Report Content-Return Disclose-Recipients"
        " Alternate-Recipient Conversion Conversion-With-Loss",
        "what the writer wants to be told, and allows",
        "RFC 8098, RFC 2156; Pegasus Mail",
    ),
    Headers(
        "Thread-Topic Thread-Index",
        "Outlook's conversations: the first subject, a random number, and times",
        "MS-OXOMSG 2.2.1",
    ),
    Headers(
        "Mail-Followup-To Mail-Reply-To Mail-Copies-To Followup-To Newsgroups Apparently-To",
        "where answers should go",
        "D. J. Bernstein's «Mail-Followup-To»; RFC 5536 3.2; RFC 9228 3",
    ),
    Headers(
        "Organization Author Face X-Face Jabber-ID OpenPGP Encrypted PICS-Label Solicitation"
        " SIO-Label MMHS-*",
        "what the writer chooses to say of himself, or of the text",
        "RFC 5536 3.2.9, RFC 9057, RFC 7259, RFC 7444, RFC 6477, RFC 3865; XEmacs",
    ),
    Headers(
        "Archive X-No-Archive Privicon",
        "asks readers and archives to keep it to themselves: that protects its writer",
        "RFC 5536 3.2.2; Google Groups, Mailman; Privicons",
    ),
    Headers(
        "Autocrypt Autocrypt-Gossip Autocrypt-Setup-Message",
        "the writer's key, without which nobody can answer encrypted",
        "Autocrypt Level 1",
    ),
    Headers(
        "Chat-* Secure-Join* Ephemeral-Timer",
        "Delta Chat's groups, receipts and keys; what is confidential of it, it encrypts",
        "Delta Chat, chatmail specification; RFC 9788 for what is encrypted",
    ),
    Headers("HP-Outer", "headers that are protected by encryption", "RFC 9788"),
    Headers(
        "List-Archive List-Help List-ID List-Owner List-Post List-Subscribe List-Unsubscribe"
        " List-Unsubscribe-Post Archived-At",
        "a mailing list whose server sends by the relay, for its readers",
        "RFC 2369, RFC 2919, RFC 8058, RFC 5064",
    ),
    Headers(
        "Mailing-List X-Mailing-List X-Loop X-BeenThere X-List-Administrivia Errors-To",
        "keeps mail of lists and robots from going round in circles",
        "ezmlm, Majordomo, Mailman, Smartlist",
    ),
    Headers(
        "Feedback-ID CFBL-Address CFBL-Feedback-ID X-CSA-Complaints BIMI-Selector VBR-Info",
        "what receivers ask of those who send to many",
        "Gmail's feedback loop; RFC 9477, RFC 5518; Certified Senders Alliance",
    ),
    Headers(
        "DKIM-Signature",
        "signs for the writer's domain; without it receivers put the mail aside",
        "RFC 6376",
    ),
    Headers(
        "TLS-Required TLS-Report-Domain TLS-Report-Submitter Require-Recipient-Valid-Since EDIINT-Features",
        "what the servers on the way have to do",
        "RFC 8689, RFC 8460, RFC 7293, RFC 6017",
    ),
    Headers(
        "X-Developer-Signature X-Developer-Key X-B4-Tracking",
        "signs patches, and ties the versions of a series; name and key only",
        "patatt, b4",
    ),
    Headers(
        "X-Mittente X-Ricevuta X-TipoRicevuta X-Trasporto X-VerificaSicurezza",
        "Italy's certified mail, which is void without them",
        "RFC 6109",
    ),
)

# The ids in them are rewritten where they tell where they were made; else they leave as they were written.
NAMING = (
    Headers(
        "Message-ID In-Reply-To References Resent-Message-ID",
        "names of messages, and what threads are made of",
        "RFC 5322 3.6.4, 3.6.6",
    ),
    Headers(
        "Original-Message-ID Supersedes Obsoletes X-Forwarded-Message-Id X-Riferimento-Message-ID",
        "name another message",
        "RFC 3798 3.2.5, RFC 5536 3.2.12, RFC 2156, Thunderbird `MimeMessage.jsm`, RFC 6109",
    ),
    Headers("Content-ID", "names the body as a message is named, often by the computer", "RFC 2045 7"),
)

MIME_VERSION = Headers(
    "MIME-Version", "becomes `1.0` alone: Apple Mail writes system and versions behind it", "RFC 2045 4"
)

# Always dropped: what is left of Received is the relay's own.
TRACE = Headers(
    "Received",
    "address and name of the computer or browser, login; webmails and local servers write it",
    "SquirrelMail `class/deliver/Deliver.class.php`; Roundcube `http_received_header`; "
    "Horde `Horde_Core_Mime_Headers_Received`",
)

# They are among those that go, and this is why. Everything that stands in no table goes as well.
GOING = (
    Headers(
        "X-Originating-* X-Original-IP X-Yahoo-Post-IP X-IPAddress X-MDRemoteIP X-Remote-* X-Forward"
        " X-Forwarded-For X-Real-* X-Client-* X-ClientIP X-ClientAddr X-Sender-IP X-Sender-Host X-User-IP"
        " X-IP X-HTTP-* X-Browser X-Squirrel-* X-RoundCube-* X-Outbound-* X-EN-*",
        "the browser's or computer's address and name, in webmails and gateways",
        "Zimbra `MailSender.java`; Horde `imp/config/header.php`; SOGo `SOGoDraftObject.m`; RFC 7239 1; "
        "SquirrelMail `class/deliver/Deliver.class.php`; public mail",
    ),
    Headers(
        "X-Sender X-Sender-Id X-X-Sender X-Authenticated-* X-Authentication-* X-AuthUser X-Auth-* X-Real-User"
        " X-Webmail-UserID X-Smtp-Server X-Get-Message-Sender-Via X-Env-Sender Authenticated-By X-Gnd-Sasl",
        "the login, and where it was used",
        "Roundcube, Eudora, Pine, XMail, cPanel, Zimbra `zimbraSmtpSendAddAuthenticatedUser`; public mail",
    ),
    Headers("Comments", "servers write «Authenticated sender is LOGIN» into it", "public mail"),
    Headers(
        "X-Source* X-AntiAbuse X-PHP-*",
        "the script that sends, its directory and user",
        "cPanel; PHP manual, `mail.add_x_header`",
    ),
    Headers(
        "User-Agent X-Mailer X-Newsreader X-User-Agent X-Library X-MimeOLE X-MSMail-Priority X-Zohomailclient"
        " X-Msg-Generator X-Operating-System X-OS X-Uptime X-Enigmail-* X-PGP-Agent X-PGP-* X-ZohoMail*",
        "the program and its version, and often the system",
        "RFC 5536 3.2.13; Outlook, Enigmail; public mail",
    ),
    Headers(
        "Accept-Language X-Accept-Language Content-Language Language",
        "the language of the program or of its dictionary; no mail program acts on it",
        "RFC 3282, RFC 4021; Thunderbird, Outlook, Horde",
    ),
    Headers(
        "X-Mozilla-* X-Identity-Key X-Account-Key FCC X-FCC X-Evolution-* X-KMail-* X-Claws-* X-Sylpheed-*"
        " X-Apple-* X-Universally-Unique-Identifier X-Uniform-Type-Identifier X-Draft-From X-Gnus-*"
        " X-Template Autocrypt-Draft-State X-Label",
        "drafts: the account, its folders and settings",
        "Thunderbird `MimeMessage.jsm`; Evolution `camel-mime-message.c`; Claws Mail and Sylpheed "
        "`compose.c`; Gnus manual",
    ),
    Headers(
        "Bcc Resent-Bcc Return-Path Content-Length",
        "Postfix drops them itself: hidden readers, and what the last server writes",
        "postconf(5), message_drop_headers",
    ),
    Headers(
        "Content-Location Content-Base",
        "where a page lay on the computer, with the login in its path",
        "RFC 2557 4",
    ),
    Headers("Content-Class X-Content-Class", "says that Exchange or Outlook wrote it", "public mail"),
    Headers(
        "Delivered-To X-Original-To Old-Return-Path X-Envelope-* Envelope-* Delivery-Date Original-Recipient"
        " Originator-Return-Address DL-Expansion-History Downgraded-* X-Original-* X-Google-Original-From"
        " X-Gmail-Original-Message-ID X-SRS-Rewrite X-OWM-* X-PTX-Original-Recipient X-Mailfrom Original-From"
        " Original-Subject Original-Cc X-Forwarded-To X-Forwarded-Encrypted"
        " X-To X-Cc X-Bcc X-From X-Origin X-FileName",
        "a message that is redirected: whose mailbox it lay in, and how it got there",
        "RFC 9228, RFC 2156, RFC 6857; Enron's archive; public mail",
    ),
    Headers(
        "Received-SPF Authentication-Results Authentication-Results-Original ARC-* DomainKey-* DKIM-Filter"
        " DMARC-Filter X-Google-* X-Gm-* X-Received X-Me-* X-Sonic-* X-Provags-Id X-Ui-* Ui-*"
        " X-Policyd-Weight X-Greylist X-Developer-Received",
        "what servers found out about who handed a message in, with the client's address; also what a policy "
        "service or milter on the relay itself adds",
        "RFC 7208 9.1, RFC 8601, RFC 8617; Gmail, Fastmail",
    ),
    Headers(
        "X-MS-* X-Microsoft-* X-Forefront-* X-EOP* X-OriginatorOrg X-OriginalArrivalTime X-ClientProxiedBy"
        " X-Exchange-* X-Incoming* X-Message-Delivery X-Message-Info X-SID-* X-TMN X-EPHeader X-RootMtr"
        " X-MTK X-Ld-Processed MSIP_Label* X-Mimecast-* X-Mc-* X-Exclaimer-*",
        "Exchange and Outlook: servers' names, the organisation's and the account's number, times",
        "MS-OXCMAIL; public mail",
    ),
    Headers(
        "X-Spam* X-Virus* X-Antivirus* X-AVG-* X-Scanned-By X-Amavis* XAmavis* X-Barracuda-* X-Brightmail-*"
        " X-Proofpoint-* X-IronPort-* IronPort-* X-IPAS-* X-AMP-* X-Rspamd-* X-ASG-* X-SA-Exim-* X-Tm-*"
        " X-Vr-* X-VadeSecure-* X-Razorgate-* X-CMAE-* X-CNFS-* X-Authority-* X-EEMSG-* X-Mailscanner* X-AV-*"
        " X-RC-* X-Bitdefender* X-CFilter-* X-Content-Filtered-By X-Coremail-* X-CM-* X-Alimail-* X-YMail-*"
        " WDC* DLP-* X-CSE-* X-Extloop1 X-Migadu-* X-OVH-* X-QCInternal X-AuditID X-UUID XChecker-*"
        " XLevel XStatus X-LibJamoIbt",
        "filters of the network it was written in: their names, versions and hosts",
        "SpamAssassin, amavis, Barracuda, Cisco, Proofpoint; public mail",
    ),
    Headers(
        "X-Mailman-* X-Ecartis-* X-List X-List-* Message-ID-Hash X-Message-ID-Hash X-Patchwork-Hint X-Stable*"
        " X-Archive-* X-PR-* X-Injected-Via-Gmane X-Originating-Nntp* X-Bugzilla-* X-FB-* X-Cookie X-CID-*"
        " X-CMS-* CMS-* X-SFMC-* X-Mailgun-* X-SES-* X-Org-Mail X-SysAdmin",
        "a server's or a script's own marks; who filters by one vouches for it",
        "Mailman, Bugzilla, Patchwork; public mail",
    ),
    Headers(
        "Status X-Status X-UID X-UIDL X-Keywords Lines X-Message-Flag",
        "a mailbox's marks: read, answered, numbered",
        "mbox; Dovecot, UW IMAP",
    ),
    Headers(
        "X-URL X-Homepage X-Public-Key-URL X-Report-Abuse X-Complaints-To",
        "marks all of a writer's accounts as one; a signature below the text says it as well",
        "public mail",
    ),
    Headers(
        "X400-* Discarded-X400-* Original-Encoded-Information-Types Content-Identifier Message-Type"
        " SIO-Label-History Eesst-Version Form-Sub X-Archived-At X-PGP-Sig",
        "gateways' trace, or a program's version",
        "RFC 2156, RFC 4021 2.1, RFC 7444; IANA's provisional registry",
    ),
    Headers(
        "X-Mailbox-Line",
        "what Postfix makes of a first line «From ADDRESS DATE», as a mailbox has it",
        "postconf(5); smtpd.c",
    ),
    Headers("Mime-Autoconverted X-MIME-Autoconverted", "names a server on the way", "sendmail `cf/README`"),
)


def names(*tables: Iterable[Headers]) -> tuple[str, ...]:
    """List the names in tables."""
    return tuple(name for table in tables for headers in table for name in headers.names.split())


def told() -> str:
    """Write the tables in Markdown."""
    return "\n".join(
        f"## {title}\n\n{_table(rows)}"
        for title, rows in (
            ("Leave as they were written", VOUCHED),
            ("Leave, rewritten where they tell", (*NAMING, MIME_VERSION)),
            ("Go, and why", (TRACE, *GOING)),
        )
    )


def _table(rows: Iterable[Headers]) -> str:
    lines = [("Headers", "What they are", "Source"), ("---",) * 3]
    lines += [(", ".join(f"`{name}`" for name in row.names.split()), row.why, row.source) for row in rows]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)
