"""Records as those want them who take them: a master file, a form to fill in, Route 53, Cloudflare, programs.

In: `WantedRecord`s. Out: text. Standard: RFC 1035 §5.1 (master files); the providers' own formats.
Not here: which records (`audit.records`).
"""

from __future__ import annotations

import json
import textwrap
from collections.abc import Callable, Sequence
from typing import Any

from gatepost.audit.records import Kind, Need, WantedRecord, quote_text

TTL = 3600  # seconds; what most zones have, and long enough for TLSA


def record_json(record: WantedRecord) -> dict[str, Any]:
    """One record; the schema is docs/schema/records.json."""
    return {
        "record": record.text,
        "why": record.why,
        "kind": record.kind.value,
        "need": record.need.value,
        "name": record.name,
        "type": record.rtype,
        "value": record.value,
    }


def _json(records: Sequence[WantedRecord], _domain: str) -> str:
    return "".join(json.dumps(record_json(record)) + "\n" for record in records)


def _bind(records: Sequence[WantedRecord], _domain: str) -> str:
    return "".join(f"; {_note(record)}{record.why}\n{record.text}\n\n" for record in records)


def _note(record: WantedRecord) -> str:
    return "" if record.need is Need.MUST else "recommended: " if record.need is Need.SHOULD else "only if it fits: "


def _plain(records: Sequence[WantedRecord], domain: str) -> str:
    """For a provider's form: names without the domain, texts without quotes, in one piece."""
    out = []
    for record in records:
        if record.kind is Kind.ADDRESS:
            out.append(
                f"The address of {record.name}: give it an A (and AAAA) record, and have its owner set the\n"
                f"  reverse name to {record.name}: {record.why}\n"
            )
            continue
        label = "@" if record.name == domain else record.name.removesuffix(f".{domain}")
        value, more = record.value, ""
        if record.rtype == "MX":
            priority, _, value = record.value.partition(" ")
            more = f"  Priority: {priority}\n"
        why = textwrap.fill(
            f"{_note(record)}{record.why}", 100, initial_indent="  Why:   ", subsequent_indent="         "
        )
        out.append(f"{record.rtype} record\n  Name:  {label}\n{more}  Value: {value.rstrip('.')}\n{why}\n")
    return "\n".join(out)


def _route53(records: Sequence[WantedRecord], domain: str) -> str:
    """A change batch for `aws route53 change-resource-record-sets --change-batch file://…`. UPSERT takes the place of a
    whole set: the comment says what to look at."""
    sets: dict[tuple[str, str], list[str]] = {}
    for record in _publishable(records):
        sets.setdefault((record.name, record.rtype), []).append(record.rdata)
    changes = [
        {
            "Action": "UPSERT",
            "ResourceRecordSet": {
                "Name": f"{name}.",
                "Type": rtype,
                "TTL": TTL,
                "ResourceRecords": [{"Value": value} for value in values],
            },
        }
        for (name, rtype), values in sets.items()
    ]
    comment = f"Gatepost for {domain}. UPSERT replaces whole sets: add other TXT, MX and CAA values of yours first."
    return json.dumps({"Comment": comment, "Changes": changes}, indent=2) + "\n"


def _cloudflare(records: Sequence[WantedRecord], domain: str) -> str:
    """One JSON object a line, as Cloudflare's API takes it (POST zones/ID/dns_records)."""
    return "".join(json.dumps(_for_cloudflare(record, domain)) + "\n" for record in _publishable(records))


def _for_cloudflare(record: WantedRecord, domain: str) -> dict[str, Any]:
    found: dict[str, Any] = {"type": record.rtype, "name": record.name, "ttl": TTL}
    words = record.value.split()
    if record.rtype == "TXT":
        found["content"] = quote_text(record.value)
    elif record.rtype == "MX":
        found |= {"priority": int(words[0]), "content": words[1].rstrip(".")}
    elif record.rtype == "SRV":
        numbers = {key: int(word) for key, word in zip(("priority", "weight", "port"), words, strict=False)}
        found["data"] = {**numbers, "target": words[3].rstrip(".") or "."}
    elif record.rtype == "TLSA":
        numbers = {key: int(word) for key, word in zip(("usage", "selector", "matching_type"), words, strict=False)}
        found["data"] = {**numbers, "certificate": words[3]}
    elif record.rtype == "CAA":
        found["data"] = {"flags": int(words[0]), "tag": words[1], "value": words[2].strip('"')}
    else:
        found |= {"content": record.value.rstrip("."), "proxied": False}
    found["comment"] = f"Gatepost for {domain}: {record.kind}"
    return found


def _publishable(records: Sequence[WantedRecord]) -> list[WantedRecord]:
    return [record for record in records if record.kind is not Kind.ADDRESS]


FORMATS: dict[str, Callable[[Sequence[WantedRecord], str], str]] = {
    "bind": _bind,
    "plain": _plain,
    "route53": _route53,
    "cloudflare": _cloudflare,
    "json": _json,
}
