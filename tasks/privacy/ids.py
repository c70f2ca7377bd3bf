"""What the judge of ids (onhost/headers.py) knows of names: which are nobody's, which the world's. Pure."""

import json
from functools import cache
from pathlib import Path

from onhost.headers import Judge, Known

# Domains that are nobody's, so that a name below them tells only how somebody calls a computer at home:
# RFC 6761, RFC 6762 and its appendix G, RFC 8375, ICANN's name collisions, what common routers and Windows
# hand out, and what Emacs ends a computer's name with that has none (message.el).
NOBODYS = (
    *("local", "localdomain", "localhost", "lan", "home", "home.arpa", "internal", "intranet", "private"),
    *("corp", "invalid", "workgroup", "fritz.box", "speedport.ip", "station", "router", "localnet", "domain"),
    *("mshome.net", "attlocal.net", "myfritz.net", "mail-host-address-is-not-set"),
    "i-did-not-set--mail-host-address--so-tickle-me",
)

# A name below these is one connection's at home, and leads there: dynamic DNS, and routers' makers.
DYNAMIC_DNS = (
    *("dyndns.org", "dyndns.info", "dyndns.biz", "dyndns.tv", "dyndns.ws", "dyndns-home.com", "dyn.dhs.org"),
    *(
        "dnsalias.com",
        "dnsalias.net",
        "dnsalias.org",
        "dynalias.com",
        "dynalias.net",
        "dynalias.org",
        "ath.cx",
    ),
    *(
        "homeip.net",
        "homedns.org",
        "homelinux.com",
        "homelinux.net",
        "homelinux.org",
        "homeftp.net",
        "mine.nu",
    ),
    *("homeunix.com", "homeunix.net", "homeunix.org", "kicks-ass.net", "kicks-ass.org", "gotdns.com"),
    *(
        "gotdns.org",
        "selfip.com",
        "selfip.net",
        "selfip.org",
        "is-a-geek.com",
        "is-a-geek.net",
        "is-a-geek.org",
    ),
    *("no-ip.org", "no-ip.com", "no-ip.biz", "no-ip.info", "noip.me", "ddns.net", "ddns.me", "hopto.org"),
    *("zapto.org", "sytes.net", "myftp.org", "myftp.biz", "myvnc.com", "redirectme.net", "serveftp.com"),
    *("servehttp.com", "servebeer.com", "servegame.com", "3utilities.com", "bounceme.net", "viewdns.net"),
    *("duckdns.org", "dynu.com", "dynu.net", "freeddns.org", "dynv6.net", "freemyip.com", "nsupdate.info"),
    *("mooo.com", "chickenkiller.com", "ignorelist.com", "strangled.net", "crabdance.com", "goip.de"),
    *(
        "ddnss.de",
        "ddns.info",
        "spdns.de",
        "spdns.org",
        "dedyn.io",
        "feste-ip.net",
        "selfhost.eu",
        "dnshome.de",
    ),
    *("selfhost.me", "synology.me", "myds.me", "dscloud.me", "diskstation.me", "i234.me", "asuscomm.com"),
    *("mynetgear.com", "myqnapcloud.com", "dlinkddns.com", "tplinkdns.com", "keenetic.link", "keenetic.pro"),
)

PRIVATE_DOMAINS = (*NOBODYS, *DYNAMIC_DNS)


def settings(hostname: str, private_domains: tuple[str, ...], days: int | None) -> str:
    """Write the settings of the judge, for its file.

    :param hostname: the relay's fully qualified name
    :param days: for which it knows what it has rewritten; None if strangers' ids are rewritten as well
    """
    said = {
        "hostname": hostname,
        "days": days,
        "private_domains": private_domains,
        "top_level_domains": top_level_domains(),
    }
    return json.dumps(said, indent=0) + "\n"


def judge(hostname: str, private_domains: tuple[str, ...], known: Known | None) -> Judge:
    """Make the judge as a relay has it.

    :param known: what it has rewritten; None if strangers' ids are rewritten as well
    """
    return Judge(hostname, top_level_domains(), private_domains, known)


@cache
def top_level_domains() -> tuple[str, ...]:
    """List IANA's top-level domains; names in other scripts both as in the DNS and as written (RFC 5891)."""
    text = Path(__file__).with_name("top_level_domains.txt").read_text(encoding="utf-8")
    found = [line for line in text.split("\n") if line and not line.startswith("#")]
    return (*found, *(name.encode().decode("idna") for name in found if name.startswith("xn--")))
