"""What other servers reported about mail that used our domains, or came to them: the values that reports are read into.

In: nothing. Out: `AggregateReport`, `FailureReport`, `TlsReport`. Every text in them was written by a stranger: limited
in length and without control characters, but not believed. Times are seconds since the epoch.
Standard: RFC 9990 (aggregate), RFC 9991 (failure), RFC 8460 (TLS).
Not here: who reads reports (`reports`), who keeps them (`store.reports`).
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class AuthResult:
    """One result of DKIM or SPF as the reporter saw it. `selector` is DKIM's, `scope` SPF's ("mfrom" or "helo")."""

    domain: str
    result: str
    selector: str = ""
    scope: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reason:
    """Why a reporter did not do what the policy asked for: `type` is the standard's word."""

    type: str
    comment: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportRow:
    """`count` messages of one kind from one address. `dkim` and `spf` say whether they passed *aligned* ("pass",
    "fail" or ""); `dkim_results` and `spf_results` what passed at all. `disposition` is what was done: "none", "pass",
    "quarantine", "reject" or ""."""

    source_ip: str
    count: int
    disposition: str
    dkim: str
    spf: str
    header_from: str
    envelope_from: str = ""
    envelope_to: str = ""
    reasons: tuple[Reason, ...] = ()
    dkim_results: tuple[AuthResult, ...] = ()
    spf_results: tuple[AuthResult, ...] = ()

    @property
    def passed(self) -> bool:
        """Whether the messages passed DMARC: one aligned pass is enough."""
        return "pass" in (self.dkim, self.spf)


@dataclass(frozen=True, slots=True, kw_only=True)
class PolicyPublished:
    """The policy that the reporter found; a tag it does not name is empty. `testing` is RFC 9989's `t`."""

    domain: str
    p: str = ""
    sp: str = ""
    np: str = ""
    adkim: str = ""
    aspf: str = ""
    pct: str = ""
    fo: str = ""
    testing: str = ""
    discovery_method: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class AggregateReport:
    """One reporter's counts of one period. `defects` are codes of what was broken and read all the same; `errors` are
    what the reporter says went wrong on its side."""

    org_name: str
    email: str
    report_id: str
    begin: int
    end: int
    policy: PolicyPublished
    rows: tuple[ReportRow, ...]
    version: str = ""
    extra_contact_info: str = ""
    generator: str = ""
    errors: tuple[str, ...] = ()
    defects: tuple[str, ...] = ()

    @property
    def reporter(self) -> str:
        """Who reports: the name, else the address's domain."""
        return self.org_name or self.email.rpartition("@")[2]


@dataclass(frozen=True, slots=True, kw_only=True)
class FailureReport:
    """One message that failed. `auth_failure` is what failed ("dmarc", "dkim", "spf", …), `delivery_result` what was
    done. `header_from`, `subject`, `message_id` are of the message itself. The recipient is not kept."""

    reporter: str
    report_id: str
    domain: str
    at: int | None
    source_ip: str
    auth_failure: str = ""
    delivery_result: str = ""
    identity_alignment: str = ""
    mail_from: str = ""
    dkim_domain: str = ""
    authentication_results: str = ""
    header_from: str = ""
    subject: str = ""
    message_id: str = ""
    defects: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class TlsFailure:
    """`count` sessions that failed for one reason; `result_type` is the standard's word (RFC 8460 §4.3)."""

    result_type: str
    count: int
    sending_ip: str = ""
    receiving_ip: str = ""
    receiving_mx: str = ""
    receiving_helo: str = ""
    reason_code: str = ""
    information: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class TlsPolicyReport:
    """What became of the sessions under one policy. `policy_type` is "tlsa", "sts" or "no-policy-found"."""

    policy_type: str
    domain: str
    successes: int
    failures: int
    policy_string: tuple[str, ...] = ()
    mx_hosts: tuple[str, ...] = ()
    details: tuple[TlsFailure, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class TlsReport:
    """One sender's sessions of one period."""

    org_name: str
    contact: str
    report_id: str
    begin: int
    end: int
    policies: tuple[TlsPolicyReport, ...]
    defects: tuple[str, ...] = ()

    @property
    def reporter(self) -> str:
        """Who reports: the name, else the address's domain."""
        return self.org_name or self.contact.rpartition("@")[2]


Report = AggregateReport | FailureReport | TlsReport


@dataclass(frozen=True, slots=True, kw_only=True)
class Stream:
    """Rows of many reports that are alike, added up. `dkim` and `spf` say whether they passed aligned; `dkim_domain`
    and `spf_domain` are the most telling of what was checked (a pass first), with its result. `reason` is the first
    type of a reporter's reasons. `days` is on how many days, `reporters` by how many; `first` and `last` are days since
    the epoch."""

    source_ip: str
    header_from: str
    envelope_from: str
    dkim: str
    spf: str
    disposition: str
    reason: str
    dkim_domain: str
    dkim_result: str
    spf_domain: str
    spf_result: str
    count: int
    days: int
    reporters: int
    first: int
    last: int

    @property
    def passed(self) -> bool:
        """Whether the messages passed DMARC."""
        return "pass" in (self.dkim, self.spf)


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportedDay:
    """What all reporters counted on one day (days since the epoch, UTC). `quarantined` and `rejected` are of the
    failed."""

    day: int
    passed: int
    failed: int
    quarantined: int = 0
    rejected: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Reporter:
    """Somebody who reported, how many reports, on how many messages (sessions, of TLS)."""

    name: str
    reports: int
    count: int
