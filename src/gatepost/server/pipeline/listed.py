"""What lists said of a message, as rows for `gatepost lists report`.

In: a judgement, the message's id and session. Out: a `WouldHave` a list that named something in it, those in mode
"watch" and those that count, with what each changes. Standard: none. Not here: who keeps them (`store.watch`).
"""

from __future__ import annotations

from collections.abc import Iterator

from gatepost.inspector.counterfactual import effect_of
from gatepost.inspector.judge import Judgement
from gatepost.inspector.standing import gravest_block
from gatepost.store.watch import WouldHave


def listing_hits(judgement: Judgement, *, message_id: str, session: str, now: float) -> Iterator[WouldHave]:
    """One row a list and one for an own block; nothing for most messages."""
    standing = judgement.facts.standing
    if standing is None:
        return
    client = judgement.facts.session.client_ip
    heaviest = {one.one.name: one for one in sorted(standing.listings.listed, key=lambda one: abs(one.weight))}
    for name, one in heaviest.items():
        effect = effect_of(judgement, one)
        yield WouldHave(
            check=f"list.{name}",
            at=now,
            mode=one.one.mode,
            action=effect.value if effect is not None else "weigh",
            client_ip=client,
            message_id=message_id,
            session=session,
            subject=one.subject.value,
            reason=one.says,
        )
    block = gravest_block(standing.blocks)
    if block is not None:
        yield WouldHave(
            check="list.local-block",
            at=now,
            mode="on",
            action=block.entry.action,
            client_ip=client,
            message_id=message_id,
            session=session,
            subject=block.entry.value,
            reason=block.entry.comment,
        )
