"""DKIM keys of a domain, as far as their selectors can be guessed or are known.

In: a domain, selectors, our own keys' records, a resolver. Out: `DkimFacts`. Selectors cannot be listed by DNS: that
none was found means little.
Standard: RFC 6376 §3.6.2 (where keys are), RFC 8020 (nothing below a name that does not exist).
Not here: what a key should be (`checks.dkim`).
"""

from __future__ import annotations

from collections.abc import Sequence

from gatepost.audit.facts import DkimFacts, HeldKey, Selector
from gatepost.msgauth.dkim.publish import compare_published, key_name
from gatepost.msgauth.dkim.record import parse_key_record
from gatepost.msgauth.spf.name import is_askable
from gatepost.ports import Answer, DnsStatus, Question, Resolver

# What mail software and large providers call their selectors, as their manuals say.
COMMON = (
    "default", "dkim", "mail", "email", "smtp", "key1", "key2", "s1", "s2", "s1024", "s2048", "sel1", "selector",
    "selector1", "selector2", "google", "20230601", "20221208", "k1", "k2", "k3", "mandrill", "mxvault", "zoho",
    "zmail", "everlytickey1", "everlytickey2", "cm", "dk", "pm", "mta", "mx", "fm1", "fm2", "fm3", "protonmail",
    "protonmail2", "protonmail3", "sig1", "mesmtp", "hs1", "hs2", "dkim1", "dkim2", "x", "pic", "amazonses",
    "turbo-smtp", "scph0920", "rsa", "ed25519", "rspamd", "stalwart", "202401r", "202401e", "krs", "smtpapi",
    "mailjet", "sendgrid", "m1", "ctct1", "ctct2", "litesrv", "titan1", "titan2",
)  # fmt: skip
NOBODYS = "gatepost-audit-asks-for-a-selector-that-nobody-has"
MAX_SELECTORS = 200


async def gather_dkim(
    domain: str, selectors: Sequence[str], held: Sequence[HeldKey], resolver: Resolver, wait: float, *, common: bool
) -> DkimFacts:
    """The keys at `selectors`, at those that are common, and at those that we hold."""
    known = {one.selector: one for one in held}
    wanted = list(dict.fromkeys((*known, *selectors)))
    base, wildcard = await resolver.lookup_all(
        [Question(f"_domainkey.{domain}", "TXT"), Question(key_name(NOBODYS, domain), "TXT")], wait
    )
    # RFC 8020: a name that does not exist has nothing below it; a wildcard answers whatever is asked.
    guess = common and base.status is not DnsStatus.NXDOMAIN and wildcard.status is not DnsStatus.OK
    tried = dict.fromkeys((*wanted, *(COMMON if guess else ())))
    names = [one for one in tried if is_askable(key_name(one, domain))][:MAX_SELECTORS]
    answers = await resolver.lookup_all([Question(key_name(one, domain), "TXT") for one in names], wait)
    found = [
        _selector(name, answer, known.get(name))
        for name, answer in zip(names, answers, strict=True)
        if name in wanted or answer.status is DnsStatus.OK
    ]
    silent = sum(answer.status is DnsStatus.TEMPFAIL for answer in answers)
    return DkimFacts(selectors=tuple(found), asked=len(names), wildcard=wildcard, domain_keys=base, unanswered=silent)


def _selector(name: str, answer: Answer, held: HeldKey | None) -> Selector:
    sight = compare_published(answer, held.record) if held is not None else None
    if answer.status is DnsStatus.OK:
        record = parse_key_record(answer.texts[0])
    elif answer.status is DnsStatus.TEMPFAIL:
        record = f"DNS does not answer: {answer.reason or 'no answer'}"
    else:
        record = "there is no record"
    return Selector(name=name, answer=answer, record=record, sight=sight, held=held.record if held else "")
