"""The DNS records of a domain: what to publish, in master-file form, each with its reason.

In: names, the states of keys. Out: `DnsRecord`s. Only what the gate can keep is among them: MTA-STS and TLS-RPT are
not, since nobody here would serve the policy or read the reports.
Standard: RFC 1035 §3.3 and §5.1 (text), RFC 7208 §3 (SPF), RFC 6376 §3.6 (DKIM), RFC 9989 §4 (DMARC).
Not here: whether they are in DNS (`upkeep`; the audit), how a provider's form wants them.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from gatepost.msgauth.dkim.publish import key_name
from gatepost.store.keys import KeyState, Stage


@dataclass(frozen=True, slots=True)
class DnsRecord:
    """One record in master-file form, and why it is published."""

    text: str
    why: str


_WHY = {
    Stage.NEXT: "DKIM: the next key ({}); it signs once this record has been in DNS for a while (RFC 6376)",
    Stage.LIVE: "DKIM: the {} key of our signatures (RFC 6376)",
    Stage.OLD: "DKIM: the {} key before; keep the record, mail that it signed is still under way (RFC 6376)",
    Stage.REMOVABLE: "",
}


def domain_records(domain: str, hostname: str, postmaster: str, keys: Iterable[KeyState]) -> tuple[DnsRecord, ...]:
    """Everything a domain publishes. `postmaster` is where reports about failures go."""
    return (
        DnsRecord(f"{domain}. IN MX 10 {hostname}.", "mail for the domain comes here"),
        DnsRecord(
            f"; {hostname}. IN A <this server's address>   and the reverse: <address> IN PTR {hostname}.",
            "the server's name and address must point at each other, or large receivers refuse its mail",
        ),
        DnsRecord(
            f'{domain}. IN TXT "v=spf1 mx -all"', "SPF: only the domain's mail exchangers send for it (RFC 7208)"
        ),
        DnsRecord(f'{hostname}. IN TXT "v=spf1 a -all"', "SPF for the server's own name, which EHLO and bounces use"),
        *key_records(keys),
        DnsRecord(
            f'_dmarc.{domain}. IN TXT "v=DMARC1; p=quarantine; rua=mailto:{postmaster}"',
            "DMARC: what fails both is suspect; tell us who fails (RFC 9989). Later: p=reject",
        ),
    )


def key_records(keys: Iterable[KeyState]) -> tuple[DnsRecord, ...]:
    """One record for each key that needs one: next, live and old."""
    return tuple(
        DnsRecord(_line(key), _WHY[key.stage].format(key.algorithm))
        for key in sorted(keys, key=lambda key: _ORDER.index(key.stage))
        if _WHY[key.stage]
    )


_ORDER: Sequence[Stage] = (Stage.LIVE, Stage.NEXT, Stage.OLD, Stage.REMOVABLE)


def _line(key: KeyState) -> str:
    return f"{key_name(key.selector, key.domain)}. IN TXT {quote_text(key.record)}"


def quote_text(text: str) -> str:
    """Character-strings of at most 255 octets (RFC 1035 §3.3)."""
    return " ".join(f'"{text[start : start + 250]}"' for start in range(0, len(text), 250))
