"""Writes the pages that are made from the code: docs/rules.md, audit-checks.md, configuration.md, parts of README.md.

In: the rules, the settings types, docs/examples/. Out: the pages; with --check nothing is written, and a page that
differs from what would be written is named, with exit code 1. Not here: README.md's parts (`readme_parts`).
"""

from __future__ import annotations

import sys
from itertools import groupby
from pathlib import Path

from gatepost.audit.check import COST, Area
from gatepost.audit.checks import CHECKS
from gatepost.config import Settings
from gatepost.config.describe import as_markdown
from gatepost.inspector.rule import Rule
from gatepost.inspector.rules import RULES
from gatepost.inspector.settings import InspectorSettings

README = Path(__file__).resolve().parent.parent / "README.md"
DOCS = README.parent / "docs"
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


def checks_page() -> str:
    """Every check of an audit with what it means, by area."""
    points = ", ".join(f"{severity} {cost:g}" for severity, cost in COST.items() if cost)
    lines = [
        "# Checks of an audit",
        "",
        f"The {len(CHECKS)} checks of [`gatepost audit`](audit.md). The severity is the usual one; a case may be",
        f"milder or graver. Points that a finding takes off: {points}. Braces stand for what was seen.",
    ]
    for area in Area:
        lines += ["", f"## {area.words}"]
        for check in sorted((one for one in CHECKS if one.area is area), key=lambda one: one.code):
            lines += ["", f"### {check.code}", "", f"*{check.summary}*", "", check.why]
            if check.remedy and check.remedy != "{advice}":
                lines += ["", f"What to do: {check.remedy}"]
            lines += ["", f"Severity {check.severity}; {check.reference}."]
    return MADE + "\n".join(lines) + "\n"


CONFIGURATION = """\
# Configuration

One TOML file says everything: `gatepost.toml`. `gatepost init DOMAIN` writes the first one. Commands look for it at
`--config`, `$GATEPOST_CONFIG`, `./gatepost.toml` and `/etc/gatepost/gatepost.toml`, in this order.

- Every option has a safe default; the shortest file that works names one domain.
- A typo is an error, never silently ignored: an unknown key is refused with the nearest known one.
- Relative paths start at the file's folder. Sizes are in octets, times in seconds unless the option says days or hours.
- `gatepost serve --check` says whether a file would work and changes nothing; it may be run while the gate runs.
- SIGHUP (`systemctl reload gatepost`) reads the file again. A bad one is refused with the reason in the log, and the
  gate goes on with the old one. Connections that are open end by the old settings, new ones begin by the new.
  Only a larger number of workers needs a restart.

## A complete example

This is [examples/gatepost.toml](examples/gatepost.toml), which a test loads.

```toml
{example}```

# All options

"""


def configuration_page() -> str:
    """Every option of gatepost.toml."""
    example = (DOCS / "examples" / "gatepost.toml").read_text("utf-8")
    return MADE + CONFIGURATION.replace("{example}", example) + as_markdown(Settings)


PAGES = {"rules.md": rules_page, "audit-checks.md": checks_page, "configuration.md": configuration_page}


def main() -> int:
    """0 when all pages are (now) as the code says."""
    from readme_parts import drift, made_anew  # the lab and all it needs: only here

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
    found = [f"docs/{name} is not what the code says" for name in drifted]
    found += drift(README.read_text("utf-8")) if only_check else []
    for line in found:
        print(f"{line}; run `make docs`")
    if not only_check:
        README.write_text(made_anew(README.read_text("utf-8")), "utf-8")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
