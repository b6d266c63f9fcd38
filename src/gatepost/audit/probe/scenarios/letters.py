"""Real-looking mails, good and bad: what comes through, what is marked, what is refused.

In: nothing. Out: `SCENARIOS`. They go to the address of --to, and are fetched back where an account is given.
Standard: the test strings of GTUBE and EICAR; names under .example belong to nobody (RFC 2606).
Not here: tricks with the sender (`spoofing`), how mails are put together (`probe.letters`).
"""

from __future__ import annotations

import base64

from gatepost.audit.probe.aim import Aim, Need
from gatepost.audit.probe.judging import describe, failed, passed, untested
from gatepost.audit.probe.letters import PICTURE, PROGRAM, TEST_SPAM, TEST_VIRUS, File, archive, letter
from gatepost.audit.probe.marks import sign_of
from gatepost.audit.probe.scenario import Group, Judged, Played, Scenario
from gatepost.audit.probe.scenarios.spoofing import judge_stopped, send
from gatepost.audit.probe.speech import hand_in
from gatepost.finding import Severity
from gatepost.ports.visitor import Outcome

_OCTETS = "application/octet-stream"
_MINUTES = """\
Hello,

here are the minutes of Tuesday's meeting. We agreed to move the stock-taking to the second week of
next month; Petra asks the branch in Leipzig for their list. Please send me corrections by Friday.

Kind regards
Anna
"""
_REPLY = """\
Thursday at three suits me, I have booked the small room.

> could we talk about the offer this week?
> Any afternoon but Wednesday would do.
"""
_UMLAUTS = """\
Guten Tag,

anbei die Zahlen für das zweite Quartal; die Änderungen gegenüber März sind gelb markiert.

Viele Grüße
Jürgen Weiß
"""
_NEWS = """\
<html><body><h1>What is new in our workshop</h1><p>Dear readers, we have new opening hours and a course
for beginners on Saturday.</p><p><a href="https://www.workshop.example/courses">All courses</a></p>
<p style="font-size:small">You get this letter because you asked for it.
<a href="https://www.workshop.example/leave">Leave the list</a></p></body></html>
"""
_PILLS = """\
DEAR FRIEND!!! Lose 20 POUNDS in 10 days, 100% GUARANTEED, no prescription needed!!!
Cheap V1AGRA and C1ALIS, best price on the net, discreet shipping, order NOW and SAVE 80%!!!
>>> http://192.0.2.66/pharm/buy-now.php?aff=7781 <<<
Limited time offer, act now, satisfaction guaranteed or your money back! Click here to be removed.
"""
_FORTUNE = """\
Dear Beneficiary,

I am Barrister James Okoro, attorney to the late Engr. Williams, who died with his family and left
USD 18,500,000.00 (eighteen million five hundred thousand United States Dollars) in a bank here. I
seek your assistance to claim the fund as next of kin; 40% will be for you. This transaction is 100%
risk free and must be kept strictly confidential. Send your full name, address, telephone number and
bank account details to barr.james.okoro@freemail.example urgently.
"""
_VERIFY = """\
<html><body><p>Dear customer,</p><p>We noticed an unusual sign-in to your account. Your account will be
<b>suspended within 24 hours</b> unless you verify your password.</p>
<p><a href="http://192.0.2.66/bank.example/login/verify.php">https://www.bank.example/secure</a></p>
<p>Security team</p></body></html>
"""
_WIRE = """\
Are you at your desk? I need a payment made today, urgent and confidential, I am in a meeting and
cannot be called. Buy six gift cards of 200 euros each, scratch them and send me photos of the codes.
I will reimburse you tonight.

Sent from my phone
"""


def _judge_wanted(played: Played, aim: Aim, scenario: Scenario) -> Judged:
    """Accepted, in the inbox, not marked."""
    visit = played.visits[0]
    if not visit.asked or visit.outcome in (Outcome.SILENT, Outcome.NONSENSE, Outcome.NOT_OFFERED, Outcome.DEFERRED):
        return untested(describe(visit))
    if visit.outcome is not Outcome.ACCEPTED:
        return failed(describe(visit))
    if not played.looked:
        return passed("accepted")
    found = played.found.get(aim.mark)
    if found is None:
        return failed(f"it was accepted, but is not in the mailbox after {aim.mail_wait:g} s")
    sign = sign_of(found)
    return failed(f"it was taken for spam: {sign}", Severity.NOTICE) if sign else passed(f"it lies in {found.folder}")


def _judge_harmful(played: Played, aim: Aim, scenario: Scenario) -> Judged:
    """Marked is not enough: what does harm must not be there. The test file lost on the way counts as stopped."""
    judged = judge_stopped(played, aim, scenario)
    found = played.found.get(aim.mark)
    if found is None:
        return judged
    if not any(beginning in found.raw for beginning in _BEGINNINGS):
        return passed("the file was taken out")
    return failed(f"the file lies in {found.folder}" + (f" ({sign})" if (sign := sign_of(found)) else ""))


def _mail(name: str, title: str, raw: bytes, bad: str, why: str, remedy: str, **more: object) -> Scenario:
    given = {
        "group": Group.MAIL,
        "steps": hand_in(raw),
        "needs": (Need.RECIPIENT,),
        "play": send,
        "judge": judge_stopped,
        "reference": "practice 2",
        "seconds": 240.0,
    } | more
    return Scenario(name=f"mail-{name}", title=title, bad=bad, why=why, remedy=remedy, **given)  # type: ignore[arg-type]


