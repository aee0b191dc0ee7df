"""What the address of an article says: which article it is, whose, and from where. Pure."""

import re
from functools import lru_cache
from urllib.parse import SplitResult, urlsplit

from wirewatch.web.tracking import is_tracking

REMEMBERED = 8_192
"""Addresses whose canonical form is at hand: ids are often links, and feeds say them again."""
DEFAULT_PORTS = {"http": 80, "https": 443}

_ESCAPE = re.compile(r"%([0-9A-Fa-f]{2})")
_UNSAFE = re.compile(r'[^\x21-\x7e]|["<>\\^`{|}]')
_UNRESERVED = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~")

_COUNTRIES = frozenset(
    """
    AD AE AF AG AL AM AO AQ AR AS AT AU AW AX AZ BA BB BD BE BF BG BH BI BJ BL BM BN BO BQ BR BS
    BT BV BW BY BZ CA CC CD CF CG CH CI CK CL CM CN CO CR CU CV CW CX CY CZ DE DJ DK DM DO DZ EC
    EE EG EH ER ES ET FI FJ FK FM FO FR GA GB GD GE GF GG GH GI GL GM GN GP GQ GR GS GT GU GW GY
    HK HM HN HR HT HU ID IE IL IM IN IO IQ IR IS IT JE JM JO JP KE KG KH KI KM KN KP KR KW KY KZ
    LA LB LC LI LK LR LS LT LU LV LY MA MC MD ME MF MG MH MK ML MM MN MO MP MQ MR MS MT MU MV MW
    MX MY MZ NA NC NE NF NG NI NL NO NP NR NU NZ OM PA PE PF PG PH PK PL PM PN PR PS PT PW PY QA
    RE RO RS RU RW SA SB SC SD SE SG SH SI SJ SK SL SM SN SO SR SS ST SV SX SY SZ TC TD TF TG TH
    TJ TK TL TM TN TO TR TT TV TW TZ UA UG UM US UY UZ VA VC VE VG VI VN VU WF WS YE YT ZA ZM ZW
    AI
    """.split()  # noqa: SIM905 - 249 quoted codes would fill pages
)
_USED_BY_ALL = frozenset(
    """
    AG AI AS BZ CC CD CF CO CX DJ FM GA GG GL GQ IM IO LA LY ME MS NU PW SC SH SO SR ST TK TO TV
    VC WS
    """.split()  # noqa: SIM905
)
"""Country codes sold to everyone; they say nothing of where a publisher is."""
_OWN_SECOND_LEVEL = frozenset({"com", "edu", "gob", "gouv", "gov", "mil", "org"})
"""Under a code sold to everyone, these are still given out in the country: `com.co`, `gov.ly`."""
_OTHER_CODES = {
    "UK": "GB",
    "XN--P1AI": "RU",
    "XN--90AIS": "BY",
    "XN--J1AMH": "UA",
    "XN--FIQS8S": "CN",
    "XN--FIQZ9S": "CN",
    "XN--J6W193G": "HK",
    "XN--KPRW13D": "TW",
    "XN--KPRY57D": "TW",
    "XN--3E0B707E": "KR",
    "XN--H2BRJ9C": "IN",
    "XN--MGBERP4A5D4AR": "SA",
    "XN--MGBAAM7A8H": "AE",
    "XN--MGBA3A4F16A": "IR",
    "XN--WGBH1C": "EG",
    "XN--90A3AC": "RS",
    "XN--QXAM": "GR",
    "XN--O3CW4H": "TH",
    "РФ": "RU",
    "БЕЛ": "BY",
    "УКР": "UA",
    "中国": "CN",
    "中國": "CN",
    "台灣": "TW",
    "한국": "KR",
}


@lru_cache(maxsize=REMEMBERED)
def canonical_url(url: str) -> str:
    """Return `url` as it is best compared: two addresses of one article become equal.

    The fragment goes (unless it is `#!…`, which names a page), and with it the
    default port, parameters that only tell where a reader came from, and
    differences in writing that RFC 3986 calls none: case of scheme and host,
    escapes of letters. The order of the other parameters, `http`, `www.` and AMP stay:
    they can matter. What is no web address is returned stripped; never raises.
    """
    stripped = url.strip()
    try:
        parts = urlsplit(stripped)
        host = _host(parts)
    except ValueError:
        return stripped
    if parts.scheme not in DEFAULT_PORTS or not host:
        return stripped
    query = _query(parts.query)
    return "".join(
        (
            f"{parts.scheme}://{host}",
            _written(parts.path) or "/",
            f"?{query}" if query else "",
            f"#{_written(parts.fragment)}" if parts.fragment.startswith("!") else "",
        )
    )


def _host(parts: SplitResult) -> str:
    user, at, place = parts.netloc.rpartition("@")
    name = (place[: place.rfind(":")] if _has_port(place) else place).lower()
    port = parts.port
    shown = f":{port}" if port not in {None, DEFAULT_PORTS.get(parts.scheme)} else ""
    return f"{user}{at}{name}{shown}" if name else ""


def _has_port(place: str) -> bool:
    return ":" in place and not place.endswith("]")


def _query(query: str) -> str:
    """Leave out what only tracks; what stays keeps its order and its form."""
    kept = (part for part in query.split("&") if part and not is_tracking(part))
    return "&".join(_written(part) for part in kept)


def _written(text: str) -> str:
    """Write escapes in one way: upper case, none for letters and digits, UTF-8 for the rest."""
    if text.isascii() and "%" not in text and not _UNSAFE.search(text):
        return text
    return _UNSAFE.sub(_escape, _ESCAPE.sub(_unescape, text))


def _unescape(match: re.Match[str]) -> str:
    char = chr(int(match[1], 16))
    return char if char in _UNRESERVED else match[0].upper()


def _escape(match: re.Match[str]) -> str:
    return "".join(f"%{byte:02X}" for byte in match[0].encode("utf-8", "surrogatepass"))


def domain_of(url: str) -> str:
    """Return the lower-case host of `url` without `www.`, empty if it has none; never raises."""
    try:
        host = urlsplit(url.strip()).hostname or ""
    except ValueError:
        return ""
    return host.rstrip(".").removeprefix("www.")


def source_country(domain: str) -> str:
    """Return the country (ISO 3166-1 alpha-2) that the top level of `domain` stands for.

    Empty for generic domains and for country codes that all the world uses.
    """
    labels = domain.strip().rstrip(".").upper().split(".")
    code = _OTHER_CODES.get(labels[-1], labels[-1])
    if code not in _COUNTRIES or len(labels) < 2:
        return ""
    if code in _USED_BY_ALL and not (len(labels) > 2 and labels[-2].lower() in _OWN_SECOND_LEVEL):
        return ""
    return code
