"""Reads DMARC aggregate reports: RFC 9990's, RFC 7489's, and the drafts that some reporters still send.

In: the octets of the XML file, unpacked. Out: `AggregateReport`; `BadReport` for what is none, and for what would be
misread. Any namespace is taken, elements in any order. What real reporters break is read all the same, and noted in
`defects`: "bad-octets", "broken-markup", "cut" (the file ends early), "more-behind" (another report stands behind it
and is not read), "no-reporter", "no-report-id", "no-begin", "no-end", "no-domain", "milliseconds", "period" (it ends
before it begins, or is longer than a month), "bad-domain", "bad-address", "no-address", "bad-count" (such a row is left
out), "upper-case-word", "odd-result", "odd-disposition", "no-rows".
Standard: RFC 9990 (schema in its appendix), before it RFC 7489 Appendix C. Not here: archives (`server.reports`).
"""

from __future__ import annotations

from hashlib import sha256

from gatepost.ports.reported import AggregateReport, AuthResult, PolicyPublished, Reason, ReportRow
from gatepost.reports.markup import Element, MarkupReader, decode_markup
from gatepost.reports.reading import BadReport, Defects, address, clean, domain, moment, number, word

MAX_OCTETS = 32 << 20  # of the XML; the largest reports of the largest reporters have 10 MB
MAX_ROWS = 200_000
MAX_RESULTS = 100  # of DKIM or SPF in one row; RFC 9990 asks for 100 signatures at most
MAX_ERRORS = 20
LONGEST = 32 * 86400  # seconds; RFC 9990 asks for a day, some reporters send a month

_DISPOSITIONS = frozenset(("none", "pass", "quarantine", "reject"))
_ALIGNED = frozenset(("pass", "fail"))
_PARTS = ("version", "report_metadata", "policy_published", "record")


def parse_aggregate(octets: bytes) -> AggregateReport:
    """Reads one report. Raises BadReport, and nothing else, whatever the octets."""
    if len(octets) > MAX_OCTETS:
        raise BadReport("too-large", f"it has more than {MAX_OCTETS >> 20} MB unpacked")
    if not octets.strip():
        raise BadReport("empty", "it is empty")
    defects = Defects()
    reader = MarkupReader(decode_markup(octets, defects), defects)
    version, metadata, policy = "", Element("report_metadata"), Element("policy_published")
    rows: list[ReportRow] = []
    for element in reader.elements("feedback"):
        if element.name == "record":
            if len(rows) >= MAX_ROWS:
                raise BadReport("too-many-rows", f"it has more than {MAX_ROWS} records")
            row = _row(element, defects)
            if row is not None:
                rows.append(row)
        elif element.name == "report_metadata":
            metadata = element
        elif element.name == "policy_published":
            policy = element
        elif element.name == "version":
            version = clean(element.text, 20)
    return _report(version, metadata, policy, tuple(rows), defects, octets)


def _report(
    version: str,
    metadata: Element,
    policy: Element,
    rows: tuple[ReportRow, ...],
    defects: Defects,
    octets: bytes,
) -> AggregateReport:
    """The report as a whole; says what is missing."""
    org_name, email = clean(metadata.value("org_name")), clean(metadata.value("email"))
    if not org_name:
        defects.note("no-reporter")
    if not org_name and "@" not in email:
        raise BadReport("no-reporter", "it names neither an org_name nor an email, so nobody can be held to it")
    report_id = clean(metadata.value("report_id"))
    if not report_id:
        defects.note("no-report-id")
        report_id = "sha256:" + sha256(octets).hexdigest()[:32]
    begin, end = _period(metadata, defects)
    published = _policy(policy, rows, defects)
    if not rows:
        defects.note("no-rows")
    errors = tuple(clean(error.text) for error in metadata.all("error")[:MAX_ERRORS])
    return AggregateReport(
        org_name=org_name,
        email=email,
        extra_contact_info=clean(metadata.value("extra_contact_info")),
        report_id=report_id,
        begin=begin,
        end=end,
        generator=clean(metadata.value("generator")),
        errors=tuple(error for error in errors if error),
        policy=published,
        rows=rows,
        version=version,
        defects=defects.codes(),
    )


