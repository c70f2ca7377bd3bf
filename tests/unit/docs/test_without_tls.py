"""The command that counts who was spoken to without TLS counts what Postfix writes."""

import re
import subprocess
from pathlib import Path

PAGE = Path("docs/how-to/count-who-was-spoken-to-without-tls.md")
SENT = "dsn=2.0.0, status=sent (250 2.0.0 Ok: queued as E87BF182135)"
LOG = f"""\
Nov 28 08:27:12 a postfix/smtp[12]: Trusted TLS connection established to a.test[192.0.2.1]:25: TLSv1.3
Nov 28 08:27:13 a postfix/smtp[12]: C82ED1: to=<one@a.test>, relay=a.test[192.0.2.1]:25, {SENT}
Nov 28 08:27:13 a postfix/smtp[12]: C82ED1: to=<two@a.test>, relay=a.test[192.0.2.1]:25, {SENT}
Nov 28 08:27:14 a postfix/smtp[12]: C82ED2: to=<one@a.test>, relay=a.test[192.0.2.1]:25, {SENT}
Nov 28 08:27:15 a postfix/smtp[13]: Untrusted TLS connection established to b.test[2001:db8::1]:25: TLSv1.2
Nov 28 08:27:15 a postfix/smtp[13]: C82ED3: to=<one@b.test>, relay=b.test[192.0.2.2]:25, {SENT}
Nov 28 08:27:16 a postfix/smtp[13]: C82ED4: to=<a@b.test>, relay=127.0.0.1[127.0.0.1]:10587, {SENT}
Nov 28 08:27:16 a postfix/smtp[13]: C82ED5: to=<a@c.test>, relay=none, dsn=4.4.1, status=deferred (x)
Nov 28 08:27:17 a postfix/smtpd[14]: Anonymous TLS connection established from d.test[192.0.2.4]: TLSv1.3
"""


def test_those_are_counted_whose_connection_had_no_tls(tmp_path: Path) -> None:
    (tmp_path / "mail.log").write_text(LOG)
    command = re.search(r"```sh\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    assert command
    script = command[1].replace("/var/log/postfix/mail.log*", str(tmp_path / "mail.log"))
    done = subprocess.run(["sh", "-c", script], capture_output=True, text=True, check=True)
    first, *servers = done.stdout.splitlines()
    assert first == "2 of 4 recipients without TLS"
    assert sorted(servers) == ["1 a.test[192.0.2.1]:25", "1 b.test[192.0.2.2]:25"]
