"""Whether a domain may ask for more: from none to quarantine to reject, for whom it would break, what to fix first.

In: the sources of the last weeks, the days reported, the reporters, the policy that stands in DNS. Out: `Advice`.
The numbers behind it are constants here, each with its reason; docs/dmarc.md explains them to administrators.
A forger's mail does not count against a step: it is what the policy is for. Reports are claims that anybody can send,
so a step rests on several reporters. Standard: RFC 9989 §4.7 (p, sp, np, t), §7.4 (indirect flows).
Not here: who is who (`sources`), the record itself (`msgauth.dmarc`).
"""

from __future__ import annotations

from collections.abc import Collection, Sequence

from gatepost.ports.reported import ReportedDay, Reporter
from gatepost.reports.advice import Advice, Standing, Step
from gatepost.reports.sources import Kind, Source

MIN_DAYS = 14  # days that were reported: month-end invoices show later, weekly newsletters show twice
MIN_MESSAGES = 100  # proven ones; of fewer, one per cent is less than one message
MIN_REPORTERS = 2  # one large provider alone is one opinion, and one forged report would decide
MAX_BROKEN_QUARANTINE = 0.01  # of the proven mail: held-back mail can be fetched
MAX_BROKEN_REJECT = 0.002  # refused mail is lost to readers who do not notice the bounce
MAX_INDIRECT_REJECT = 0.01  # of the proven mail, changed on its way; RFC 9989 §7.4 warns of p=reject for people's mail
REGULAR_DAYS = 3  # a sender on so many days is no accident
REGULAR_SHARE = 0.005  # … with so much of the proven mail
REGULAR_COUNT = 10  # … or at least so many messages


def advise(
    domain: str,
    standing: Standing,
    sources: Sequence[Source],
    days: Sequence[ReportedDay],
    reporters: Sequence[Reporter],
    *,
    missing_names: Collection[str] | None = (),
) -> Advice:
    """What the owner of `domain` may do next. `missing_names` are subdomains with proven mail that do not exist in
    DNS; None where DNS did not tell."""
    passed = sum(source.passed for source in sources)
    own = [source for source in sources if source.kind is not Kind.FORWARDER and source.known and source.failed]
    indirect = [source for source in sources if source.kind is Kind.FORWARDER and source.failed]
    proven = passed + sum(source.failed for source in own)
    questions = [source for source in sources if _is_question(source, max(proven, 1))]
    broken_share = sum(source.failed for source in own) / max(proven, 1)
    indirect_share = sum(source.failed for source in indirect) / max(proven, 1)
    target_policy = _next_policy(standing)
    because: list[str] = []
    step = _step(
        standing, target_policy, proven, len(days), reporters, broken_share, indirect_share, questions, because
    )
    sub, tags = _subdomains(domain, standing, sources, missing_names, step, target_policy)
    return Advice(
        step=step,
        current=standing.p if standing.published else "",
        target=_target(standing, step, target_policy, tags),
        because=tuple(because),
        fixes=tuple(_fixes(domain, standing, own, questions, indirect)),
        broken=tuple(own),
        questions=tuple(questions),
        indirect=tuple(indirect),
        sub=tuple(sub),
        messages=sum(source.passed + source.failed for source in sources),
        proven=proven,
        broken_share=broken_share,
        indirect_share=indirect_share,
        forged=sum(s.failed for s in sources if s.kind is Kind.UNKNOWN and not s.known),
        days=len(days),
        reporters=len(reporters),
        after=_after(step, target_policy, standing),
    )


def _is_question(source: Source, proven: int) -> bool:
    """A sender proven to be somebody else, who writes regularly and was not named: yours, or not?"""
    if source.kind is not Kind.SERVICE or source.known or not source.failed:
        return False
    return source.days >= REGULAR_DAYS and (source.failed >= REGULAR_COUNT or source.failed >= REGULAR_SHARE * proven)


def _next_policy(standing: Standing) -> str:
    """The policy to move to. Out of test mode comes first: the words then mean what they say."""
    if not standing.published:
        return "none"
    if standing.t:
        return standing.p
    return {"none": "quarantine", "quarantine": "reject"}.get(standing.p, "reject")


def _step(
    standing: Standing,
    target: str,
    proven: int,
    days: int,
    reporters: Sequence[Reporter],
    broken: float,
    indirect: float,
    questions: Sequence[Source],
    because: list[str],
) -> Step:
    if not standing.published:
        because.append("There is no DMARC record: publish one with p=none and a rua address, then reports come.")
        return Step.MOVE
    because += _too_little(proven, days, reporters)
    if because:
        return Step.WAIT
    most = MAX_BROKEN_REJECT if target == "reject" else MAX_BROKEN_QUARANTINE
    if broken > most:
        because.append(f"{broken:.1%} of your own mail fails; for p={target} at most {most:.1%} may.")
    if target == "reject" and indirect > MAX_INDIRECT_REJECT:
        because.append(
            f"{indirect:.1%} of your mail fails because lists or forwarders change it; p=reject would lose it"
            f" (at most {MAX_INDIRECT_REJECT:.0%} may)."
        )
    if because:
        return Step.FIX
    if questions:
        because.append(f"{len(questions)} regular sender(s) use your name and nobody has said whether they are yours.")
        return Step.ASK
    if standing.p == "reject" and not standing.t:
        because.append(f"p=reject stands, and {1 - broken:.1%} of your own mail passes.")
        return Step.DONE
    because.append(f"{1 - broken:.1%} of your own mail passes; {target} stops only what is not yours.")
    return Step.MOVE


