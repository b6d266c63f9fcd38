"""DKIM keys: are there any that can be found, and are they good?

In: `Facts.dkim`. Standard: RFC 6376 §3.6.1, RFC 8301 §3.2, RFC 8463. Not here: guessing selectors (`gathering.dkim`),
signing and roll-over (`server.signing`).
"""

from __future__ import annotations

from collections.abc import Iterator

from gatepost.audit.check import Area, Seen, check
from gatepost.audit.facts import Facts, Selector
from gatepost.finding import Severity
from gatepost.msgauth.dkim.publish import Shown, key_name
from gatepost.msgauth.dkim.record import REVOKED, KeyRecord
from gatepost.ports import DnsStatus

WEAK_BITS = 1024  # RFC 8301 §3.2: less than this fails everywhere
GOOD_BITS = 2048


def _keys(facts: Facts) -> Iterator[tuple[Selector, KeyRecord]]:
    for one in facts.dkim.selectors if facts.dkim is not None else ():
        if isinstance(one.record, KeyRecord):
            yield one, one.record


@check(
    code="dkim.none-found",
    area=Area.DKIM,
    severity=Severity.NOTICE,
    summary="No usable DKIM key was found under {asked} selectors",
    why="Selectors cannot be listed, so there may be a key under another name. Without any, mail that is forwarded "
    "fails DMARC, and large receivers refuse bulk mail.",
    remedy="Name your selector with --selector (it is the s= of the DKIM-Signature in a message of yours). If mail "
    "is not "
    "signed at all, switch signing on: `gatepost records rotate {domain}` makes keys and prints their records.",
    reference="RFC 6376 §3.6.2; practice 3",
)
def none_found(facts: Facts) -> Seen | None:
    dkim = facts.dkim
    if dkim is None or any(isinstance(one.record, KeyRecord) for one in dkim.selectors) or dkim.unanswered:
        return None
    evidence = {"asked": dkim.asked, "domain": facts.domain}
    if facts.zone is not None and facts.zone.is_null_mx:
        return Seen(evidence=evidence, severity=Severity.INFO)
    if dkim.domain_keys.status is DnsStatus.NXDOMAIN:
        summary = "There is no DKIM key: nothing stands below _domainkey.{domain}"
        return Seen(evidence=evidence, severity=Severity.WARNING, summary=summary)
    return Seen(evidence=evidence)


@check(
    code="dkim.key",
    area=Area.DKIM,
    severity=Severity.PASS,
    summary="DKIM key {selector}: {key_type}, {bits} bits",
    why="Says which keys receivers will find.",
    reference="RFC 6376 §3.6.1",
)
def key(facts: Facts) -> Iterator[Seen]:
    for one, record in _keys(facts):
        good = record.key_type != "rsa" or record.bits >= GOOD_BITS
        if good and not record.testing:
            yield Seen(evidence={"selector": one.name, "key_type": record.key_type, "bits": record.bits})


@check(
    code="dkim.weak-key",
    area=Area.DKIM,
    severity=Severity.WARNING,
    summary="The DKIM key {selector} has only {bits} bits",
    why="Keys of less than 1,024 bits fail everywhere, since anybody can compute the private half; 1,024 bits are "
    "within "
    "reach of rich attackers, and some receivers give them less weight.",
    remedy="Make a new key of 2,048 bits under a new selector, sign with it, and remove {name} a week later.",
    reference="RFC 8301 §3.2",
)
def weak_key(facts: Facts) -> Iterator[Seen]:
    for one, record in _keys(facts):
        if record.key_type == "rsa" and record.bits < GOOD_BITS:
            grave = Severity.DANGER if record.bits < WEAK_BITS else Severity.WARNING
            name = key_name(one.name, facts.domain)
            yield Seen(evidence={"selector": one.name, "bits": record.bits, "name": name}, severity=grave)


@check(
    code="dkim.testing",
    area=Area.DKIM,
    severity=Severity.WARNING,
    summary="The DKIM key {selector} says that the domain only tests (t=y)",
    why="Receivers must treat mail signed with it as if it were not signed.",
    remedy="Take `y` out of t= in the record at {name}.",
    reference="RFC 6376 §3.6.1",
)
def testing(facts: Facts) -> Iterator[Seen]:
    for one, record in _keys(facts):
        if record.testing:
            yield Seen(evidence={"selector": one.name, "name": key_name(one.name, facts.domain)})


