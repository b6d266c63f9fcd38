"""Every DNS record that a domain behind a gate wants, each with its reason in plain words.

In: `Wishes`: names, keys, what the gate serves. Out: `WantedRecord`s; texts in one form, to be compared.
Standard: RFC 1035 §5.1 (text), RFC 7208 §3, RFC 6376 §3.6, RFC 9989 §4, RFC 8461 §3.1, RFC 8460 §3, RFC 7672 §3.1,
RFC 6186 and RFC 8314 §5.1 (SRV), RFC 8659 (CAA). Not here: where the wishes come from (`server.records`), how DNS
compares (`standing`), checks of anybody's domain (`checks`).
"""

from __future__ import annotations

import enum
import re
from collections.abc import Sequence
from dataclasses import dataclass

_STRING = re.compile(r'"((?:[^"\\]|\\.)*)"|(\S+)', re.DOTALL)
_ESCAPE = re.compile(r"\\(\d{3}|.)", re.DOTALL)


class Kind(enum.StrEnum):
    """What a record is for."""

    MX = "mx"
    ADDRESS = "address"  # of the server and its reverse: nobody here knows it
    SPF = "spf"
    DKIM = "dkim"
    DMARC = "dmarc"
    MTA_STS = "mta-sts"
    TLS_RPT = "tls-rpt"
    TLSA = "tlsa"
    WEB = "web"  # the names under which the gate's HTTPS answers
    SRV = "srv"
    CAA = "caa"


class Need(enum.StrEnum):
    """How much depends on it."""

    MUST = "must"  # mail suffers without it
    SHOULD = "should"
    MAY = "may"  # right only under a condition, which `why` names


_MARKS = {
    Kind.SPF: "v=spf1",
    Kind.DMARC: "v=dmarc1",
    Kind.MTA_STS: "v=stsv1",
    Kind.TLS_RPT: "v=tlsrptv1",
}  # what tells a TXT record of the kind from others at its name


@dataclass(frozen=True, slots=True, kw_only=True)
class WantedRecord:
    """One record. `name` is in A-labels without the last dot; `value` is in master-file form, of TXT the bare text.
    `why` is for people."""

    kind: Kind
    need: Need
    name: str
    rtype: str
    value: str
    why: str

    @property
    def rdata(self) -> str:
        """The value as it stands in a master file."""
        return quote_text(self.value) if self.rtype == "TXT" else self.value

    @property
    def text(self) -> str:
        """The line of a master file; a comment where the value is to be filled in."""
        if self.kind is Kind.ADDRESS:
            return f"; {self.name}. IN A <this server's address>   and the reverse: <address> IN PTR {self.name}."
        return f"{self.name}. IN {self.rtype} {self.rdata}"

    def is_like(self, text: str) -> bool:
        """Whether a record at the same name and type, in canonical form, is one of this kind."""
        mark = _MARKS.get(self.kind)
        return mark is None or text.lower().startswith(mark)


@dataclass(frozen=True, slots=True, kw_only=True)
class Wishes:
    """What is known of the gate. `keys` are name, text and reason of each key's record; `sts_id` is empty where nobody
    serves the policy; `web` are names that lead to the HTTPS listener; `tlsa` are names with data and reason;
    `services` are SRV names with port and host, "" for a service that is not offered; `caa` are authorities."""

    domain: str
    hostname: str
    reports_to: str
    keys: Sequence[tuple[str, str, str]] = ()
    sts_id: str = ""
    web: Sequence[str] = ()
    tlsa: Sequence[tuple[str, str, str]] = ()
    services: Sequence[tuple[str, int, str]] = ()
    caa: Sequence[str] = ()


def wanted_records(wishes: Wishes) -> tuple[WantedRecord, ...]:
    """All of them, the most important first."""
    return (*_mail(wishes), *_keys(wishes), *_policies(wishes), *_encryption(wishes), *_services(wishes))


def _record(kind: Kind, need: Need, name: str, rtype: str, value: str, why: str) -> WantedRecord:
    return WantedRecord(kind=kind, need=need, name=name, rtype=rtype, value=value, why=why)


