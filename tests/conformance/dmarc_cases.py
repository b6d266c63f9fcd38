"""Cases for RFC 9989, a table per section; nobody else's vectors exist for it yet.

Each case: what DNS holds (`zone`, and `tempfail` for what times out), the author domain, what SPF and DKIM proved, and
what is expected (names of `DmarcResult`'s fields, and `aligned_spf`, `aligned_dkim`). `unsure` says why another
reading of the text is possible, and which one was taken.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, kw_only=True)
class Case:
    name: str
    section: str
    author: str = "example.com"
    zone: dict[str, str | list[str]] = field(default_factory=dict)
    exists: tuple[str, ...] = ()
    tempfail: tuple[str, ...] = ()
    spf: tuple[str, str] | None = None
    dkim: tuple[tuple[str, str], ...] = ()
    expect: dict[str, Any]
    unsure: str = ""


ELEVEN = "a.b.c.d.e.f.g.h.i.j.mail.example.com"
REJECT = "v=DMARC1; p=reject"

WALK = [
    Case(
        name="two labels: two questions",
        section="4.10",
        expect={"result": "none", "walk": ("example.com", "com"), "organizational_domain": "example.com"},
    ),
    Case(name="one label", section="4.10", author="com", expect={"result": "none", "walk": ("com",)}),
    Case(
        name="four labels go up one by one",
        section="4.10",
        author="a.mail.example.com",
        expect={"walk": ("a.mail.example.com", "mail.example.com", "example.com", "com")},
    ),
    Case(
        name="seven labels: seven questions",
        section="4.10",
        author="a.b.c.d.e.example.com",
        expect={
            "walk": (
                "a.b.c.d.e.example.com",
                "b.c.d.e.example.com",
                "c.d.e.example.com",
                "d.e.example.com",
                "e.example.com",
                "example.com",
                "com",
            )
        },
    ),
    Case(
        name="eight labels: eight questions, none left out",
        section="4.10",
        author="a.b.c.d.e.f.example.com",
        expect={
            "walk": (
                "a.b.c.d.e.f.example.com",
                "b.c.d.e.f.example.com",
                "c.d.e.f.example.com",
                "d.e.f.example.com",
                "e.f.example.com",
                "f.example.com",
                "example.com",
                "com",
            )
        },
    ),
    Case(
        name="nine labels: eight questions, one name left out",
        section="4.10",
        author="a.b.c.d.e.f.g.example.com",
        expect={
            "walk": (
                "a.b.c.d.e.f.g.example.com",
                "c.d.e.f.g.example.com",
                "d.e.f.g.example.com",
                "e.f.g.example.com",
                "f.g.example.com",
                "g.example.com",
                "example.com",
                "com",
            )
        },
    ),
    Case(
        name="thirteen labels: the text's own example",
        section="4.10",
        author=ELEVEN,
        expect={
            "walk": (
                ELEVEN,
                "g.h.i.j.mail.example.com",
                "h.i.j.mail.example.com",
                "i.j.mail.example.com",
                "j.mail.example.com",
                "mail.example.com",
                "example.com",
                "com",
            )
        },
    ),
    Case(
        name="a record in the part that is left out is never found",
        section="5.1",
        author="mail.a.b.c.d.e.f.g.example.com",
        zone={"b.c.d.e.f.g.example.com": "v=DMARC1; p=none; psd=n", "example.com": REJECT},
        expect={"policy_domain": "example.com", "organizational_domain": "example.com", "result": "fail"},
    ),
    Case(
        name="the walk does not stop at the first record",
        section="4.10",
        author="a.mail.example.com",
        zone={"mail.example.com": "v=DMARC1; p=none", "example.com": REJECT},
        expect={
            "walk": ("a.mail.example.com", "mail.example.com", "example.com", "com"),
            "policy_domain": "example.com",
            "organizational_domain": "example.com",
        },
    ),
    Case(
        name="psd=n stops the walk",
        section="4.10",
        author="a.mail.example.com",
        zone={"mail.example.com": "v=DMARC1; p=quarantine; psd=n", "example.com": REJECT},
        expect={
            "walk": ("a.mail.example.com", "mail.example.com"),
            "policy_domain": "mail.example.com",
            "organizational_domain": "mail.example.com",
            "policy": "quarantine",
        },
    ),
    Case(
        name="psd=n at the start stops the walk",
        section="4.10",
        author="mail.example.com",
        zone={"mail.example.com": "v=DMARC1; p=quarantine; psd=n", "example.com": REJECT},
        expect={"walk": ("mail.example.com",), "organizational_domain": "mail.example.com"},
    ),
    Case(
        name="psd=y stops the walk one label above the organization",
        section="4.10",
        author="a.mail.example.com",
        zone={"com": "v=DMARC1; p=reject; psd=y"},
        expect={"organizational_domain": "example.com", "policy_domain": "com", "policy": "reject"},
    ),
    Case(
        name="psd=y at the start stops the walk; the start is its own organization",
        section="4.10",
        author="bank.example",
        zone={"bank.example": "v=DMARC1; p=reject; psd=y", "example": "v=DMARC1; p=none"},
        expect={
            "walk": ("bank.example",),
            "organizational_domain": "bank.example",
            "policy_domain": "bank.example",
            "policy": "reject",
            "policy_tag": "p",
        },
    ),
    Case(
        name="psd=u is the same as no psd",
        section="4.10",
        author="mail.example.com",
        zone={"mail.example.com": "v=DMARC1; p=none; psd=u", "example.com": REJECT},
        expect={"organizational_domain": "example.com", "policy_domain": "mail.example.com"},
    ),
    Case(
        name="psd with another value is as if it were not there",
        section="4.7",
        author="mail.example.com",
        zone={"mail.example.com": "v=DMARC1; p=none; psd=yes", "example.com": REJECT},
        expect={"organizational_domain": "example.com"},
    ),
    Case(
        name="two records at a name are both discarded and the walk goes on",
        section="4.10",
        author="mail.example.com",
        zone={"mail.example.com": ["v=DMARC1; p=none", "v=DMARC1; p=quarantine"], "example.com": REJECT},
        expect={"policy_domain": "example.com", "policy": "reject", "result": "fail"},
    ),
    Case(
        name="two records, one of them with psd=n, stop nothing",
        section="4.10",
        author="mail.example.com",
        zone={"mail.example.com": ["v=DMARC1; p=none; psd=n", "v=DMARC1; p=none"], "example.com": REJECT},
        expect={"organizational_domain": "example.com", "policy_domain": "example.com"},
    ),
    Case(
        name="the same record twice is two records",
        section="4.10",
        zone={"example.com": [REJECT, REJECT]},
        expect={"result": "none"},
        unsure="DNS does not hold the same record twice; a server that answers so is read by the letter",
    ),
    Case(
        name="other TXT records beside it do not count",
        section="4.10",
        zone={"example.com": ["v=spf1 -all", REJECT, "hello"]},
        expect={"policy_domain": "example.com", "result": "fail"},
    ),
    Case(
        name="a record of a later version is discarded",
        section="4.10",
        zone={"example.com": "v=DMARC2; p=reject"},
        expect={"result": "none"},
    ),
    Case(
        name="v has to be first", section="4.7", zone={"example.com": "p=reject; v=DMARC1"}, expect={"result": "none"}
    ),
    Case(
        name="DMARC1 matches exactly",
        section="4.7",
        zone={"example.com": "v=dmarc1; p=reject"},
        expect={"result": "none"},
    ),
    Case(
        name="DMARC1 ends at a semicolon",
        section="4.8",
        zone={"example.com": "v=DMARC1 p=reject"},
        expect={"result": "none"},
    ),
    Case(
        name="white space around = and ;",
        section="4.8",
        zone={"example.com": "v = DMARC1 ;\tp = reject ;"},
        expect={"result": "fail", "policy": "reject"},
    ),
    Case(
        name="V in upper case",
        section="4.8",
        zone={"example.com": "V=DMARC1; P=Reject"},
        expect={"result": "fail", "policy": "reject"},
        unsure="ABNF literals are case-insensitive, DKIM's tag names are not; ABNF was taken",
    ),
    Case(
        name="white space before v",
        section="4.8",
        zone={"example.com": " v=DMARC1; p=reject"},
        expect={"result": "none"},
    ),
]

ORGANIZATION = [
    Case(
        name="the record with the fewest labels names it",
        section="4.10.2",
        author="a.mail.example.com",
        zone={"mail.example.com": "v=DMARC1; p=none", "example.com": "v=DMARC1; p=none"},
        expect={"organizational_domain": "example.com"},
    ),
    Case(
        name="a record at the top level without psd makes the top level the organization",
        section="4.10.2",
        zone={"example.com": REJECT, "com": "v=DMARC1; p=none"},
        expect={"organizational_domain": "com", "policy_domain": "example.com", "policy": "reject"},
    ),
    Case(
        name="psd=n guards against such a record",
        section="10.8",
        zone={"example.com": "v=DMARC1; p=reject; psd=n", "com": "v=DMARC1; p=none"},
        expect={"organizational_domain": "example.com"},
    ),
    Case(
        name="below a psd=y of two labels",
        section="4.10.2",
        author="mail.example.co.uk",
        zone={"co.uk": "v=DMARC1; p=none; psd=y", "example.co.uk": REJECT},
        expect={
            "organizational_domain": "example.co.uk",
            "policy_domain": "example.co.uk",
            "walk": ("mail.example.co.uk", "example.co.uk", "co.uk"),
        },
    ),
    Case(
        name="a record between author and organization is not the policy",
        section="4.10.1",
        author="a.b.example.com",
        zone={"b.example.com": "v=DMARC1; p=none", "com": "v=DMARC1; p=reject; psd=y"},
        expect={"organizational_domain": "example.com", "policy_domain": "com", "policy": "reject"},
        unsure="the organization (one label below psd=y) has no record, a name below it has; 4.10.1 lists the "
        "author domain, the organization and the public suffix only",
    ),
    Case(
        name="no record at all: the domain itself",
        section="4.10.2",
        author="a.mail.example.com",
        expect={"organizational_domain": "a.mail.example.com", "result": "none"},
    ),
]

POLICY = [
    Case(
        name="p of the author domain",
        section="4.10.1",
        zone={"example.com": "v=DMARC1; p=quarantine; sp=reject; np=reject"},
        expect={"policy": "quarantine", "policy_tag": "p", "disposition": "quarantine"},
    ),
    Case(
        name="p of a subdomain's own record, not the organization's sp",
        section="4.10.1",
        author="mail.example.com",
        zone={"mail.example.com": "v=DMARC1; p=none", "example.com": "v=DMARC1; p=reject; sp=reject"},
        expect={"policy": "none", "policy_domain": "mail.example.com", "disposition": "none", "result": "fail"},
    ),
    Case(
        name="sp for a subdomain that exists",
        section="4.10.1",
        author="mail.example.com",
        exists=("mail.example.com",),
        zone={"example.com": "v=DMARC1; p=reject; sp=quarantine; np=reject"},
        expect={"policy": "quarantine", "policy_tag": "sp"},
    ),
    Case(
        name="np for one that does not",
        section="4.10.1",
        author="ghost.example.com",
        zone={"example.com": "v=DMARC1; p=none; sp=quarantine; np=reject"},
        expect={"policy": "reject", "policy_tag": "np", "disposition": "reject"},
    ),
    Case(
        name="a name that only has names below it exists",
        section="3.2",
        author="between.example.com",
        exists=("below.between.example.com",),
        zone={"example.com": "v=DMARC1; p=none; sp=quarantine; np=reject"},
        expect={"policy": "quarantine", "policy_tag": "sp"},
    ),
    Case(
        name="np missing: sp for a missing subdomain",
        section="4.7",
        author="ghost.example.com",
        zone={"example.com": "v=DMARC1; p=none; sp=reject"},
        expect={"policy": "reject", "policy_tag": "sp"},
    ),
    Case(
        name="sp and np missing: p",
        section="4.7",
        author="ghost.example.com",
        zone={"example.com": REJECT},
        expect={"policy": "reject", "policy_tag": "p"},
    ),
    Case(
        name="np without sp: p for what exists",
        section="4.7",
        author="mail.example.com",
        exists=("mail.example.com",),
        zone={"example.com": "v=DMARC1; p=quarantine; np=reject"},
        expect={"policy": "quarantine", "policy_tag": "p"},
    ),
    Case(
        name="np of a public suffix for an organization that does not exist",
        section="4.10.1",
        author="ghost.bank",
        zone={"bank": "v=DMARC1; p=none; sp=none; np=reject; psd=y"},
        expect={"policy": "reject", "policy_domain": "bank", "organizational_domain": "ghost.bank"},
    ),
    Case(
        name="the organization's record wins over the public suffix's",
        section="4.10.1",
        author="mail.example.bank",
        zone={"example.bank": "v=DMARC1; p=none", "bank": "v=DMARC1; p=reject; psd=y"},
        expect={"policy": "none", "policy_domain": "example.bank"},
    ),
    Case(
        name="a public suffix as author is not exempt",
        section="5.3.1",
        author="bank",
        zone={"bank": "v=DMARC1; p=reject; psd=y"},
        expect={"policy": "reject", "result": "fail"},
    ),
    Case(
        name="t=y makes reject quarantine",
        section="4.7",
        zone={"example.com": "v=DMARC1; p=reject; t=y"},
        expect={"policy": "reject", "disposition": "quarantine", "test_mode": True},
    ),
    Case(
        name="t=y makes quarantine none",
        section="4.7",
        zone={"example.com": "v=DMARC1; t=y; p=quarantine"},
        expect={"policy": "quarantine", "disposition": "none", "result": "fail"},
    ),
    Case(
        name="t=y leaves none",
        section="4.7",
        zone={"example.com": "v=DMARC1; p=none; t=y"},
        expect={"policy": "none", "disposition": "none"},
    ),
    Case(
        name="t=y holds for sp and np too",
        section="4.7",
        author="mail.example.com",
        zone={"example.com": "v=DMARC1; p=none; sp=reject; t=y"},
        expect={"policy": "reject", "disposition": "quarantine"},
    ),
    Case(
        name="t with another value is n",
        section="4.7",
        zone={"example.com": "v=DMARC1; p=reject; t=yes"},
        expect={"disposition": "reject", "test_mode": False},
    ),
    Case(
        name="pct=0 changes nothing",
        section="C.5",
        zone={"example.com": "v=DMARC1; p=reject; pct=0"},
        expect={"disposition": "reject"},
    ),
    Case(
        name="rf and ri change nothing, whatever they say",
        section="C.5",
        zone={"example.com": "v=DMARC1; p=reject; rf=nonsense; ri=-1; pct=500"},
        expect={"disposition": "reject"},
    ),
    Case(
        name="unknown tags are ignored",
        section="4.7",
        zone={"example.com": "v=DMARC1; future=1; p=reject; x=y=z"},
        expect={"disposition": "reject"},
    ),
    Case(
        name="tags in any order after v",
        section="4.7",
        zone={"example.com": "v=DMARC1; rua=mailto:d@example.com; adkim=s; p=reject"},
        expect={"disposition": "reject"},
    ),
    Case(
        name="what is no tag is ignored",
        section="4.7",
        zone={"example.com": "v=DMARC1; ; nonsense; =; p=reject;;"},
        expect={"disposition": "reject"},
    ),
    Case(
        name="no p, but rua: as p=none",
        section="4.10.1",
        zone={"example.com": "v=DMARC1; rua=mailto:d@example.com"},
        expect={"result": "fail", "policy": "none", "disposition": "none"},
    ),
    Case(
        name="no p and no rua: DMARC does not apply",
        section="4.10.1",
        zone={"example.com": "v=DMARC1"},
        expect={"result": "none", "disposition": "none", "policy_domain": "example.com"},
        unsure="4.7 has a missing p read as p=none, 4.10.1 has the record unused unless it has rua; 4.10.1 was taken, "
        "and the walk does not look for another record",
    ),
    Case(
        name="p that cannot be read, with rua: as p=none",
        section="4.10.1",
        zone={"example.com": "v=DMARC1; p=block; rua=mailto:d@example.com"},
        expect={"result": "fail", "policy": "none", "disposition": "none"},
    ),
    Case(
        name="p that cannot be read, without rua",
        section="4.10.1",
        zone={"example.com": "v=DMARC1; p=block"},
        expect={"result": "permerror", "disposition": "none"},
        unsure="no DMARC processing; of the words for that, permerror (a record that is wrong) says more than none",
    ),
    Case(
        name="sp that cannot be read makes all of it p=none",
        section="4.10.1",
        zone={"example.com": "v=DMARC1; p=reject; sp=block; rua=mailto:d@example.com"},
        expect={"result": "fail", "policy": "none", "disposition": "none"},
    ),
    Case(
        name="sp that cannot be read, without rua",
        section="4.10.1",
        zone={"example.com": "v=DMARC1; p=reject; sp=block"},
        expect={"result": "permerror", "disposition": "none"},
        unsure="as for p; the domain's own p=reject could be read, but the text makes no such difference",
    ),
    Case(
        name="rua without a usable address does not save a record",
        section="4.10.1",
        zone={"example.com": "v=DMARC1; p=block; rua=d@example.com"},
        expect={"result": "permerror"},
    ),
    Case(
        name="p twice: the first counts",
        section="4.7",
        zone={"example.com": "v=DMARC1; p=quarantine; p=reject"},
        expect={"policy": "quarantine"},
        unsure="the text does not say; DKIM's tag lists would be void as a whole",
    ),
]

ALIGNMENT = [
    Case(
        name="SPF, the same domain",
        section="4.4.2",
        zone={"example.com": REJECT},
        spf=("example.com", "pass"),
        expect={"result": "pass", "aligned_spf": True, "aligned_dkim": False, "disposition": "none"},
    ),
    Case(
        name="SPF, relaxed, a subdomain",
        section="4.4.2",
        zone={"example.com": REJECT},
        spf=("cbg.bounces.example.com", "pass"),
        expect={"result": "pass", "aligned_spf": True},
    ),
    Case(
        name="SPF, strict, a subdomain",
        section="4.4.2",
        zone={"example.com": "v=DMARC1; p=reject; aspf=s"},
        spf=("cbg.bounces.example.com", "pass"),
        expect={"result": "fail", "aligned_spf": False, "disposition": "reject"},
    ),
    Case(
        name="SPF, strict, the same domain in other letters",
        section="4.4",
        author="Example.COM",
        zone={"example.com": "v=DMARC1; p=reject; aspf=s"},
        spf=("EXAMPLE.com.", "pass"),
        expect={"result": "pass", "author_domain": "example.com"},
    ),
    Case(
        name="DKIM, relaxed, the organization signs for its subdomain",
        section="4.4.1",
        author="news.example.com",
        zone={"example.com": REJECT},
        dkim=(("example.com", "pass"),),
        expect={"result": "pass", "aligned_dkim": True},
    ),
    Case(
        name="DKIM, relaxed, two subdomains",
        section="4.4",
        author="news.example.com",
        zone={"example.com": REJECT},
        dkim=(("foo.example.com", "pass"),),
        expect={"result": "pass", "aligned_dkim": True},
    ),
    Case(
        name="DKIM, strict, two subdomains",
        section="4.4",
        author="news.example.com",
        zone={"example.com": "v=DMARC1; p=reject; adkim=s"},
        dkim=(("foo.example.com", "pass"), ("example.com", "pass")),
        expect={"result": "fail", "aligned_dkim": False},
    ),
    Case(
        name="adkim=s leaves SPF relaxed",
        section="4.7",
        zone={"example.com": "v=DMARC1; p=reject; adkim=s"},
        spf=("bounces.example.com", "pass"),
        dkim=(("mail.example.com", "pass"),),
        expect={"result": "pass", "aligned_spf": True, "aligned_dkim": False},
    ),
    Case(
        name="another organization",
        section="4.4",
        author="news.example.com",
        zone={"example.com": REJECT, "example.net": REJECT},
        dkim=(("foo.example.net", "pass"),),
        spf=("example.net", "pass"),
        expect={"result": "fail"},
    ),
    Case(
        name="a domain that merely ends alike",
        section="4.4",
        zone={"example.com": REJECT},
        spf=("notexample.com", "pass"),
        dkim=(("badexample.com", "pass"),),
        expect={"result": "fail"},
    ),
    Case(
        name="the top level never aligns with what is below it",
        section="4.4.1",
        zone={"example.com": REJECT},
        dkim=(("com", "pass"),),
        expect={"result": "fail"},
    ),
    Case(
        name="any one of several signatures is enough",
        section="4.4.1",
        zone={"example.com": REJECT},
        dkim=(("list.example.net", "pass"), ("example.com", "fail"), ("mail.example.com", "pass")),
        expect={"result": "pass", "aligned_dkim": True},
    ),
    Case(
        name="a signature that fails proves nothing",
        section="4.4.1",
        zone={"example.com": REJECT},
        dkim=(("example.com", "fail"),),
        spf=("example.com", "softfail"),
        expect={"result": "fail", "disposition": "reject"},
    ),
    Case(
        name="psd=n divides an organization: the part does not sign for the whole",
        section="4.10.2",
        zone={"example.com": REJECT, "dept.example.com": "v=DMARC1; p=none; psd=n"},
        dkim=(("mail.dept.example.com", "pass"),),
        expect={"result": "fail", "organizational_domain": "example.com"},
    ),
    Case(
        name="psd=n divides an organization: the whole does not sign for the part",
        section="4.10.2",
        author="mail.dept.example.com",
        zone={"example.com": REJECT, "dept.example.com": "v=DMARC1; p=reject; psd=n"},
        dkim=(("example.com", "pass"),),
        expect={"result": "fail", "organizational_domain": "dept.example.com"},
    ),
    Case(
        name="psd=n: within the part all is aligned",
        section="4.10.2",
        author="a.dept.example.com",
        zone={"example.com": REJECT, "dept.example.com": "v=DMARC1; p=reject; psd=n"},
        dkim=(("b.dept.example.com", "pass"),),
        expect={"result": "pass"},
    ),
    Case(
        name="siblings below a public suffix are strangers",
        section="4.10.2",
        author="one.bank",
        zone={"bank": "v=DMARC1; p=reject; psd=y"},
        dkim=(("two.bank", "pass"), ("bank", "pass")),
        expect={"result": "fail", "organizational_domain": "one.bank"},
    ),
    Case(
        name="a subdomain with a record of its own still belongs to the organization",
        section="4.10.2",
        zone={"example.com": REJECT, "mail.example.com": "v=DMARC1; p=none"},
        dkim=(("mail.example.com", "pass"),),
        expect={"result": "pass"},
    ),
    Case(
        name="the public suffix itself signs for nobody below, not even when it is the author",
        section="4.10.2",
        author="bank",
        zone={"bank": "v=DMARC1; p=reject; psd=y"},
        dkim=(("one.bank", "pass"),),
        expect={"result": "fail", "organizational_domain": "bank"},
    ),
    Case(
        name="an author of nine labels and a signer from the part that is left out",
        section="4.10",
        author="a.b.c.d.e.f.g.example.com",
        zone={"example.com": REJECT},
        dkim=(("b.c.d.e.f.g.example.com", "pass"),),
        expect={"result": "pass", "organizational_domain": "example.com"},
    ),
    Case(
        name="no policy: identical domains are still known to be proven",
        section="4.10.2",
        spf=("example.com", "pass"),
        dkim=(("mail.example.com", "pass"),),
        expect={"result": "none", "aligned_spf": True, "aligned_dkim": False},
    ),
]

TEMPORARY = [
    Case(
        name="the author's record does not answer",
        section="5.3.6",
        zone={"com": "v=DMARC1; p=none"},
        tempfail=("example.com",),
        spf=("example.com", "pass"),
        expect={"result": "temperror", "disposition": "none", "policy": None},
    ),
    Case(
        name="the organization's record does not answer",
        section="5.3.6",
        author="mail.example.com",
        tempfail=("example.com",),
        expect={"result": "temperror", "disposition": "none", "organizational_domain": ""},
    ),
    Case(
        name="a time-out above the end of the walk does not matter",
        section="4.10",
        zone={"example.com": "v=DMARC1; p=reject; psd=n"},
        tempfail=("com",),
        expect={"result": "fail", "disposition": "reject"},
    ),
    Case(
        name="own record, the same domain passes: the rest of the walk does not matter",
        section="4.10.2",
        zone={"example.com": REJECT},
        tempfail=("com",),
        dkim=(("example.com", "pass"),),
        expect={"result": "pass", "organizational_domain": ""},
    ),
    Case(
        name="own record, nothing passes: fail is certain",
        section="5.3.6",
        zone={"example.com": REJECT},
        tempfail=("com",),
        dkim=(("example.net", "pass"),),
        expect={"result": "fail", "disposition": "reject"},
    ),
    Case(
        name="own record, a subdomain passes, and the organization is not known",
        section="5.3.6",
        zone={"example.com": REJECT},
        tempfail=("com",),
        dkim=(("mail.example.com", "pass"),),
        expect={"result": "temperror", "disposition": "none"},
    ),
    Case(
        name="the same with strict alignment is certain",
        section="4.10.2",
        zone={"example.com": "v=DMARC1; p=reject; adkim=s"},
        tempfail=("com",),
        dkim=(("mail.example.com", "pass"),),
        expect={"result": "fail"},
    ),
    Case(
        name="the signer's own walk does not answer",
        section="5.3.6",
        zone={"example.com": REJECT},
        tempfail=("mail.example.com",),
        dkim=(("mail.example.com", "pass"),),
        expect={"result": "temperror"},
    ),
    Case(
        name="the signer's walk does not answer, but SPF passes",
        section="5.3.5",
        zone={"example.com": REJECT},
        tempfail=("mail.example.com",),
        dkim=(("mail.example.com", "pass"),),
        spf=("example.com", "pass"),
        expect={"result": "pass", "aligned_spf": True, "aligned_dkim": False},
    ),
    Case(
        name="SPF of the author's organization had a temporary error",
        section="5.3.6",
        zone={"example.com": REJECT},
        spf=("bounces.example.com", "temperror"),
        expect={"result": "temperror", "disposition": "none"},
    ),
    Case(
        name="SPF of somebody else had a temporary error",
        section="5.3.6",
        zone={"example.com": REJECT},
        spf=("example.net", "temperror"),
        expect={"result": "fail"},
    ),
    Case(
        name="an aligned signature's key did not answer",
        section="5.3.6",
        zone={"example.com": REJECT},
        dkim=(("example.com", "temperror"),),
        spf=("example.com", "fail"),
        expect={"result": "temperror"},
    ),
    Case(
        name="a temporary error beside a pass",
        section="5.3.5",
        zone={"example.com": REJECT},
        dkim=(("example.com", "temperror"),),
        spf=("example.com", "pass"),
        expect={"result": "pass"},
    ),
    Case(
        name="SPF permerror is a fail",
        section="5.3.6",
        zone={"example.com": REJECT},
        spf=("example.com", "permerror"),
        expect={"result": "fail"},
        unsure="permanent DNS errors are left to the receiver; a broken SPF record is none",
    ),
    Case(
        name="whether the author domain exists is not known",
        section="4.10.1",
        author="ghost.example.com",
        zone={"example.com": "v=DMARC1; p=none; sp=none; np=reject"},
        tempfail=("A ghost.example.com",),
        expect={"result": "temperror", "disposition": "none"},
        unsure="handling of DNS errors is the receiver's; asking again later is milder than reject and safer than none",
    ),
    Case(
        name="whether it exists does not matter for a pass",
        section="5.3.5",
        author="ghost.example.com",
        zone={"example.com": "v=DMARC1; p=none; sp=none; np=reject"},
        tempfail=("A ghost.example.com",),
        dkim=(("example.com", "pass"),),
        expect={"result": "pass"},
    ),
]

NAMES = [
    Case(
        name="U-labels become A-labels",
        section="5.3.1",
        author="BÜCHER.example",
        zone={"xn--bcher-kva.example": REJECT},
        dkim=(("xn--bcher-kva.example", "pass"),),
        expect={"result": "pass", "author_domain": "xn--bcher-kva.example"},
    ),
    Case(
        name="U-labels in what was proven",
        section="5.3.1",
        author="xn--bcher-kva.example",
        zone={"xn--bcher-kva.example": REJECT},
        spf=("bücher.example", "pass"),
        expect={"result": "pass"},
    ),
    Case(name="an address literal", section="5.3.1", author="[192.0.2.1]", expect={"result": "none", "walk": ()}),
    Case(name="no domain", section="5.3.1", author="", expect={"result": "none", "walk": ()}),
    Case(name="an empty label", section="5.3.1", author="a..example.com", expect={"result": "none", "walk": ()}),
    Case(name="a label of 64", section="5.3.1", author="a" * 64 + ".com", expect={"result": "none", "walk": ()}),
    Case(
        name="a name with no room for _dmarc before it has no record",
        section="4.10",
        author=".".join(["a" * 62] * 3) + "." + "b" * 53 + ".example",
        expect={"result": "none"},
    ),
    Case(
        name="a trailing dot",
        section="4.4",
        author="example.com.",
        zone={"example.com": REJECT},
        expect={"result": "fail"},
    ),
]

CASES = WALK + ORGANIZATION + POLICY + ALIGNMENT + TEMPORARY + NAMES