def _period(metadata: Element, defects: Defects) -> tuple[int, int]:
    span = metadata.find("date_range") or Element("date_range")
    begin, end = moment(span.value("begin"), defects), moment(span.value("end"), defects)
    if begin is None and end is None:
        raise BadReport("no-period", "it does not say which days it is about (date_range)")
    if begin is None or end is None:
        defects.note("no-begin" if begin is None else "no-end")
    first = begin if begin is not None else (end or 0)
    last = end if end is not None else first
    if not 0 <= last - first <= LONGEST:
        defects.note("period")
    return first, max(first, last)


def _policy(policy: Element, rows: tuple[ReportRow, ...], defects: Defects) -> PolicyPublished:
    name = domain(policy.value("domain"), defects)
    if not name:
        defects.note("no-domain")
        name = next((row.header_from for row in rows if row.header_from), "")
    if not name:
        raise BadReport("no-domain", "it does not say which domain it is about (policy_published)")
    return PolicyPublished(
        domain=name,
        p=word(policy.value("p"), defects),
        sp=word(policy.value("sp"), defects),
        np=word(policy.value("np"), defects),
        adkim=word(policy.value("adkim"), defects),
        aspf=word(policy.value("aspf"), defects),
        pct=clean(policy.value("pct"), 10),
        fo=clean(policy.value("fo"), 10),
        testing=word(policy.value("testing"), defects),
        discovery_method=word(policy.value("discovery_method"), defects),
    )


def _row(record: Element, defects: Defects) -> ReportRow | None:
    """One record; None for one whose count cannot be read, since a guess would be a lie."""
    row = record.find("row") or Element("row")
    evaluated = row.find("policy_evaluated") or Element("policy_evaluated")
    identifiers = record.find("identifiers") or record.find("identities") or Element("identifiers")
    results = record.find("auth_results") or Element("auth_results")
    count = number(row.value("count"))
    if count is None:
        defects.note("bad-count")
        return None
    return ReportRow(
        source_ip=address(row.value("source_ip"), defects),
        count=count,
        disposition=_disposition(evaluated, defects),
        dkim=_aligned(evaluated.value("dkim"), defects),
        spf=_aligned(evaluated.value("spf"), defects),
        header_from=domain(identifiers.value("header_from"), defects),
        envelope_from=domain(identifiers.value("envelope_from"), defects),
        envelope_to=domain(identifiers.value("envelope_to"), defects),
        reasons=_reasons(evaluated, defects),
        dkim_results=_results(results.all("dkim"), defects),
        spf_results=_results(results.all("spf"), defects),
    )


def _disposition(evaluated: Element, defects: Defects) -> str:
    disposition = word(evaluated.value("disposition"), defects)
    if disposition not in _DISPOSITIONS:
        defects.note("odd-disposition")
        return ""
    return disposition


def _aligned(text: str, defects: Defects) -> str:
    """Whether it passed aligned. Some reporters write DKIM's and SPF's own words here: all but "pass" did not pass."""
    result = word(text, defects)
    if result in _ALIGNED:
        return result
    if result:
        defects.note("odd-result")
    return "fail" if result else ""


def _reasons(evaluated: Element, defects: Defects) -> tuple[Reason, ...]:
    found = [
        Reason(type=word(reason.value("type"), defects), comment=clean(reason.value("comment")))
        for reason in evaluated.all("reason")[:MAX_ERRORS]
    ]
    return tuple(reason for reason in found if reason.type or reason.comment)


def _results(elements: list[Element], defects: Defects) -> tuple[AuthResult, ...]:
    found = []
    for element in elements[:MAX_RESULTS]:
        result = word(element.value("result"), defects)
        name = domain(element.value("domain"), defects)
        if result or name:
            selector, scope = clean(element.value("selector"), 100), word(element.value("scope"), defects)
            found.append(AuthResult(domain=name, result=result, selector=selector, scope=scope))
    return tuple(found)