def _mail(wishes: Wishes) -> list[WantedRecord]:
    domain, host = wishes.domain, wishes.hostname
    return [
        _record(Kind.MX, Need.MUST, domain, "MX", f"10 {host}.", "mail for the domain comes here"),
        _record(
            *(Kind.ADDRESS, Need.MUST, host, "A", ""),
            "the server's name and address must point at each other, or large receivers refuse its mail",
        ),
        _record(
            *(Kind.SPF, Need.MUST, domain, "TXT", "v=spf1 mx -all"),
            "SPF: only the domain's mail exchangers send for it (RFC 7208); add what else sends for you before -all",
        ),
        _record(
            *(Kind.SPF, Need.SHOULD, host, "TXT", "v=spf1 a -all"),
            "SPF for the server's own name, which EHLO and bounces use",
        ),
    ]


def _keys(wishes: Wishes) -> list[WantedRecord]:
    return [_record(Kind.DKIM, Need.MUST, name, "TXT", text, why) for name, text, why in wishes.keys]


def _policies(wishes: Wishes) -> list[WantedRecord]:
    domain, to = wishes.domain, wishes.reports_to
    return [
        _record(
            *(Kind.DMARC, Need.MUST, f"_dmarc.{domain}", "TXT", f"v=DMARC1; p=quarantine; rua=mailto:{to}"),
            "DMARC: what fails both is suspect; tell us who fails (RFC 9989). Later: p=reject; "
            "`gatepost dmarc advise` says when",
        ),
        _record(
            *(Kind.TLS_RPT, Need.SHOULD, f"_smtp._tls.{domain}", "TXT", f"v=TLSRPTv1; rua=mailto:{to}"),
            "TLS-RPT: others report when they could not reach us over TLS (RFC 8460); "
            "`gatepost dmarc import` reads the reports",
        ),
    ]


def _encryption(wishes: Wishes) -> list[WantedRecord]:
    domain, found = wishes.domain, []
    for name in wishes.web:
        why = f"leads {name} to the gate, which serves it over HTTPS; its certificate must have this name"
        found.append(_record(Kind.WEB, Need.SHOULD, name, "CNAME", f"{wishes.hostname}.", why))
    if wishes.sts_id:
        why = "MTA-STS: there is a policy on TLS to us (RFC 8461); the id changes with the policy. Publish it last"
        text = f"v=STSv1; id={wishes.sts_id};"
        found.append(_record(Kind.MTA_STS, Need.SHOULD, f"_mta-sts.{domain}", "TXT", text, why))
    for name, data, why in wishes.tlsa:
        found.append(_record(Kind.TLSA, Need.MAY, name, "TLSA", data, why))
    for authority in wishes.caa:
        why = f"CAA: only {authority} may issue certificates for the domain (RFC 8659); add others that you use"
        found.append(_record(Kind.CAA, Need.MAY, domain, "CAA", f'0 issue "{authority}"', why))
    return found


def _services(wishes: Wishes) -> list[WantedRecord]:
    found = []
    for name, port, host in wishes.services:
        value = f"0 1 {port} {host}." if host else "0 0 0 ."
        does = (
            f"mail programs find {host} by themselves (RFC 6186)" if host else "says that it is not offered (RFC 6186)"
        )
        found.append(_record(Kind.SRV, Need.SHOULD, f"{name}.{wishes.domain}", "SRV", value, does))
    return found


def canonical(rtype: str, rdata: str) -> str:
    """A record in one form, whoever wrote it: TXT as its bare text, the others in lower case without last dots."""
    if rtype == "TXT":
        return joined_text(rdata)
    words = [word.rstrip(".").lower() or "." for word in rdata.split()]
    if rtype == "TLSA" and len(words) > 3:
        words = [*words[:3], "".join(words[3:])]
    return " ".join(words).replace('"', "")


def joined_text(rdata: str) -> str:
    """The text of a TXT record in master-file form (RFC 1035 §5.1): its strings joined, escapes undone."""

    def character(found: re.Match[str]) -> str:
        return chr(int(found[1]) & 0xFF) if len(found[1]) == 3 else found[1]

    return "".join(_ESCAPE.sub(character, quoted or bare) for quoted, bare in _STRING.findall(rdata))


def quote_text(text: str) -> str:
    """Character-strings of at most 255 octets (RFC 1035 §3.3), with quotes and backslashes escaped."""
    pieces = [text[start : start + 250] for start in range(0, len(text), 250)] or [""]
    return " ".join('"' + piece.replace("\\", "\\\\").replace('"', '\\"') + '"' for piece in pieces)
