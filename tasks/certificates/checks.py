"""The certificate as the doctor looks at it: valid for some time, shown on each port, and renewed. Pure."""

from collections.abc import Iterator
from shlex import quote

from tasks.certificates.renewal import FAILED, UNIT
from tasks.part.check import Account, Check, Result, exits_well, first_line

VALID = """\
dates=$(openssl x509 -noout -startdate -enddate -in {path} 2>&1) || {{ echo "$dates"; exit 1; }}
begin=$(date -d "$(sed -n s/notBefore=//p <<<"$dates")" +%s) || exit
end=$(date -d "$(sed -n s/notAfter=//p <<<"$dates")" +%s) now=$(date +%s)
least=$((end - begin < {days} * 86400 * 5 ? (end - begin) / 5 : {days} * 86400))
echo "$(((end - now) / 86400)) days left, until $(date -ud "@$end" +%F)"
((end - now > least))
"""
SHOWN = """\
serials=$(awk '/BEGIN CERTIFICATE/ {{ read = "openssl x509 -noout -serial" }} read {{ print | read }}
  /END CERTIFICATE/ {{ close(read); read = "" }}' {path})
for port in 25 465 587; do
  how='-starttls smtp'
  test $port != 465 || how=
  shown=$(timeout 20 openssl s_client -connect localhost:$port $how 2>/dev/null </dev/null |
    openssl x509 -noout -serial 2>/dev/null)
  test -z "$shown" || grep -qxF "$shown" <<<"$serials" || echo "port $port shows another, $shown"
done | grep . && exit 1
true
"""
RENEWED = f"""\
test ! -e {FAILED} || {{ cat {FAILED}; exit 1; }}
systemctl -q is-active {UNIT}.timer || {{ echo "{UNIT}.timer does not run"; exit 1; }}
! systemctl -q is-failed {UNIT}.service || {{ echo "{UNIT}.service has failed"; exit 1; }}
"""


def checks(path: str, renewed: bool, days: int, account: Account | None) -> Iterator[Check]:
    """Look at the file that Postfix shows.

    :param renewed: whether the host keeps it valid itself
    :param days: before its end from which on it is a fault, or the last fifth of a short validity
    """
    valid = f"{path} is valid for some time"
    yield Check(
        valid,
        VALID.format(path=quote(path), days=days),
        _judge,
        tells=lambda result: first_line(result.output),
    )
    shown = SHOWN.format(path=quote(path))
    yield Check("no port shows another certificate", shown, exits_well("postfix reload, or deploy"), [valid])
    if renewed:
        remedy = f"see journalctl -u {UNIT}"
        yield Check("the host renews that certificate", RENEWED, exits_well(remedy))


def _judge(result: Result) -> str:
    if result.succeeded:
        return ""
    return f"{first_line(result.output) or 'it cannot be read'}; renew it, and see journalctl -u {UNIT}"
