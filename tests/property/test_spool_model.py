"""The spool against a model in memory: whatever is added, delivered, held, released or restarted, both agree."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from gatepost.names import Body, Envelope, Recipient, Session, Tls
from gatepost.store.settings import SpoolSettings
from gatepost.store.spool import NewMessage, Outcome, Spool, SpoolShard, State, Treatment, quarantine
from gatepost.store.spool.ids import IdSource, parse_id, shard_of, write_id
from gatepost.store.spool.rows import (
    MESSAGE_WIDTH,
    NEW_RECIPIENT_COLUMNS,
    RECIPIENT_COLUMNS,
    prepare,
    read_message,
    read_recipient,
)

NOW = 1_790_000_000.0
SETTINGS = SpoolSettings(inline_limit=50, reserve=0, checkpoint_pages=4)
BEGINNINGS = st.sampled_from([State.QUEUED, State.QUEUED, State.QUARANTINED, State.HELD])

texts = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=20)
recipients = st.builds(
    Recipient,
    address=texts,
    notify=st.sampled_from([(), ("NEVER",), ("SUCCESS", "DELAY")]),
    orcpt=st.none() | texts,
    via=texts,
)
envelopes = st.builds(
    Envelope,
    mail_from=texts,
    recipients=st.lists(recipients, min_size=1, max_size=4).map(tuple),
    body=st.sampled_from(Body),
    smtputf8=st.booleans(),
    size=st.none() | st.integers(0, 1 << 40),
    ret=st.sampled_from([None, "FULL", "HDRS"]),
    envid=st.none() | texts,
    requiretls=st.booleans(),
)
tls = st.builds(
    Tls,
    version=st.sampled_from(["TLSv1.2", "TLSv1.3"]),
    cipher=st.just("TLS_AES_256_GCM_SHA384"),
    bits=st.integers(0, 512),
    verified=st.booleans(),
)
sessions = st.builds(
    Session,
    client_ip=texts,
    ehlo_domain=texts,
    protocol=st.sampled_from(["ESMTP", "UTF8SMTPS"]),
    tls=st.none() | tls,
    relay_ip=st.none() | texts,
    received_at=st.floats(0, 1e10),
)


FRESH = {"attempts": 0, "next_try": 0.0, "last_try": 0.0, "last_reply": "", "route": "", "bounce": "", "last_relay": ""}


@given(envelopes, sessions, st.binary(max_size=60), st.booleans(), texts)
def test_a_message_is_what_its_rows_say(
    envelope: Envelope, session: Session, body: bytes, proven: bool, reason: str
) -> None:
    new = NewMessage(id="1hcqmr800000", envelope=envelope, session=session, body=body, proven=proven, reason=reason)
    ready = prepare(new, inline=True)
    assert len(ready.message) == MESSAGE_WIDTH
    width = len(ready.recipients) // ready.recipient_count
    rows = [ready.recipients[start : start + width] for start in range(0, len(ready.recipients), width)]
    spooled = read_message(ready.message[:-2], [read_recipient(_as_read(row)) for row in rows])
    assert (spooled.id, spooled.envelope, spooled.session) == (new.id, envelope, session)
    assert (spooled.size, spooled.proven, spooled.reason) == (len(body), proven, reason)


def _as_read(row: tuple[Any, ...]) -> tuple[Any, ...]:
    """A new recipient's row as it is read back: what was not written has the table's default."""
    values = FRESH | dict(zip(NEW_RECIPIENT_COLUMNS.split(", "), row, strict=True))
    return tuple(values[column] for column in RECIPIENT_COLUMNS.split(", "))


@given(st.integers(0, 255), st.lists(st.floats(-1e9, 4e9), min_size=1, max_size=50))
def test_ids_grow_whatever_the_clock_does(shard: int, clock: list[float]) -> None:
    source = IdSource(shard)
    numbers = [source.next(now) for now in clock]
    assert numbers == sorted(set(numbers))
    assert all(shard_of(number) == shard for number in numbers)
    assert [parse_id(write_id(number)) for number in numbers] == numbers
    assert [write_id(number) for number in numbers] == sorted(map(write_id, numbers))


@given(st.text(max_size=14))
def test_any_text_is_an_id_or_none(text: str) -> None:
    number = parse_id(text)
    assert number is None or write_id(number) == text.lower()


class SpoolAndModel(RuleBasedStateMachine):
    """`model` maps an id to its octets and the states of its recipients."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp(prefix="gatepost-model-"))
        self.model: dict[str, tuple[bytes, list[State]]] = {}
        self.claimed: set[str] = set()
        self.open()

    def open(self) -> None:
        self.shard = SpoolShard.open(self.folder, 0, SETTINGS)
        self.spool = Spool.open(self.folder, SETTINGS, now=NOW, exclusive=True)

    def close(self) -> None:
        self.spool.close()
        self.shard.close()

    def teardown(self) -> None:
        self.close()
        shutil.rmtree(self.folder)

    @rule(
        messages=st.lists(st.tuples(st.binary(max_size=100), st.lists(BEGINNINGS, min_size=1, max_size=3)), max_size=4)
    )
    def add(self, messages: list[tuple[bytes, list[State]]]) -> None:
        batch = []
        for body, states in messages:
            to = tuple(Recipient(address=f"r{n}@example.org") for n in range(len(states)))
            new = NewMessage(
                id=self.shard.next_id(NOW),
                envelope=Envelope(mail_from="", recipients=to),
                session=Session(received_at=NOW),
                body=body,
                treatments=tuple(Treatment(state=state) for state in states),
            )
            batch.append(new)
            self.model[new.id] = (body, list(states))
        self.shard.add_many(batch)

    @rule(limit=st.integers(1, 5), data=st.data())
    def deliver(self, limit: int, data: st.DataObject) -> None:
        outcomes = []
        for spooled in self.spool.due(NOW, limit):
            body, states = self.model[spooled.id]
            assert self.spool.body(spooled.id) == body
            pending = spooled.pending(NOW)
            assert [r.position for r in pending] == [n for n, s in enumerate(states) if s is State.QUEUED]
            for recipient in pending:
                state = data.draw(st.sampled_from([State.DELIVERED, State.FAILED, State.QUEUED, State.QUARANTINED]))
                outcomes.append(Outcome(id=spooled.id, position=recipient.position, state=state, next_try=NOW))
                states[recipient.position] = state
        finished = self.spool.record(outcomes, NOW)
        assert set(finished) == self.forget_finished()

    @rule(
        act=st.sampled_from(["release", "delete", "hold", "unhold", "retry", "drop"]),
        pick=st.integers(0, 50),
        to=st.none() | st.integers(0, 2),
    )
    def administer(self, act: str, pick: int, to: int | None) -> None:
        if not self.model:
            return
        message_id = sorted(self.model)[pick % len(self.model)]
        was, becomes = {
            "release": ([State.QUARANTINED], State.QUEUED),
            "delete": ([State.QUARANTINED], State.DROPPED),
            "hold": ([State.QUEUED], State.HELD),
            "unhold": ([State.HELD], State.QUEUED),
            "retry": ([State.QUEUED], State.QUEUED),
            "drop": ([State.QUEUED, State.HELD], State.DROPPED),
        }[act]
        states = self.model[message_id][1]
        chosen = [n for n, s in enumerate(states) if s in was and to in (None, n)]
        address = None if to is None else f"R{to}@example.org"
        assert getattr(quarantine, act)(self.spool, message_id, NOW, address) == len(chosen)
        for position in chosen:
            states[position] = becomes
        self.forget_finished()

    @rule()
    def restart(self) -> None:
        self.close()
        self.open()

    def forget_finished(self) -> set[str]:
        finished = {i for i, (_, states) in self.model.items() if all(state.is_final for state in states)}
        for message_id in finished:
            del self.model[message_id]
        return finished

    @invariant()
    def both_agree(self) -> None:
        found = {m.id: [r.state for r in m.recipients] for m in self.spool.select("1", (), 10_000)}
        assert found == {message_id: states for message_id, (_, states) in self.model.items()}
        large = {message_id for message_id, (body, _) in self.model.items() if len(body) > SETTINGS.inline_limit}
        assert {path.name for path in (self.folder / "shard-000.bodies").iterdir()} == large


TestSpoolAndModel = SpoolAndModel.TestCase
TestSpoolAndModel.settings = settings(
    max_examples=20, stateful_step_count=25, deadline=None, suppress_health_check=list(HealthCheck)
)
