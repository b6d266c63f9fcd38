"""Writes the pages that are made from the code: docs/rules.md and docs/configuration.md.

In: the rules and the settings types. Out: the pages; with --check nothing is written, and a page that differs from what
would be written is named, with exit code 1.
"""

from __future__ import annotations

import sys
from itertools import groupby
from pathlib import Path

from gatepost.config import Settings
from gatepost.config.describe import as_markdown
from gatepost.inspector.rule import Rule
from gatepost.inspector.rules import RULES
from gatepost.inspector.settings import InspectorSettings

DOCS = Path(__file__).resolve().parent.parent / "docs"
MADE = "<!-- Made by tools/make_docs.py (`make docs`); do not edit. -->\n\n"


def rules_page() -> str:
    """Every rule with what it means, by the first word of its code."""
    settings = InspectorSettings()
    caps = ", ".join(f"`{group}` {cap:g}" for group, cap in sorted(settings.group_caps.items()))
    lines = [
        "# Rules",
        "",
        f"The {len(RULES)} rules that judge a message. `gatepost rules` prints them, `gatepost inspect` shows what",
        "they find. The weights of a group are added up to the group's cap:",
        f"{caps}, others {settings.default_group_cap:g}.",
        f"The sum of the groups tags a message at {settings.tag_at:g}, quarantines it at",
        f"{settings.quarantine_at:g} and refuses it at {settings.reject_at:g}. What a DMARC policy demands, and the",
        "codes in `reject_codes` and `quarantine_codes`, decide whatever the sum. Braces stand for what was seen.",
        "",
        "| code | severity | weight | group |",
        "|---|---|---|---|",
    ]
    lines += [f"| {_link(rule.code)} | {rule.severity} | {rule.weight:g} | {rule.group} |" for rule in _sorted()]
    for family, rules in groupby(_sorted(), key=lambda rule: rule.code.partition(".")[0]):
        lines += ["", f"## {family}"]
        for rule in rules:
            lines += _section(rule)
    return MADE + "\n".join(lines) + "\n"


def _sorted() -> list[Rule]:
    return sorted(RULES, key=lambda rule: rule.code)


def _link(code: str) -> str:
    return f"[`{code}`](#{code.replace('.', '')})"


def _section(rule: Rule) -> list[str]:
    lines = ["", f"### {rule.code}", "", f"*{rule.summary}*", "", rule.why]
    if rule.remedy:
        lines += ["", f"What to do: {rule.remedy}"]
    return [*lines, "", f"Severity {rule.severity}, weight {rule.weight:g}, group `{rule.group}`; {rule.reference}."]


def configuration_page() -> str:
    """Every option of gatepost.toml."""
    opening = (
        "# Configuration\n\nEvery option of `gatepost.toml`. All have safe defaults; an unknown key is an error that "
        "names the nearest known\none. `gatepost serve --check` checks a file without starting.\n\n"
    )
    return MADE + opening + as_markdown(Settings)


PAGES = {"rules.md": rules_page, "configuration.md": configuration_page}


def main() -> int:
    """0 when all pages are (now) as the code says."""
    only_check = "--check" in sys.argv[1:]
    drifted = []
    for name, make in PAGES.items():
        path, text = DOCS / name, make()
        if path.exists() and path.read_text("utf-8") == text:
            continue
        if only_check:
            drifted.append(name)
        else:
            path.write_text(text, "utf-8")
            print(f"docs/{name} written")
    for name in drifted:
        print(f"docs/{name} is not what the code says; run `make docs`")
    return 1 if drifted else 0


if __name__ == "__main__":
    sys.exit(main())
