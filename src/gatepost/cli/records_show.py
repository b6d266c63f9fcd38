"""Plans, differences and what became of them, for people and as JSON.

In: `Planned`, `Step`, `Done`. Out: text on standard output. Not here: the commands (`records_plan`).
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import click

from gatepost.audit.standing import Compared, Planned
from gatepost.cli.terminal import visible

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gatepost.server.records.publish import Done, Step

_MARKS = {
    Compared.RIGHT: "ok",
    Compared.MISSING: "missing",
    Compared.YOURS: "yours",
    Compared.DIFFERS: "WRONG",
    Compared.UNKNOWN: "unknown",
    Compared.BY_HAND: "by hand",
}


def print_plan(found: Sequence[Planned], can_publish: bool, domain: str) -> None:
    """The table, and what is to be published."""
    from gatepost.cli.lists_own import print_table

    rows = [
        (
            _MARKS[one.compared]
            if one.wanted.need.value != "may" or one.compared is not Compared.MISSING
            else "optional",
            one.wanted.kind.value,
            f"{one.wanted.name} {one.wanted.rtype}",
            _shown(one),
        )
        for one in found
    ]
    print_table(("", "for", "record", "what stands, and what to do"), rows)
    due = [one for one in found if one.is_trouble]
    if not due:
        click.echo("Nothing has to be published.")
        return
    click.echo(f"\nTo publish ({len(due)}):\n")
    for one in due:
        click.echo(f"; {one.wanted.why}\n{one.wanted.text}\n")
    how = f"`gatepost records publish {domain}` does it" if can_publish else "[publish] lets the gate do it"
    click.echo(f"; {how}; `gatepost records print {domain} --format plain` is for a provider's form.")


def _shown(one: Planned) -> str:
    there = ", ".join(one.found)
    return visible(f"{there}: {one.words}" if there and one.compared is not Compared.RIGHT else one.words, 300)


def plan_json(one: Planned) -> dict[str, Any]:
    """One record; the schema is docs/schema/records-plan.json."""
    from gatepost.cli.records_format import record_json

    return {
        **record_json(one.wanted),
        "compared": one.compared.value,
        "found": list(one.found),
        "words": one.words,
        "trouble": one.is_trouble,
    }


def print_steps(steps: Sequence[Step]) -> None:
    """The difference of each record set."""
    for step in steps:
        click.echo(f"{visible(step.change.name)} {step.change.rtype}  (TTL {step.change.ttl})")
        before, after = step.before.records, step.change.records
        for mark, texts in (("-", [t for t in before if t not in after]), ("+", [t for t in after if t not in before])):
            for text in texts:
                click.echo(f"  {mark} {visible(text, 2000)}")
        for text in (t for t in after if t in before):
            click.echo(f"    {visible(text, 2000)}")


def print_done(done: Sequence[Done], as_json: bool) -> None:
    """What became of each change; the schema is docs/schema/records-publish.json."""
    for one in done:
        change = one.step.change
        if as_json:
            answer = {
                "name": change.name,
                "type": change.rtype,
                "before": list(one.step.before.records),
                "after": list(change.records),
                "outcome": one.outcome.value,
                "stands": one.stands,
                "reason": one.reason,
            }
            click.echo(json.dumps(answer))
        elif one.is_right:
            click.echo(f"done: {visible(change.name)} {change.rtype}")
        else:
            said = one.reason or ("it stands" if one.stands else "it does not stand")
            click.echo(f"NOT DONE: {visible(change.name)} {change.rtype}: {one.outcome.value}: {visible(said)}")