@check(
    code="dkim.sha1-only",
    area=Area.DKIM,
    severity=Severity.DANGER,
    summary="The DKIM key {selector} allows only {hashes}",
    why="Signatures with SHA-1 fail everywhere, and the record allows no others.",
    remedy="Remove h= from the record at {name}.",
    reference="RFC 8301 §3.1",
)
def sha1_only(facts: Facts) -> Iterator[Seen]:
    for one, record in _keys(facts):
        if record.hashes and "sha256" not in record.hashes:
            name = key_name(one.name, facts.domain)
            yield Seen(evidence={"selector": one.name, "hashes": sorted(record.hashes), "name": name})


@check(
    code="dkim.revoked",
    area=Area.DKIM,
    severity=Severity.INFO,
    summary="The DKIM key {selector} has been revoked (p= is empty)",
    why="Nothing signed with it passes. That is right for an old key.",
    remedy="Remove the record at {name} when no mail of its time is under way any more.",
    reference="RFC 6376 §3.6.1",
)
def revoked(facts: Facts) -> Iterator[Seen]:
    for one in facts.dkim.selectors if facts.dkim is not None else ():
        if one.record == REVOKED:
            grave = Severity.DANGER if one.sight is not None else Severity.INFO
            yield Seen(evidence={"selector": one.name, "name": key_name(one.name, facts.domain)}, severity=grave)


@check(
    code="dkim.unreadable",
    area=Area.DKIM,
    severity=Severity.WARNING,
    summary="The DKIM record of {selector} gives no key: {problem}",
    why="Everything signed with this selector fails.",
    remedy="Publish the record again as your mail software prints it, in one TXT record: {name}",
    reference="RFC 6376 §3.6.1",
)
def unreadable(facts: Facts) -> Iterator[Seen]:
    for one in facts.dkim.selectors if facts.dkim is not None else ():
        if one.answer.status is DnsStatus.OK and isinstance(one.record, str) and one.record != REVOKED:
            if not _looks_like_key(one):
                continue
            name = key_name(one.name, facts.domain)
            yield Seen(evidence={"selector": one.name, "problem": one.record, "name": name})


def _looks_like_key(one: Selector) -> bool:
    """A wildcard or a redirect of the whole zone answers with something else, and that is no broken key."""
    text = one.answer.texts[0].replace(b" ", b"")
    return one.sight is not None or b"v=DKIM1" in text or b"p=" in text


@check(
    code="dkim.several",
    area=Area.DKIM,
    severity=Severity.WARNING,
    summary="{count} records stand at the DKIM selector {selector}",
    why="Which one a receiver takes is chance; mail fails at some of them.",
    remedy="Leave only the right record at {name}.",
    reference="RFC 6376 §3.6.2.2",
)
def several(facts: Facts) -> Iterator[Seen]:
    for one in facts.dkim.selectors if facts.dkim is not None else ():
        if len(one.answer.records) > 1:
            name = key_name(one.name, facts.domain)
            yield Seen(evidence={"selector": one.name, "count": len(one.answer.records), "name": name})


@check(
    code="dkim.wildcard",
    area=Area.DKIM,
    severity=Severity.NOTICE,
    summary="A wildcard answers for every DKIM selector",
    why="Any selector leads to the same text. If that is a key, a lost private key cannot be revoked by name; if it is "
    "something else, every check of a missing key reads rubbish.",
    remedy="Replace the wildcard TXT record (`*.{domain}` or `*._domainkey.{domain}`) by the names that are needed.",
    reference="RFC 4592, RFC 6376 §6.1.2",
)
def wildcard(facts: Facts) -> Seen | None:
    dkim = facts.dkim
    return (
        Seen(evidence={"domain": facts.domain}) if dkim is not None and dkim.wildcard.status is DnsStatus.OK else None
    )


@check(
    code="dkim.held",
    area=Area.DKIM,
    severity=Severity.DANGER,
    summary="DNS does not show the key that this gate signs with, {selector}: {reason}",
    why="Every message signed with it fails.",
    remedy="Publish at {name}: {record}",
    reference="RFC 6376 §3.6.1",
)
def held(facts: Facts) -> Iterator[Seen]:
    for one in facts.dkim.selectors if facts.dkim is not None else ():
        if one.sight is None:
            continue
        name = key_name(one.name, facts.domain)
        evidence = {"selector": one.name, "name": name, "reason": one.sight.reason, "record": one.held}
        if one.sight.shown is Shown.RIGHT:
            summary = "DNS shows the key {selector} that this gate signs with"
            yield Seen(evidence=evidence, severity=Severity.PASS, summary=summary)
        elif one.sight.shown is Shown.UNKNOWN:
            yield Seen(
                evidence=evidence, severity=Severity.WARNING, summary="The key {selector} cannot be compared: {reason}"
            )
        else:
            yield Seen(evidence=evidence)


CHECKS = (none_found, key, weak_key, testing, sha1_only, revoked, unreadable, several, wildcard, held)