def _wanted(name: str, title: str, raw: bytes) -> Scenario:
    return _mail(
        name,
        title,
        raw,
        f"Wanted mail does not come through ({title}).",
        "People miss what they need, and learn to look for their mail in Junk, where the bad mail is.",
        "See the server's log for the reason. Mail of the probe is from nobody unless --from names a sender whose "
        "domain's SPF allows this machine.",
        judge=_judge_wanted,
    )


# How the files of this page begin in base64: the test file, an archive, a program.
_BEGINNINGS = tuple(base64.b64encode(octets)[:8] for octets in (TEST_VIRUS[:6], b"PK\x03\x04\x14\0", PROGRAM[:6]))
_FILTER = "Put a filter behind the server that refuses or marks spam (rspamd, SpamAssassin, Gatepost)."
_SCANNER = "Put a virus scanner behind the server (ClamAV), and refuse programs by name and by content."

SCENARIOS: tuple[Scenario, ...] = (
    _wanted("wanted-plain", "minutes of a meeting", letter("Minutes of Tuesday", _MINUTES)),
    _wanted(
        "wanted-reply", "an answer in a conversation",
        letter("Re: the offer", _REPLY, fields=["In-Reply-To: <1@{domain}>", "References: <1@{domain}>"]),
    ),
    _wanted("wanted-umlauts", "a mail in German", letter("=?utf-8?q?Zahlen_f=C3=BCr_das_2=2E_Quartal?=", _UMLAUTS)),
    _wanted(
        "wanted-newsletter", "a newsletter that was asked for",
        letter(
            "News from the workshop", "What is new: opening hours, a course for beginners on Saturday.\n", html=_NEWS,
            fields=["List-Id: <news.workshop.example>", "List-Unsubscribe: <https://www.workshop.example/leave>"],
        ),
    ),
    _wanted(
        "wanted-picture", "a mail with a picture",
        letter("The plan", "Here it is.\n", files=[File(name="plan.png", media_type="image/png", octets=PICTURE)]),
    ),
    _mail(
        "gtube",
        "the test string for spam filters (GTUBE)",
        letter("Test", f"This is a test of the spam filter.\n\n{TEST_SPAM}\n"),
        "The test string that every spam filter must find comes through unmarked: no filter looks at mail here.",
        "Then nothing else is found either.",
        _FILTER,
    ),
    _mail(
        "spam-pills",
        "spam for pills",
        letter("CHEAP MEDS 80% OFF!!! order now", _PILLS, author="Canadian Pharmacy <{author}>"),
        "Obvious spam comes through unmarked.",
        "People spend their time on it, and click.",
        _FILTER,
        severity=Severity.NOTICE,
    ),
    _mail(
        "spam-fortune",
        "a fortune to share",
        letter("URGENT BUSINESS PROPOSAL", _FORTUNE, author='"Barr. James Okoro" <{author}>',
               fields=["Reply-To: barr.james.okoro@freemail.example"]),
        "The oldest of frauds comes through unmarked.",
        "Somebody always answers.",
        _FILTER,
        severity=Severity.NOTICE,
    ),
    _mail(
        "phish-link",
        "a bank's link that leads elsewhere",
        letter("Your account will be suspended", "See the HTML.\n", html=_VERIFY, author="Bank security <{author}>"),
        "A lure whose link shows a bank and leads elsewhere comes through unmarked.",
        "Passwords are given away within minutes of its arrival.",
        _FILTER,
        severity=Severity.NOTICE,
    ),
    _mail(
        "phish-boss",
        "the boss asks for gift cards",
        letter("Quick request", _WIRE, author="The boss <{author}>", fields=["Reply-To: boss.office@freemail.example"]),
        "A fraud in the boss's name comes through unmarked.",
        "It has no link and no file; only the words and the Reply-To give it away.",
        _FILTER,
        severity=Severity.INFO,
    ),
    _mail(
        "eicar",
        "the test file for virus scanners (EICAR)",
        letter("The file", "See it.\n", files=[File(name="probe-test.com", media_type=_OCTETS, octets=TEST_VIRUS)]),
        "The test file that every virus scanner must find is delivered: no scanner looks at mail here.",
        "Then nothing else is found either.",
        _SCANNER,
        severity=Severity.DANGER,
        judge=_judge_harmful,
    ),
    _mail(
        "eicar-zip",
        "the same in an archive",
        letter(
            "The file", "See the file.\n",
            files=[File(name="probe-test.zip", media_type="application/zip", octets=archive("t.com", TEST_VIRUS))],
        ),
        "A virus in an archive is delivered.",
        "The simplest wrapping is enough to get past the scanner.",
        _SCANNER,
        severity=Severity.DANGER,
        judge=_judge_harmful,
    ),
    _mail(
        "program",
        "a program that calls itself an invoice",
        letter(
            "Invoice", "Your invoice is attached.\n",
            files=[File(name="probe-test-invoice.pdf.exe", media_type="application/pdf", octets=PROGRAM)],
        ),
        "A program is delivered as an attachment.",
        "One click runs it; no honest business sends programs by mail.",
        _SCANNER,
        judge=_judge_harmful,
    ),
)  # fmt: skip
