"""The Received trace: each hop's own account of where a message came from, in the many dialects of real servers.

In: Received fields. Out: `Hop`s. What a hop says is as trustworthy as the server that wrote it, no more.
Standard: RFC 5321 §4.4 (grammar), RFC 3848 (protocol names), RFC 8314 §4.3 (tls clause). The dialects read are those
of Postfix, Exim, Sendmail, Exchange, Gmail, qmail, Haraka, Yahoo and our own.
Not here: our own field (`trace`); where the trust ends (`inspector`).
"""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass
from functools import lru_cache

from gatepost.message.charsets import decode_field
from gatepost.message.dates import parse_date
from gatepost.message.header import Header
from gatepost.message.tokens import comment_end

MAX_HOPS = 200  # RFC 5321 §6.3: at least 100 before it is called a loop
MAX_FIELD = 8192  # characters of one field that are read; the longest in the corpora has 325
_MAX_PIECES = 600


@dataclass(frozen=True, slots=True)
class HopTls:
    """TLS as a hop tells it: version as "TLSv1.3" and cipher suite, each empty where only "with ESMTPS" says so."""

    version: str = ""
    cipher: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Hop:
    """One Received field. All texts are empty when the field does not say.

    `from_name` is what the client called itself (EHLO), `from_ip` its address in canonical form, `from_rdns` the
    reverse name that the receiver found. `date` is seconds since the epoch. `raw` is the unfolded text.
    `defects`: those of `dates`, "no-by", "too-long", "too-many-pieces", "unclosed-comment".
    """

    from_name: str = ""
    from_ip: str = ""
    from_rdns: str = ""
    by: str = ""
    with_protocol: str = ""
    tls: HopTls | None = None
    id: str = ""
    for_: str = ""
    date: int | None = None
    raw: str = ""
    defects: tuple[str, ...] = ()


# A word, a comment without another one inside, or a mark; what lies between is white space.
_PIECE = re.compile(r"[^ \t\r\n();]++|\([^()\\]*+\)|[();]")
_CLAUSES = frozenset(("from", "by", "via", "with", "id", "for", "tls", "envelope-from"))
_BRACKETED = re.compile(r"\[(?:IPv6:)?([0-9A-Fa-f:.]{2,45})(?:%[\w.-]{1,20})?\]", re.IGNORECASE)
_HELO = re.compile(r"(?:(?:\A|\s)helo=|\A(?:helo|ehlo) )([^ )]{1,255})", re.IGNORECASE)
_HOST = re.compile(r"[\w.-]{1,255}")
_VERSION = re.compile(r"\b(TLS|SSL)v?([123])(?:[._]([0-3]))?(?![\w-])", re.IGNORECASE)
_CIPHER = re.compile(r"(?:\bcipher[= ]\s{0,4}|\btls\s{1,4}|TLSv?1[._][0-3]:)([A-Z][A-Z0-9_-]{4,60})", re.IGNORECASE)
_TLS_PROTOCOL = re.compile(r"(?:UTF8)?(?:E?SMTP|LMTP)SA?|HTTPS", re.IGNORECASE)
_NO_NAMES = frozenset(("unknown", "unverified", "may", "untrusted", "sender", "from"))


def parse_trace(header: Header) -> tuple[Hop, ...]:
    """The hops from the last (topmost) to the first, at most `MAX_HOPS`."""
    return tuple(parse_received(field.value) for field in header.all("received")[:MAX_HOPS])


def parse_received(value: str | bytes) -> Hop:
    """Reads one Received field. Total and linear: any text gives a Hop."""
    text = (value if isinstance(value, str) else decode_field(value)).strip()
    defects: dict[str, None] = {}
    if len(text) > MAX_FIELD:
        # the date stands at the end: keep it and what fits before it
        text = text[: MAX_FIELD - 100] + " " + text[-99:]
        defects["too-long"] = None
    clauses, comments, date_text = _clauses(text, defects)
    date = parse_date(date_text)
    defects.update(dict.fromkeys(date.defects))
    name, address, reverse = _client(clauses.get("from", ""), comments.get("from", []), "exim" in text.lower())
    if not clauses.get("by"):
        defects["no-by"] = None
    protocol = clauses.get("with", "")
    return Hop(
        from_name=name,
        from_ip=address,
        from_rdns=reverse,
        by=_first(clauses.get("by", "")).strip("[]"),
        with_protocol=protocol,
        tls=_tls(protocol, clauses, comments),
        id=_first(clauses.get("id", "")).strip("<>"),
        for_=_first(clauses.get("for", "")).strip("<>"),
        date=date.epoch,
        raw=text,
        defects=tuple(defects),
    )


