"""`gatepost rules`: which rules judge a message, and what each means.

In: an optional word to look for. Out: a table, or JSON. Not here: the rules (`inspector.rules`).
"""

from __future__ import annotations

import json

import click

from gatepost.cli.gate import json_option
from gatepost.cli.terminal import console, safe
from gatepost.errors import InputError
from gatepost.inspector.rule import Rule
from gatepost.inspector.rules import RULES


@click.command("rules")
@click.argument("word", required=False)
@json_option
def command(word: str | None, as_json: bool) -> None:
    """List the rules that judge a message, all or those whose code contains WORD."""
    found = [rule for rule in RULES if word is None or word.lower() in rule.code]
    if not found:
        raise InputError("WORD", word, "is in no rule's code; `gatepost rules` lists them all")
    if as_json:
        for rule in found:
            click.echo(json.dumps(as_data(rule)))
    else:
        _show(found)


def as_data(rule: Rule) -> dict[str, str | float]:
    """The rule as JSON values."""
    return {
        "code": rule.code,
        "severity": rule.severity.value,
        "weight": rule.weight,
        "group": rule.group,
        "summary": rule.summary,
        "why": rule.why,
        "remedy": rule.remedy,
        "reference": rule.reference,
    }


def _show(rules: list[Rule]) -> None:
    from rich.table import Table

    table = Table(box=None, pad_edge=False, header_style="bold")
    for title in ("code", "severity", "weight", "why it matters"):
        table.add_column(title, overflow="fold", justify="right" if title == "weight" else "left")
    for rule in rules:
        table.add_row(safe(rule.code), safe(rule.severity.value), safe(f"{rule.weight:g}"), safe(rule.why))
    console().print(table)
