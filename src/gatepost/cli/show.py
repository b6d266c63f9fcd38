"""Prints an inspection for a person: the verdict first, then how the message came, who is proven, what was found.

In: `Inspection`. Out: text on the terminal, in which nothing of the message is markup or a control character.
Standard: DESIGN, "Findings and decisions". Not here: data for programs (`Inspection.as_json`).
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

from rich.console import Console, Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from gatepost.api import Inspection
from gatepost.cli.terminal import SEVERITY_STYLE, safe, visible
from gatepost.finding import Finding, Severity
from gatepost.inspector.decision import Action
from gatepost.inspector.trace import JudgedFrom, PathHop
from gatepost.ports import Item, Link

ACTION_STYLE = {
    Action.ACCEPT: "bold green",
    Action.TAG: "bold yellow",
    Action.QUARANTINE: "bold red",
    Action.DEFER: "bold blue",
    Action.REJECT: "bold white on red",
}
ACTION_WORDS = {
    Action.ACCEPT: "it goes to the inbox",
    Action.TAG: "it goes to the Junk folder",
    Action.QUARANTINE: "it is held back for a person to look at",
    Action.DEFER: "the sender is asked to try again later (451)",
    Action.REJECT: "it is refused in the session (550)",
}
RESULT_STYLE = {"pass": "green", "fail": "bold red", "softfail": "yellow", "temperror": "blue", "permerror": "yellow"}
PLAIN = (str, int, float)
MOST = 20  # links or attachments that are shown
MAX_TARGET = 120  # characters of a link


def show_inspection(console: Console, inspection: Inspection, name: str) -> None:
    """The whole report on one message."""
    console.print(_verdict(inspection, name))
    console.print(_section("Path", _path(inspection)))
    console.print(_section("Authentication", _authentication(inspection)))
    console.print(_section("Findings", _findings(inspection.findings)))
    content = inspection.facts.content
    if content is not None and content.attachments:
        console.print(_section("Attachments", _attachments(content.attachments)))
    if content is not None and content.opened.links:
        console.print(_section("Links", _links(content.opened.links)))


def show_line(console: Console, inspection: Inspection, name: str) -> None:
    """One message in one line, for mailboxes."""
    decision = inspection.decision
    line = Text(f"{decision.action.value:<10}", style=ACTION_STYLE[decision.action])
    line.append(f" {decision.score:>6.1f}  ", style="default")
    grave = [f.code for f in inspection.findings if f.severity.rank >= Severity.WARNING.rank]
    authors = ", ".join(box.address for box in inspection.facts.authors[:2]) or "(no sender)"
    line.append_text(safe(f"{visible(name, 60)}  {visible(authors, 60)}  {' '.join(grave[:4])}"))
    console.print(line, soft_wrap=True)


def _section(title: str, content: RenderableType) -> RenderableType:
    return Group(Text(""), Text(title, style="bold"), Padding(content, (0, 0, 0, 2)))


def _verdict(inspection: Inspection, name: str) -> RenderableType:
    decision = inspection.decision
    head = Text(decision.action.value.upper(), style=ACTION_STYLE[decision.action])
    head.append(f"  {ACTION_WORDS[decision.action]}; score {decision.score:g}", style="default")
    if decision.decided_by:
        head.append(f", decided by {', '.join(decision.decided_by)}", style="default")
    about = inspection.as_json()["message"]
    table = Table.grid(padding=(0, 2))
    for label, value in (
        ("message", name),
        ("from", ", ".join(f"{p['name']} <{p['address']}>".strip() for p in about["from"]) or "(none)"),
        ("to", ", ".join(p["address"] for p in about["to"][:5]) or "(none)"),
        ("subject", about["subject"] or "(none)"),
        ("envelope", "unknown" if about["mail_from"] is None else f"<{about['mail_from']}>"),
        ("judged", _judged(inspection)),
    ):
        table.add_row(Text(label, style="dim"), safe(value))
    return Group(head, table)


def _judged(inspection: Inspection) -> str:
    facts = inspection.facts
    who = f"{facts.session.client_ip} ({facts.session.ehlo_domain or 'no EHLO name'})"
    when = _time(facts.now)
    if facts.path.judged_from is JudgedFrom.UNKNOWN:
        return f"without a sending address, at {when}"
    if facts.path.judged_from is JudgedFrom.RECEIVED:
        return f"as received from {who}, as {facts.path.judged_by or 'the topmost Received field'} says, at {when}"
    return f"as received from {who}, at {when}"


def _path(inspection: Inspection) -> RenderableType:
    hops = inspection.path.hops
    if not hops:
        return Text("no Received fields, and no sending address was given", style="dim")
    table = Table(box=None, pad_edge=False, header_style="dim")
    for title in ("#", "from", "by", "with", "TLS", "address", "reverse name", "time (UTC)", "delay"):
        table.add_column(title, overflow="fold")
    trusted_from = next((hop.number for hop in hops if hop.trusted), None)
    for hop in hops:
        if hop.number == trusted_from and hop.number > 1:
            table.add_row("", Text("▲ claimed", style="yellow"), Text("▼ trusted", style="yellow"))
        table.add_row(*_hop_cells(inspection, hop), style="" if hop.trusted else "dim")
    if trusted_from is None:
        return Group(
            table, Text("All of this was written by servers that are not known to be trusted.", style="yellow")
        )
    return table


def _hop_cells(inspection: Inspection, hop: PathHop) -> list[Text]:
    is_live = inspection.path.judged_from is JudgedFrom.SESSION and hop is inspection.path.hops[-1]
    is_judged = hop.address and hop.address == inspection.facts.session.client_ip
    iprev = inspection.authentication.iprev
    reverse = hop.reverse_name
    if is_judged:
        reverse = f"{iprev.name} ✓" if iprev.name else (", ".join(iprev.names[:1]) + " ✗" if iprev.names else "none")
    return [
        safe(hop.number),
        safe(hop.from_name or "-"),
        safe(hop.by or ("here" if is_live else "-")),
        safe(hop.protocol or "-"),
        safe(hop.tls or "no"),
        safe(hop.address or "-", style="bold" if is_judged else ""),
        safe(reverse or "-"),
        safe(_time(hop.time)),
        safe(_delay(hop.delay)),
    ]


def _authentication(inspection: Inspection) -> RenderableType:
    auth = inspection.authentication
    table = Table.grid(padding=(0, 2))
    aligned = auth.dmarc.alignment
    for spf, label in ((auth.spf_mail_from, "SPF"), (auth.spf_ehlo, "SPF of EHLO")):
        if spf is not None:
            note = _aligned(aligned.spf, spf.result == "pass") if label == "SPF" else ""
            table.add_row(label, _result(spf.result), safe(spf.domain), safe(note), safe(spf.reason))
    if auth.spf_mail_from is None:
        table.add_row("SPF", _result("none"), safe(""), safe(""), safe("not checked: address or envelope not known"))
    for one in auth.dkim.signatures[:8]:
        note = _aligned(aligned.dkim, one.result == "pass")
        table.add_row("DKIM", _result(one.result), safe(f"{one.domain} ({one.selector})"), safe(note), safe(one.reason))
    if not auth.dkim.signatures:
        table.add_row("DKIM", _result("none"), safe(""), safe(""), safe("no signature"))
    policy = f"p={auth.dmarc.policy.value} of {auth.dmarc.policy_domain}" if auth.dmarc.policy else "no policy"
    table.add_row(
        "DMARC", _result(auth.dmarc.result), safe(auth.dmarc.author_domain), safe(policy), safe(auth.dmarc.reason)
    )
    table.add_row("ARC", _result(auth.arc.result), safe(auth.arc.sealer), safe(""), safe(auth.arc.reason))
    table.add_row("iprev", _result(auth.iprev.result), safe(auth.iprev.name), safe(""), safe(auth.iprev.reason))
    return table


def _aligned(is_aligned: bool, passed: bool) -> str:
    return ("aligned" if is_aligned else "not aligned") if passed else ""


def _result(word: str) -> Text:
    return Text(word, style=RESULT_STYLE.get(word, "dim"))


def _findings(findings: tuple[Finding, ...]) -> RenderableType:
    if not findings:
        return Text("none")
    table = Table.grid(padding=(0, 2))
    for finding in sorted(findings, key=lambda f: (-f.severity.rank, -f.weight)):
        body = [safe(finding.summary)]
        if finding.severity is not Severity.PASS:
            body += _details(finding)
        code = Text(finding.code)
        table.add_row(Text(finding.severity.value, style=SEVERITY_STYLE[finding.severity]), code, Group(*body))
    return table


def _details(finding: Finding) -> list[Text]:
    lines = []
    known = {key: value for key, value in finding.evidence.items() if isinstance(value, PLAIN) and value != ""}
    if known:
        lines.append(safe("seen: " + ", ".join(f"{key}={_plain(value)}" for key, value in known.items()), style="dim"))
    if finding.remedy:
        lines.append(safe("do: " + finding.remedy))
    if finding.reference:
        lines.append(safe(f"see: {finding.reference}; weight {finding.weight:g}", style="dim"))
    return lines


def _attachments(items: Sequence[Item]) -> RenderableType:
    """What is attached, and what is in it."""
    table = Table.grid(padding=(0, 2))
    for item in items[:MOST]:
        traits = ", ".join(trait.code for trait in item.traits[:6])
        size = f"{item.size} octets" if item.size < 10_000 else f"{item.size >> 10} KB"
        table.add_row(safe(item.path), safe(item.kind), safe(item.name or "(no name)"), safe(size), safe(traits))
    return Group(table, *_more(len(items)))


def _links(links: Sequence[Link]) -> RenderableType:
    """Where links lead, once each; written so that no terminal makes them clickable."""
    targets = dict.fromkeys((link.target, link.source) for link in links)
    table = Table.grid(padding=(0, 2))
    for target, source in list(targets)[:MOST]:
        table.add_row(safe(source), safe(visible(target, MAX_TARGET).replace("://", "[:]//", 1)))
    return Group(table, *_more(len(targets)))


def _more(count: int) -> list[Text]:
    return [Text(f"… and {count - MOST} more; --json shows all", style="dim")] if count > MOST else []


def _plain(value: object) -> str:
    return f"{value:.1f}" if isinstance(value, float) else str(value)


def _time(epoch: float | None) -> str:
    if epoch is None:
        return "-"
    try:
        return datetime.fromtimestamp(epoch, UTC).strftime("%Y-%m-%d %H:%M:%S")
    except (OverflowError, OSError, ValueError):
        return "-"


def _delay(seconds: float | None) -> str:
    if seconds is None:
        return "-"
    sign, rest = ("-" if seconds < 0 else ""), abs(int(seconds))
    if rest < 120:
        return f"{sign}{rest} s"
    return f"{sign}{rest // 60} min" if rest < 7200 else f"{sign}{rest // 3600} h"