def _too_little(proven: int, days: int, reporters: Sequence[Reporter]) -> list[str]:
    found = []
    if days < MIN_DAYS:
        found.append(f"Reports tell of {days} day(s); wait for {MIN_DAYS}, so that what is sent seldom shows.")
    if proven < MIN_MESSAGES:
        found.append(f"Only {proven} message(s) are proven to be yours; below {MIN_MESSAGES} a share says little.")
    if len(reporters) < MIN_REPORTERS:
        found.append(f"{len(reporters)} reporter(s) reported; anybody can send a report, so wait for {MIN_REPORTERS}.")
    return found


def _subdomains(
    domain: str,
    standing: Standing,
    sources: Sequence[Source],
    missing: Collection[str] | None,
    step: Step,
    target: str,
) -> tuple[list[str], dict[str, str]]:
    """What of sp and np; plain words, and tags to set."""
    rank = {"none": 0, "quarantine": 1, "reject": 2}
    names = {name for source in sources if source.passed for name in source.header_from if name.endswith(f".{domain}")}
    said, tags = [], {}
    if standing.sp and rank.get(standing.sp, 0) < rank.get(standing.p, 0):
        said.append(f"sp={standing.sp} is weaker than p={standing.p}: forgers use any subdomain, existing or not.")
    if names:
        shown = ", ".join(sorted(names)[:5]) + (" …" if len(names) > 5 else "")
        said.append(f"Proven mail comes from {len(names)} subdomain(s): {shown}. sp holds for them.")
    elif step in (Step.MOVE, Step.DONE) and standing.published and standing.sp not in ("", "reject"):
        said.append("No subdomain sends proven mail: sp=reject stops nobody of yours.")
        tags["sp"] = "reject"
    if missing is None:
        said.append("DNS did not tell whether all of these names exist, so nothing is said on np.")
    elif missing:
        said.append(f"np=reject would stop {', '.join(sorted(missing)[:5])}: mail from names that do not exist in DNS.")
    elif standing.np != "reject" and step is not Step.WAIT and sources:  # without reports nobody knows
        said.append("No proven mail comes from names that do not exist: np=reject is safe now, whatever p says.")
        tags["np"] = "reject"
    if target == "reject" and "sp" not in tags and standing.sp and rank.get(standing.sp, 0) < 2 and step is Step.MOVE:
        said.append("Leave sp as it is in this step, and raise it in the next one.")
    return said, tags


def _target(standing: Standing, step: Step, policy: str, tags: dict[str, str]) -> dict[str, str]:
    """The tags to set. A move to a stricter policy begins in test mode: reports show it and nothing is stopped more."""
    if step is not Step.MOVE:
        return dict(tags)
    if not standing.published:
        return {"p": "none"}
    moved = {"p": policy}
    moved["t"] = "n" if standing.t else "y"
    return {**moved, **tags}


def _after(step: Step, target: str, standing: Standing) -> tuple[str, ...]:
    if step is not Step.MOVE or not standing.published:
        return ()
    if standing.t:
        return (f"This ends the test mode: {target} now means {target}. Ask again in two weeks.",)
    milder = "quarantine" if target == "reject" else "none"
    return (
        f"t=y is test mode: receivers treat p={target} as {milder} and report as if it held. Ask again in two weeks;"
        " the advice is then to leave t=y out.",
        "A receiver that knows only RFC 7489 does not know t and obeys p at once.",
    )


def _fixes(
    domain: str, standing: Standing, own: Sequence[Source], questions: Sequence[Source], indirect: Sequence[Source]
) -> list[str]:
    """What to do, the most mail first."""
    if not standing.published:
        return [f'Publish at _dmarc.{domain}: "v=DMARC1; p=none; rua=mailto:dmarc@{domain}"']
    found = [(source.failed, _fix(domain, source)) for source in own]
    found += [
        (
            source.failed,
            f"Say whether {source.name} sends for you ({source.failed} messages): if so, have it sign with"
            f" d={domain} and name it with --known {source.name}; if not, the policy will stop it.",
        )
        for source in questions
    ]
    if indirect:
        count = sum(source.failed for source in indirect)
        found.append(
            (
                count,
                "Have your lists rewrite From or leave subject and body as they are"
                f" ({count} messages arrived changed); nothing else helps where others run the list.",
            )
        )
    return [text for _, text in sorted(found, key=lambda one: -one[0])]


def _fix(domain: str, source: Source) -> str:
    where = f"{source.name} ({source.failed} of {source.failed + source.passed} messages fail)"
    if source.kind is Kind.SERVICE:
        return f"Have {where} sign with a key of {domain} (its guide calls it DKIM or domain authentication)."
    if "strict" in source.why:
        return f"{where}: it proves a subdomain only; set adkim=r and aspf=r, or sign with d={domain}."
    return f"{where}: sign what {', '.join(source.failing[:3])} sends with DKIM for {domain}, and name it in SPF."
