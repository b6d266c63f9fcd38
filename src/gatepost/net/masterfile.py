"""A master file read into record sets.

In: the text. Out: record sets (dnspython's rdatas) by name and type, or `InputError` with the line.
Standard: RFC 1035 §5; $INCLUDE and $GENERATE are refused (other files, unbounded work).
Not here: what is answered from them (`net.zone`, `lab.dns`). dnspython's reader does the parsing; its own zone type is
not used because it allows one SOA only, and one text here holds many zones.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import cast

import dns.exception
import dns.name
import dns.rdata
import dns.rdataclass
import dns.rdatatype
import dns.rdtypes.nsbase
import dns.tokenizer
import dns.transaction
import dns.zonefile

from gatepost.errors import InputError
from gatepost.net.records import record_of
from gatepost.ports import Record

Labels = tuple[bytes, ...]  # lower case, leftmost first, the root is ()

# What may stand beside a CNAME (RFC 2181 §10.1, RFC 4034).
_BESIDE_CNAME = frozenset({"CNAME", "RRSIG", "NSEC", "NSEC3", "KEY", "NXT", "SIG"})


@dataclass(slots=True)
class Rrset:
    """All records of one name and type; `ttl` is their least, in seconds; `target` is where a CNAME leads."""

    ttl: int
    rdatas: list[dns.rdata.Rdata] = field(default_factory=list)
    records: tuple[Record, ...] = ()
    target: Labels = ()


class _Tokenizer(dns.tokenizer.Tokenizer):
    """Says the line of the last token; dnspython's own may have gone on to the next line."""

    at = 1

    def get(self, want_leading: bool = False, want_comment: bool = False) -> dns.tokenizer.Token:
        line, again = self.line_number, self.ungotten_token is not None
        token = super().get(want_leading, want_comment)
        if not again and (not token.is_eol_or_eof() or self.line_number != line):
            self.at = line
        return token

    def where(self) -> tuple[str, int]:
        return self.filename, self.at


RrsetsByName = dict[tuple[Labels, str], Rrset]


class _Sink:
    """What dnspython's reader writes into: the part of `dns.transaction.Transaction` that it uses."""

    def __init__(self) -> None:
        self.manager = self
        self.rrsets: RrsetsByName = {}
        self._types: dict[Labels, set[str]] = {}

    def origin_information(self) -> tuple[dns.name.Name, bool, dns.name.Name]:
        return dns.name.root, False, dns.name.root

    def check_put_rdataset(self, check: Callable[..., None]) -> None:
        """dnspython's own check needs its own nodes; `add` makes it instead."""

    def _set_origin(self, origin: dns.name.Name) -> None:
        """Names are absolute here."""

    def add(self, name: dns.name.Name, ttl: int, rdata: dns.rdata.Rdata) -> None:
        labels = labels_of(name)
        rtype = dns.rdatatype.to_text(rdata.rdtype)
        types = self._types.setdefault(labels, set())
        types.add(rtype)
        if "CNAME" in types and not types <= _BESIDE_CNAME:
            raise ValueError(f"{name} has a CNAME and other records")
        rrset = self.rrsets.setdefault((labels, rtype), Rrset(ttl))
        rrset.ttl = min(rrset.ttl, ttl)
        if rdata not in rrset.rdatas:
            rrset.rdatas.append(rdata)
            rrset.records += (record_of(rdata),)
        if rdata.rdtype == dns.rdatatype.CNAME:
            rrset.target = labels_of(cast("dns.rdtypes.nsbase.NSBase", rdata).target)


def labels_of(name: dns.name.Name) -> Labels:
    """The labels of an absolute name, lower case, without the root's."""
    return tuple(label.lower() for label in name.labels[:-1])


def read_master_file(text: str, origin: str, *, default_ttl: int) -> RrsetsByName:
    """The record sets in `text`, in its order. Names without a final dot end in `origin`."""
    tokenizer = _Tokenizer(text, filename="zone")
    sink = _Sink()
    try:
        reader = dns.zonefile.Reader(
            tokenizer,
            dns.rdataclass.IN,
            cast("dns.transaction.Transaction", sink),
            default_ttl=default_ttl,
            allow_directives=("$ORIGIN", "$TTL"),
        )
        reader.current_origin = dns.name.from_text(origin if origin.endswith(".") else origin + ".")
        reader.read()
    except (dns.exception.DNSException, ValueError, LookupError, TypeError, AttributeError) as error:
        raise InputError("zone", *_complaint(tokenizer, error)) from error
    return sink.rrsets


def _complaint(tokenizer: _Tokenizer, error: Exception) -> tuple[str, str]:
    """Where and what, in words."""
    reason = re.sub(r"^(zone:\d+: )?(caught exception <class '[^']*'>: )?", "", str(error)) or type(error).__name__
    if reason == "Text input is malformed.":
        reason = "this record cannot be read"
    return f"line {tokenizer.at}", f"no master file (RFC 1035 §5): {reason}"
