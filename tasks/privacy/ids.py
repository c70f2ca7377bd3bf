"""What the judge of ids (onhost/headers.py) knows of names: which are nobody's, which the world's. Pure."""

import json
from functools import cache
from pathlib import Path

from onhost.headers import Judge, Known


def _listed(names: str) -> tuple[str, ...]:
    return tuple(names.split())


# Domains that are nobody's, so that a name below them tells only how somebody calls a computer at home:
# RFC 6761, RFC 6762 and its appendix G, RFC 8375, ICANN's name collisions, what common routers and Windows
# hand out, and what Emacs ends a computer's name with that has none (message.el).
NOBODYS = (
    *("local", "localdomain", "localhost", "lan", "home", "home.arpa", "internal", "intranet", "private"),
    *("corp", "invalid", "workgroup", "fritz.box", "speedport.ip", "station", "router", "localnet", "domain"),
    *("mshome.net", "attlocal.net", "myfritz.net", "mail-host-address-is-not-set"),
    "i-did-not-set--mail-host-address--so-tickle-me",
)

# A name below these is one connection's at home, and leads there: dynamic DNS, routers' makers, networks
# between one's own computers. Names that say it, as dyndns.org, the judge knows by that.
DYNAMIC_DNS = _listed(
    """
    dyn.dhs.org ath.cx mine.nu homeip.net homedns.org homelinux.com homelinux.net homelinux.org
    homeftp.net homeftp.org homeunix.com homeunix.net homeunix.org dnsalias.com dnsalias.net dnsalias.org
    dynalias.com dynalias.net dynalias.org dnsdojo.com dnsdojo.net dnsdojo.org blogdns.com blogdns.net
    blogdns.org blogsite.org getmyip.com gotdns.com gotdns.org kicks-ass.net kicks-ass.org selfip.com
    selfip.net selfip.org selfip.info selfip.biz doesntexist.com doesntexist.org dontexist.com
    dontexist.net dontexist.org endofinternet.net endofinternet.org game-host.org game-server.cc
    ham-radio-op.net podzone.net podzone.org scrapping.cc serveftp.net shacknet.nu thruhere.net webhop.net
    webhop.org webhop.biz webhop.info worse-than.tv merseine.nu boldlygoingnowhere.org hopto.org hopto.me
    zapto.org sytes.net myftp.org myftp.biz myvnc.com redirectme.net serveftp.com servehttp.com
    servebeer.com servegame.com serveirc.com servemp3.com servepics.com servebbs.com 3utilities.com
    bounceme.net gotdns.ch loginto.me onthewifi.com viewdns.net blogsyte.com freedynamicdns.net
    freedynamicdns.org duckdns.org dynu.com dynu.net freeddns.org ddnsfree.com giize.com gleeze.com
    kozow.com loseyourip.com ooguy.com theworkpc.com casacam.net accesscam.org camdvr.org mywire.org
    webredirect.org dynv6.net freemyip.com nsupdate.info mooo.com chickenkiller.com ignorelist.com
    strangled.net crabdance.com jumpingcrab.com privatedns.org twilightparadox.com us.to goip.de ddnss.de
    spdns.de spdns.org dedyn.io feste-ip.net selfhost.eu selfhost.me selfhost.bz dnshome.de my-router.de
    my-gateway.de my-wan.de home-webserver.de cjb.net dtdns.net yi.org tzo.com tzo.net dns2go.com hn.org
    ods.org changeip.net changeip.org dnsup.net duia.eu duia.us ts.net synology.me myds.me dscloud.me
    dscloud.biz dscloud.mobi diskstation.me i234.me asuscomm.com mynetgear.com myqnapcloud.com
    dlinkddns.com tplinkdns.com keenetic.link keenetic.pro
    """
)

# A name below these is one customer's line: providers' that have no address in it, or not all of it.
CUSTOMERS = _listed(
    """
    abo.wanadoo.fr fbx.proxad.net fbxo.proxad.net subs.proxad.net rev.numericable.fr rev.sfr.net
    dip.t-dialin.net dip0.t-ipconnect.de pppool.de arcor-ip.net vodafone-ip.de cust.vodafonedsl.it
    business.telecomitalia.it retail.telecomitalia.it cable.virginm.net cable.virginmedia.com
    cable.ntl.com btcentralplus.com skybroadband.com bb.sky.com as13285.net as43234.net
    dsl.in-addr.zen.co.uk res.rr.com biz.rr.com res.spectrum.com fios.verizon.net client2.attbi.com
    client.comcast.net hlrn.qwest.net cable.rogers.com shawcable.net mc.videotron.ca cable.mindspring.com
    access.telenet.be fixed.kpn.net ip.telfort.nl speed.planet.nl priv.bahnhof.se cust.bredbandsbolaget.se
    cust.telenor.se bbcust.telenor.se cust.tele2.se tbcn.telia.com bb.online.no getinternet.no
    rev.stofanet.dk elisa-laajakaista.fi bb.dnainternet.fi dclient.hispeed.ch cust.bluewin.ch
    cust.swisscom.ch surfer.at cablelink.at bbtec.net ap.so-net.ne.jp home.otenet.gr
    """
)

PRIVATE_DOMAINS = tuple(dict.fromkeys((*NOBODYS, *DYNAMIC_DNS, *CUSTOMERS)))


def settings(name: str, private_domains: tuple[str, ...], days: int | None, fleet: bool = False) -> str:
    """Write the settings of the judge, for its file.

    :param name: what takes the place of homes' names
    :param private_domains: those that the inventory names in addition
    :param days: for which it knows what it has rewritten; None if strangers' ids are rewritten as well
    :param fleet: whether it knows what other relays have rewritten
    """
    said = {
        "hostname": name,
        "days": days,
        "fleet": fleet,
        "private_domains": (*PRIVATE_DOMAINS, *private_domains),
        "top_level_domains": top_level_domains(),
    }
    return json.dumps(said, indent=0) + "\n"


def judge(name: str, private_domains: tuple[str, ...], known: Known | None) -> Judge:
    """Make the judge as a relay has it.

    :param name: what takes the place of homes' names
    :param private_domains: those that the inventory names in addition
    :param known: what it has rewritten; None if strangers' ids are rewritten as well
    """
    return Judge(name, top_level_domains(), (*PRIVATE_DOMAINS, *private_domains), known)


@cache
def top_level_domains() -> tuple[str, ...]:
    """List IANA's top-level domains; names in other scripts both as in the DNS and as written (RFC 5891)."""
    text = Path(__file__).with_name("top_level_domains.txt").read_text(encoding="utf-8")
    found = [line for line in text.split("\n") if line and not line.startswith("#")]
    return (*found, *(name.encode().decode("idna") for name in found if name.startswith("xn--")))
