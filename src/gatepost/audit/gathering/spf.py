"""The whole tree of SPF policies below a domain, with what it costs to evaluate.

In: a domain, a resolver. Out: `SpfNode`, its look-ups and void look-ups counted for a sender whom nothing matches: the
most that anybody can need.
Standard: RFC 7208 §4.6.4 (10 look-ups, 2 void ones), §5 (which terms ask), §6.1 (redirect counts only without `all`).
Not here: whether one sender passes (`msgauth.spf`), what is too much (`checks.spf`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from gatepost.audit.facts import SpfNode, SpfTerm
from gatepost.msgauth.spf.record import Mechanism, MechanismKind, SpfRecord, parse_record, select_records
from gatepost.ports import Answer, DnsStatus, Question, Resolver

MAX_POLICIES = 60  # policies of one tree; ten are the most that anybody may evaluate
MAX_DEPTH = 12
ASKING = frozenset((MechanismKind.INCLUDE, MechanismKind.A, MechanismKind.MX, MechanismKind.PTR, MechanismKind.EXISTS))


@dataclass(slots=True)
class _Walk:
    """What is left of the limits, and how to ask."""

    resolver: Resolver
    wait: float
    left: int = MAX_POLICIES


async def gather_spf(domain: str, resolver: Resolver, wait: float, answer: Answer | None = None) -> SpfNode:
    """The policy of `domain` and of all it leads to. `answer` is the one for its TXT records, where it is known."""
    walk = _Walk(resolver, wait)
    found = answer or (await resolver.lookup_all([Question(domain, "TXT")], wait))[0]
    return await _node(domain, found, walk, ())


async def _node(domain: str, answer: Answer, walk: _Walk, above: tuple[str, ...]) -> SpfNode:
    raw = select_records(answer.texts) if answer.status is DnsStatus.OK else []
    texts = tuple(one.decode("utf-8", "replace") for one in raw)
    record = parse_record(raw[0]) if len(raw) == 1 else None
    problem = _problem(domain, answer, raw, record, above, walk)
    if record is None or problem:
        return SpfNode(domain=domain, status=answer.status, texts=texts, record=record, problem=problem)
    walk.left -= 1
    terms = await _follow(_asked(record, domain), walk, (*above, domain))
    return SpfNode(
        domain=domain,
        status=answer.status,
        texts=texts,
        record=record,
        terms=terms,
        lookups=len(terms) + sum(term.node.lookups for term in terms if term.node),
        voids=sum(bool(term.void) for term in terms) + sum(term.node.voids for term in terms if term.node),
    )


def _problem(
    domain: str, answer: Answer, raw: Sequence[bytes], record: SpfRecord | None, above: tuple[str, ...], walk: _Walk
) -> str:
    """Why the tree ends here, empty when it does not."""
    if answer.status is DnsStatus.TEMPFAIL:
        return f"DNS does not answer for {domain}: {answer.reason or 'no answer'}"
    if answer.status is DnsStatus.NXDOMAIN:
        return f"{domain} does not exist"
    if not raw:
        return f"{domain} publishes no SPF record"
    if len(raw) > 1:
        return f"{domain} publishes {len(raw)} SPF records, and only one is allowed"
    if record is not None and record.error:
        return f"the record of {domain} cannot be used: {record.error}"
    if domain in above:
        return f"{domain} includes itself: the policies run in a circle"
    if len(above) >= MAX_DEPTH or walk.left <= 0:
        return "the policies go on and on; the rest was not looked at"
    return ""


def _asked(record: SpfRecord, domain: str) -> list[SpfTerm]:
    """The terms that ask DNS, as far as they can be reached."""
    terms: list[SpfTerm] = []
    for one in record.mechanisms:
        if one.kind is MechanismKind.ALL:
            return terms  # nothing behind it is looked at (RFC 7208 §5.1)
        if one.kind in ASKING:
            terms.append(_term(one, domain))
    if record.redirect is not None:
        name = record.redirect.name or ""
        terms.append(SpfTerm(text=f"redirect={record.redirect.literal or '…'}", kind="redirect", name=name,
                             unknown=record.redirect.literal is None))  # fmt: skip
    return terms


def _term(one: Mechanism, domain: str) -> SpfTerm:
    if one.target is None:
        return SpfTerm(text=one.text, kind=one.kind.value, name=domain)
    unknown = one.target.literal is None
    return SpfTerm(text=one.text, kind=one.kind.value, name=one.target.name or "", unknown=unknown)


async def _follow(terms: Sequence[SpfTerm], walk: _Walk, above: tuple[str, ...]) -> tuple[SpfTerm, ...]:
    """The terms with what they found. One round for all of them, then the policies below, one after the other."""
    questions = {term: _questions(term) for term in terms}
    flat = list(dict.fromkeys(question for some in questions.values() for question in some))
    answers = dict(zip(flat, await walk.resolver.lookup_all(flat, walk.wait), strict=True)) if flat else {}
    found = []
    for term in terms:
        own = [answers[question] for question in questions[term]]
        if term.kind in ("include", "redirect") and own:
            node = await _node(term.name.lower(), own[0], walk, above)
            found.append(SpfTerm(text=term.text, kind=term.kind, name=term.name, node=node))
        else:
            found.append(_counted(term, own))
    return tuple(found)


def _questions(term: SpfTerm) -> tuple[Question, ...]:
    if term.unknown or not term.name or term.kind == "ptr":
        return ()
    if term.kind in ("include", "redirect"):
        return (Question(term.name, "TXT"),)
    if term.kind == "mx":
        return (Question(term.name, "MX"),)
    return (Question(term.name, "A"), Question(term.name, "AAAA"))[: 1 if term.kind == "exists" else 2]


def _counted(term: SpfTerm, answers: Sequence[Answer]) -> SpfTerm:
    """Void when there is nothing of either family; unknown while one of them is."""
    if not answers:
        return term
    count = sum(len(one.records) for one in answers)
    unsure = any(one.status is DnsStatus.TEMPFAIL for one in answers)
    void = None if unsure and not count else not count
    return SpfTerm(text=term.text, kind=term.kind, name=term.name, void=void, count=count, unknown=term.unknown)