def _clauses(text: str, defects: dict[str, None]) -> tuple[dict[str, str], dict[str, list[str]], str]:
    """Each clause's words, the comments that stand in it, and the text after the last semicolon.

    A clause word opens its clause once, so that a host called "by" or an id of "for" cannot open another.
    """
    words: dict[str, list[str]] = {}
    comments: dict[str, list[str]] = {}
    current, position, date_start, pieces = "", 0, -1, 0
    while position < len(text) and pieces < _MAX_PIECES:
        pieces += 1
        match = _PIECE.search(text, position)
        if match is None:
            break
        piece, position, end = match[0], match.start(), match.end()
        if piece[0] == "(":
            end = end if len(piece) > 1 else comment_end(text, position)
            if not end:
                defects["unclosed-comment"] = None
                end = len(text)
            comments.setdefault(current, []).append(text[position + 1 : end].removesuffix(")").strip())
        elif piece == ";":
            current, date_start = "date", end
        elif piece != ")":
            lower = piece.lower()
            if lower in _CLAUSES and lower not in words and words.get(current) != []:
                current = lower
                words[current] = []
            else:
                words.setdefault(current, []).append(piece)
        position = end
    if pieces >= _MAX_PIECES:
        defects["too-many-pieces"] = None
        date_start = text.rfind(";") + 1
    return {key: " ".join(value) for key, value in words.items()}, comments, text[date_start:] if date_start > 0 else ""


def _first(words: str) -> str:
    return words.partition(" ")[0]


def _client(words: str, comments: list[str], exim: bool) -> tuple[str, str, str]:
    """The from clause: EHLO name, address, reverse name.

    Postfix, Sendmail, Gmail, Haraka    from EHLO (REVERSE [ADDRESS])
    Exim                                from REVERSE ([ADDRESS]:port helo=EHLO), from [ADDRESS] (helo=EHLO)
    qmail, Yahoo                        from REVERSE (HELO EHLO) (ident@ADDRESS)
    Exchange                            from EHLO (ADDRESS)
    """
    word = _first(words)
    address = reverse = helo = ""
    for comment in comments:
        said = _HELO.search(comment)
        helo = helo or (said[1] if said else "")
        rest = comment.replace(said[0], "") if said else comment  # an EHLO of "[192.0.2.1]" is only a claim
        bracketed = _BRACKETED.search(rest)
        if bracketed and not address:
            address = _ip(bracketed[1])
            reverse = _host(rest[: bracketed.start()])
        elif not address and not said:
            address = _ip(_first(comment).rpartition("@")[2])
    bracketed = _BRACKETED.match(word)
    if not address and bracketed:
        address = _ip(bracketed[1])
    if helo:
        return helo, address, reverse or ("" if bracketed else _host(word))
    if exim and address and not bracketed:
        reverse = reverse or _host(word)  # Exim leaves helo= out when it equals the verified name
    return word, address, reverse


def _host(text: str) -> str:
    """The last word of `text` as a host name, without ident and trailing dot; empty when it is none."""
    name = text.rstrip().rpartition(" ")[2].rpartition("@")[2].rstrip(".")
    return name if _HOST.fullmatch(name) and name.lower() not in _NO_NAMES and not _ip(name) else ""


def _ip(text: str) -> str:
    """`text` as an address in canonical form, mapped IPv4 as IPv4; empty when it is none."""
    text = text.strip("[],")
    if text[:5].lower() == "ipv6:":
        text = text[5:]
    text = text.partition("%")[0]
    return _canonical(text) if 2 <= len(text) <= 45 and ("." in text or ":" in text) else ""


@lru_cache(maxsize=4096)
def _canonical(text: str) -> str:
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return ""
    mapped = getattr(address, "ipv4_mapped", None)
    return str(mapped or address)


def _tls(protocol: str, clauses: dict[str, str], comments: dict[str, list[str]]) -> HopTls | None:
    """TLS where the field says so: a version, a cipher suite, a tls clause, or a protocol name with S."""
    said = " ".join((protocol, *(comment for group in comments.values() for comment in group)))
    if "tls" in clauses:
        said += " tls " + clauses["tls"]
    version = _VERSION.search(said)
    cipher = _CIPHER.search(said)
    if not version and not cipher and not _TLS_PROTOCOL.fullmatch(_first(protocol)) and "tls" not in clauses:
        return None
    return HopTls(_version(version) if version else "", cipher[1] if cipher else "")


def _version(match: re.Match[str]) -> str:
    """ "TLS1_3", "TLS1.3" and "TLSv1.3" are one."""
    if match[1].upper() == "SSL":
        return f"SSLv{match[2]}"
    return f"TLSv{match[2]}.{match[3]}" if match[3] else f"TLSv{match[2]}"
