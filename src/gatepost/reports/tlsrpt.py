"""Reads TLS reports: how often other servers reached ours over TLS, and why they did not.

In: the octets of the JSON file, unpacked. Out: `TlsReport`; `BadReport` for what is none. `defects`: "bad-octets",
"no-reporter", "no-report-id", "no-end", "milliseconds", "bad-address", "bad-domain", "bad-count" (such an entry is
left out), "bad-policy" (the same), "too-many-details" (the rest is left out).
Standard: RFC 8460 §4. Not here: writing them (`server.delivery`), archives (`server.reports`).
"""

from __future__ import annotations

import json
from hashlib import sha256
from typing import Any

from gatepost.ports.reported import TlsFailure, TlsPolicyReport, TlsReport
from gatepost.reports.reading import MAX_COUNT, BadReport, Defects, address, clean, domain, moment, number

MAX_OCTETS = 16 << 20  # of the JSON; reports have kilobytes
MAX_POLICIES = 1000
MAX_DETAILS = 10_000  # of all policies together
MAX_STRINGS = 50

Values = dict[str, Any]


def parse_tls_report(octets: bytes) -> TlsReport:
    """Reads one report. Raises BadReport, and nothing else, whatever the octets."""
    if len(octets) > MAX_OCTETS:
        raise BadReport("too-large", f"it has more than {MAX_OCTETS >> 20} MB unpacked")
    if not octets.strip():
        raise BadReport("empty", "it is empty")
    defects = Defects()
    values = _json(octets, defects)
    if not isinstance(values, dict) or not isinstance(values.get("policies"), list):
        raise BadReport("no-report", "it is JSON, but no TLS report: there are no policies in it")
    org_name, contact = _text(values, "organization-name"), _text(values, "contact-info")
    if not org_name:
        defects.note("no-reporter")
    if not org_name and "@" not in contact:
        raise BadReport("no-reporter", "it names neither an organization nor a contact, so nobody can be held to it")
    begin, end = _period(_values(values, "date-range"), defects)
    report_id = _text(values, "report-id")
    if not report_id:
        defects.note("no-report-id")
        report_id = "sha256:" + sha256(octets).hexdigest()[:32]
    policies = _policies(values["policies"], defects)
    if not policies:
        raise BadReport("no-domain", "it does not say which domain it is about")
    return TlsReport(
        org_name=org_name,
        contact=contact,
        report_id=report_id,
        begin=begin,
        end=end,
        policies=policies,
        defects=defects.codes(),
    )


def _json(octets: bytes, defects: Defects) -> object:
    try:
        text = octets.decode("utf-8-sig")
    except UnicodeDecodeError:
        defects.note("bad-octets")
        text = octets.decode("utf-8", "replace")
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:  # a number of thousands of digits is a ValueError too
        raise BadReport("no-json", f"it is no JSON: {clean(str(error), 100)}") from None


def _period(span: Values, defects: Defects) -> tuple[int, int]:
    begin = moment(_text(span, "start-datetime"), defects)
    end = moment(_text(span, "end-datetime"), defects)
    if begin is None:
        raise BadReport("no-period", "it does not say which days it is about (date-range)")
    if end is None:
        defects.note("no-end")
    return begin, max(begin, end or begin)


def _policies(listed: list[object], defects: Defects) -> tuple[TlsPolicyReport, ...]:
    found: list[TlsPolicyReport] = []
    room = MAX_DETAILS
    for one in listed[:MAX_POLICIES]:
        policy = _values(one, "policy") if isinstance(one, dict) else {}
        name = domain(_text(policy, "policy-domain"), defects)
        if not isinstance(one, dict) or not name:
            defects.note("bad-policy")
            continue
        summary = _values(one, "summary")
        details = _details(one.get("failure-details"), room, defects)
        room -= len(details)
        successes, failures = _count(summary, "total-successful-session-count"), _failures(summary, details, defects)
        if successes is None:
            defects.note("bad-count")
        found.append(
            TlsPolicyReport(
                policy_type=_text(policy, "policy-type").lower(),
                domain=name,
                successes=successes or 0,
                failures=failures,
                policy_string=_strings(policy.get("policy-string")),
                mx_hosts=_strings(policy.get("mx-host")),
                details=details,
            )
        )
    return tuple(found)


def _failures(summary: Values, details: tuple[TlsFailure, ...], defects: Defects) -> int:
    """What the summary counts; where it cannot be read, the sum of what is told one by one."""
    count = _count(summary, "total-failure-session-count")
    if count is not None:
        return count
    defects.note("bad-count")
    return min(sum(one.count for one in details), MAX_COUNT)


def _details(listed: object, room: int, defects: Defects) -> tuple[TlsFailure, ...]:
    found: list[TlsFailure] = []
    for one in listed if isinstance(listed, list) else []:
        if len(found) >= room:
            defects.note("too-many-details")
            break
        count = _count(one, "failed-session-count") if isinstance(one, dict) else None
        if not isinstance(one, dict) or count is None:
            defects.note("bad-count")
            continue
        found.append(
            TlsFailure(
                result_type=_text(one, "result-type").lower(),
                count=count,
                sending_ip=_address(one, "sending-mta-ip", defects),
                receiving_ip=_address(one, "receiving-ip", defects),
                receiving_mx=domain(_text(one, "receiving-mx-hostname"), defects),
                receiving_helo=_text(one, "receiving-mx-helo"),
                reason_code=_text(one, "failure-reason-code"),
                information=_text(one, "additional-information"),
            )
        )
    return tuple(found)


def _values(values: Values, key: str) -> Values:
    found = values.get(key)
    return found if isinstance(found, dict) else {}


def _text(values: Values, key: str) -> str:
    """A text; a number in its place is written out."""
    found = values.get(key)
    if isinstance(found, bool) or not isinstance(found, str | int | float):
        return ""
    return clean(found if isinstance(found, str) else format(found, "g"))


def _address(values: Values, key: str, defects: Defects) -> str:
    text = _text(values, key)
    return address(text, defects) if text else ""


def _count(values: Values, key: str) -> int | None:
    """A count; some reporters write it as a text."""
    found = values.get(key)
    if isinstance(found, str):
        return number(found)
    return found if isinstance(found, int) and not isinstance(found, bool) and 0 <= found <= MAX_COUNT else None


def _strings(found: object) -> tuple[str, ...]:
    """One text, or a list of them; RFC 8460 has an array, its own example a text for mx-host."""
    listed = found if isinstance(found, list) else [found]
    return tuple(clean(one) for one in listed[:MAX_STRINGS] if isinstance(one, str))
