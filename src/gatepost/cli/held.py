"""A message in the spool for a person at a terminal: who, what, why, and what is inside, nothing of it acted on.

In: a `View`. Out: lines. Control characters and direction overrides are shown as themselves (`terminal.visible`), links
are text, nothing is fetched. Not here: gathering it (`server.mailroom.view`).
"""

from __future__ import annotations

from collections.abc import Iterator

from gatepost.cli.clock import clock
from gatepost.cli.spool import codes_of
from gatepost.cli.terminal import visible
from gatepost.finding import Severity
from gatepost.ports import Item, Text
from gatepost.server.mailroom.view import View

SHOWN_TEXT = 4000  # characters of all texts together
SHOWN = 40  # parts and links


def as_text(view: View) -> str:
    """The whole view."""
    return "\n".join([*_about(view), *_why(view), *_header(view), *_inside(view), *_texts(view)])


def _about(view: View) -> Iterator[str]:
    spooled = view.spooled
    session = spooled.session
    yield f"id       {spooled.id}"
    yield (
        f"arrived  {clock(spooled.received_at)} from {visible(session.client_ip)} ({visible(session.ehlo_domain)}),"
        f" {spooled.size} octets"
    )
    yield f"sender   <{visible(spooled.envelope.mail_from)}>{'' if spooled.proven else '   not proven'}"
    yield f"subject  {visible(view.subject)}"
    for recipient in spooled.recipients:
        stands = f"{recipient.state.value} {visible(recipient.last_reply)}".rstrip()
        yield f"to       <{visible(recipient.address)}> {stands}"


def _why(view: View) -> Iterator[str]:
    reason = view.reason
    if "action" in reason:
        yield f"why      {reason['action']} at score {reason.get('score', 0):g}: {codes_of(dict(reason))}"
    elif reason:
        yield f"why      {visible(str(dict(reason)))}"
    if view.entry is None:
        return
    for finding in sorted(view.entry.findings, key=lambda finding: -finding.weight):
        if finding.weight > 0 or finding.severity.rank >= Severity.NOTICE.rank:
            whom = f" (for <{visible(finding.recipient)}>)" if finding.recipient else ""
            yield f"  {finding.weight:+5.1f}  {finding.code}: {visible(finding.summary)}{whom}"


def _header(view: View) -> Iterator[str]:
    yield ""
    for name, value in view.header:
        yield visible(f"{name}: {value}".replace("\t", " "))


def _inside(view: View) -> Iterator[str]:
    opened = view.opened
    if opened.items:
        yield ""
        yield "parts"
        yield from (_item(item) for item in opened.items[:SHOWN])
        if len(opened.items) > SHOWN:
            yield f"  … {len(opened.items) - SHOWN} more"
    for trouble in opened.trouble[:SHOWN]:
        where = f" in {visible(trouble.item)}" if trouble.item else ""
        yield f"  not wholly opened{where}: {trouble.code}, {visible(trouble.reason)}"
    if opened.links:
        yield ""
        yield "links (do not follow them)"
        for link in opened.links[:SHOWN]:
            shown = f"   shown as {visible(link.shown, 120)!r}" if link.shown else ""
            yield f"  {visible(link.target, 300)}{shown}"
        if len(opened.links) > SHOWN:
            yield f"  … {len(opened.links) - SHOWN} more"


def _item(item: Item) -> str:
    kind = item.kind if item.kind != "unknown" else item.declared_type or "unknown"
    declared = f", declared {visible(item.declared_type)}" if item.declared_type and item.declared_type != kind else ""
    name = f"  {visible(item.name)!r}" if item.name else ""
    traits = f"  [{', '.join(trait.code for trait in item.traits[:8])}]" if item.traits else ""
    return f"  {item.path:8} {kind}{declared}, {item.size} octets{name}{traits}"


def _texts(view: View) -> Iterator[str]:
    left = SHOWN_TEXT
    for text in view.opened.texts:
        if left <= 0:
            yield "… more text; `--json` has it, `--raw` writes all octets, exactly as they are"
            return
        yield ""
        yield f"text of part {visible(text.item)} ({text.kind})"
        yield from _lines(text, left)
        left -= len(text.visible)
        if text.hidden:
            yield f"hidden in it: {visible(' '.join(text.hidden.split()))}"


def _lines(text: Text, most: int) -> Iterator[str]:
    for line in text.visible[:most].splitlines():
        yield f"  {visible(line)}"
    if len(text.visible) > most:
        yield f"  … {len(text.visible) - most} characters more; `--raw` writes all octets, exactly as they are"
