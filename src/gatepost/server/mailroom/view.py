"""A held message made safe to look at: as data, nothing in it run, fetched or shown as the sender styled it.

In: a spooled message, its octets, the journal's entry. Out: `View`: header, structure, texts, links, what decided.
Content is opened in the sandbox; where there is none, our own reader of MIME gives structure and plain texts.
Text here is as the stranger wrote it, cut to a bound: whoever prints it makes control characters visible
(`cli.terminal`) or escapes it (a page). Not here: printing.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import Any

from gatepost.message.message import Message, parse_message
from gatepost.message.part import Part
from gatepost.message.words import decode_words
from gatepost.ports import Item, Opened, Text, Trouble
from gatepost.sandbox.pool import Sandbox
from gatepost.sandbox.settings import ContentSettings
from gatepost.store.journal import Entry
from gatepost.store.spool import Spooled, SpooledRecipient

MAX_TEXT = 20_000  # characters of one text, or of one field
MAX_LISTED = 200  # fields, parts, texts, links
MAX_DECODED = 50  # parts whose octets are decoded where there is no sandbox


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """`reason` is the decision that held it, as the reception wrote it down; `entry` has all findings, None where the
    journal no longer knows. `header` are names and values, encoded-words decoded in the subject only. `opened` is what
    is inside."""

    spooled: Spooled
    subject: str
    header: tuple[tuple[str, str], ...]
    reason: Mapping[str, Any]
    entry: Entry | None
    opened: Opened


def view_message(spooled: Spooled, raw: bytes, entry: Entry | None, opened: Opened | None = None) -> View:
    """The view of a message; `opened` is what `open_content` answers, None for our own reader's."""
    message = parse_message(raw)
    return View(
        spooled=spooled,
        subject=decode_words(message.header.text("subject"))[:MAX_TEXT],
        header=tuple((field.name, field.text[:MAX_TEXT]) for field in message.header.fields[:MAX_LISTED]),
        reason=read_reason(spooled),
        entry=entry,
        opened=opened if opened is not None else read_structure(message),
    )


def open_content(raw: bytes, settings: ContentSettings) -> Opened | None:
    """What the sandbox finds inside; None when it is switched off. Blocks; not for an event loop."""
    if not settings.enabled:
        return None

    async def opened() -> Opened:
        async with Sandbox(settings, preload=False) as sandbox:
            return await sandbox.begin(raw)

    return asyncio.run(opened())


def read_structure(message: Message) -> Opened:
    """Parts and plain texts, by our own reader: nothing that needs a sandbox is touched."""
    items, texts = [], []
    for number, (path, part) in enumerate(_leaves(message.tree, "")):
        if number >= MAX_DECODED:
            break
        octets = part.decoded.octets
        items.append(
            Item(
                path=path,
                name=part.filename,
                names=part.filenames,
                declared_type=part.content_type.value,
                kind="unknown",
                size=len(octets),
                sha256=hashlib.sha256(octets).hexdigest(),
                disposition=part.disposition.value,
            )
        )
        if part.content_type.value == "text/plain" and not part.filename:
            texts.append(Text(item=path, kind="plain", visible=part.text[:MAX_TEXT]))
    unread = len(items) > len(texts)
    trouble = (Trouble(code="unavailable", reason="only plain text is shown: content is not opened here"),)
    return Opened(items=tuple(items), texts=tuple(texts), trouble=trouble if unread else ())


def _leaves(root: Part, prefix: str) -> Iterator[tuple[str, Part]]:
    """The leaves with their numbers as IMAP counts them."""
    todo = [(root, prefix)]
    while todo:
        part, path = todo.pop()
        if part.is_message:
            todo.append((part.children[0], path or "1"))
        elif part.is_multipart:
            numbered = [(child, f"{path}.{n}" if path else str(n)) for n, child in enumerate(part.children, 1)]
            todo.extend(reversed(numbered))
        else:
            yield path or "1", part


def read_reason(spooled: Spooled) -> dict[str, Any]:
    """The decision that the pipeline wrote down; empty when there was nothing to say."""
    try:
        found = json.loads(spooled.reason) if spooled.reason else {}
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def spooled_data(spooled: Spooled) -> dict[str, Any]:
    """A message in the spool as JSON values; the schema is docs/schema/spooled.json."""
    return {
        "id": spooled.id,
        "received_at": spooled.received_at,
        "size": spooled.size,
        "mail_from": spooled.envelope.mail_from,
        "client_ip": spooled.session.client_ip,
        "ehlo_domain": spooled.session.ehlo_domain,
        "reason": read_reason(spooled),
        "recipients": [
            {
                "address": recipient.address,
                "state": recipient.state.value,
                "junk": recipient.junk,
                "attempts": recipient.attempts,
                "next_try": recipient.next_try,
                "last_try": recipient.last_try,
                "last_reply": recipient.last_reply,
                "last_relay": recipient.last_relay,
                "route": recipient.route,
                "bounce": recipient.bounce,
                "via": recipient.recipient.via,
            }
            for recipient in spooled.recipients
        ],
    }


def queued_data(spooled: Spooled, destination: Callable[[SpooledRecipient], str]) -> dict[str, Any]:
    """The same with where each copy goes next."""
    data = spooled_data(spooled)
    for recipient, entry in zip(spooled.recipients, data["recipients"], strict=True):
        entry["destination"] = destination(recipient)
    return data


def view_data(view: View) -> dict[str, Any]:
    """The view as JSON values; the schema is docs/schema/held.json."""
    opened = view.opened
    return {
        **spooled_data(view.spooled),
        "proven": view.spooled.proven,
        "subject": view.subject,
        "header": [{"name": name, "value": value} for name, value in view.header],
        "findings": [finding.as_json() for finding in view.entry.findings] if view.entry is not None else [],
        "parts": [_item_data(item) for item in opened.items[:MAX_LISTED]],
        "texts": [
            {"part": t.item, "kind": t.kind, "visible": t.visible[:MAX_TEXT], "hidden": t.hidden[:MAX_TEXT]}
            for t in opened.texts[:MAX_LISTED]
        ],
        "links": [
            {"part": link.item, "target": link.target[:MAX_TEXT], "shown": link.shown[:MAX_TEXT], "source": link.source}
            for link in opened.links[:MAX_LISTED]
        ],
        "trouble": [asdict(trouble) for trouble in opened.trouble[:MAX_LISTED]],
    }


def _item_data(item: Item) -> dict[str, Any]:
    return {
        "path": item.path,
        "name": item.name[:MAX_TEXT],
        "declared_type": item.declared_type,
        "kind": item.kind,
        "size": item.size,
        "sha256": item.sha256,
        "disposition": item.disposition,
        "traits": [trait.code for trait in item.traits],
    }
