"""Changes as a message of dynamic update, and what the answer to one means.

In: a zone, changes. Out: a message to sign and send; an `Outcome` with its reason. InputError for what is no record.
Standard: RFC 2136 §2.4 (prerequisites), §2.5 (updates), §2.2 (answers). Not here: sending (`publisher`).
"""

from __future__ import annotations

from collections.abc import Sequence

import dns.exception
import dns.name
import dns.rcode
import dns.rdata
import dns.rdataclass
import dns.rdatatype
import dns.tsig
import dns.update

from gatepost.errors import InputError
from gatepost.ports.publisher import Action, Change, Outcome

MAX_CHANGES = 1000  # of one zone; the message has 64 KB
MAX_RECORDS = 200  # of one set


def absolute(text: str) -> dns.name.Name:
    """A name as dnspython has it. Raises InputError."""
    try:
        return dns.name.from_text(text)
    except (dns.exception.DNSException, ValueError) as error:
        raise InputError("name", text, f"is no name of DNS: {error}") from None


def type_of(text: str) -> dns.rdatatype.RdataType:
    """A type of records. Raises InputError."""
    try:
        found = dns.rdatatype.from_text(text)
    except (dns.exception.DNSException, ValueError):
        found = dns.rdatatype.NONE
    if found == dns.rdatatype.NONE or dns.rdatatype.is_metatype(found):
        raise InputError("type", text, "is no type of records that can be published")
    return found


def records_of(change: Change, texts: Sequence[str]) -> list[dns.rdata.Rdata]:
    """`texts` as records of the change's type. Raises InputError."""
    if len(texts) > MAX_RECORDS:
        raise InputError(f"{change.name} {change.rtype}", f"{len(texts)} records", f"at most {MAX_RECORDS} make a set")
    found = []
    for text in texts:
        try:
            found.append(
                dns.rdata.from_text(dns.rdataclass.IN, type_of(change.rtype), text, dns.name.root, relativize=False)
            )
        except (dns.exception.DNSException, ValueError) as error:
            raise InputError(f"{change.name} {change.rtype}", text, f"is no such record: {error}") from None
    return found


def write_update(zone: dns.name.Name, changes: Sequence[Change], key: dns.tsig.Key) -> dns.update.UpdateMessage:
    """One message for all changes of `zone`: the server makes all of them or none (RFC 2136 §3)."""
    if len(changes) > MAX_CHANGES:
        raise InputError("changes", len(changes), f"at most {MAX_CHANGES} go into one message")
    message = dns.update.UpdateMessage(zone, keyring=key)
    for change in changes:
        if change.expected is not None:
            _expect(message, change)
    for change in changes:
        _write(message, change)
    return message


def _expect(message: dns.update.UpdateMessage, change: Change) -> None:
    name = absolute(change.name)
    if change.expected:  # RFC 2136 §2.4.2: these records, and no others
        message.present(name, *records_of(change, change.expected))
    else:  # RFC 2136 §2.4.3
        message.absent(name, type_of(change.rtype))


def _write(message: dns.update.UpdateMessage, change: Change) -> None:
    name, kind, records = absolute(change.name), type_of(change.rtype), records_of(change, change.records)
    if change.action is Action.DELETE:
        if records:
            message.delete(name, *records)
        else:
            message.delete(name, kind)
        return
    if not records:
        raise InputError(f"{change.name} {change.rtype}", change.action.value, "names no record; to delete, say delete")
    if change.action is Action.REPLACE:
        message.delete(name, kind)
    message.add(name, change.ttl, *records)


_CONFLICTS = frozenset({dns.rcode.NXDOMAIN, dns.rcode.YXDOMAIN, dns.rcode.YXRRSET, dns.rcode.NXRRSET})
_REASONS = {
    dns.rcode.REFUSED: "the server refuses: the key may not change this name or type; see the key's rights there",
    dns.rcode.NOTAUTH: "the server is not responsible for the zone, or its zone takes no updates; name its primary",
    dns.rcode.NOTZONE: "a name is not in the zone; see publish.zones",
    dns.rcode.SERVFAIL: "the server failed; its log says why",
    dns.rcode.NOTIMP: "the server knows no dynamic updates",
    dns.rcode.FORMERR: "the server cannot read the change; its log says why",
}


def outcome_of(code: dns.rcode.Rcode) -> tuple[Outcome, str]:
    """What an answer that the key has signed says."""
    if code == dns.rcode.NOERROR:
        return Outcome.DONE, ""
    if code in _CONFLICTS:
        return Outcome.CONFLICT, "something else stands there than before; look again and repeat"
    return Outcome.REFUSED, _REASONS.get(code, f"the server answers {dns.rcode.to_text(code)}")


def key_trouble(error: Exception) -> str:
    """In plain words what TSIG says is wrong; empty when it is something else. RFC 8945 §5.2.1 to §5.2.3."""
    match error:
        case dns.tsig.PeerBadKey():
            # Knot says so too where it knows the key and its rights do not reach.
            return (
                "the server does not know the key, or it may not do this (BADKEY): compare publish.key_name and "
                "publish.algorithm with it, and see the key's rights there"
            )
        case dns.tsig.PeerBadSignature():
            return "the server has another secret for the key (BADSIG): compare publish.key_file with it"
        case dns.tsig.PeerBadTime():
            return "the clocks of server and gate are too far apart (BADTIME): set them right"
        case dns.tsig.PeerError():
            return "the server takes another algorithm or a longer signature; compare publish.algorithm with it"
    return ""
