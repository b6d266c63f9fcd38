"""Looks for patterns in every item: the small set that ships with Gatepost, and an administrator's own rules.

In: `Content` of any kind. Out: a trait `yara.match`. `prepare` compiles before the child is locked in; without it the
shipped rules alone are used. Standard: YARA's rule language, as YARA-X compiles it.
Not here: the shipped rules (`sandbox/yara/*.yar`), what a match leads to (`inspector.rules.attachments`).
"""

from __future__ import annotations

from collections.abc import Iterable
from importlib import resources
from pathlib import Path
from typing import Any

from gatepost.sandbox.finds import Finds
from gatepost.sandbox.reader import Content, Member

MAX_OCTETS = 8 << 20  # of one item
MAX_SECONDS = 2  # of one item: a pattern with nested repetitions never ends by itself
MAX_FILES = 500
MAX_RULE_FILE = 1 << 20
MAX_MATCHES = 20
SEVERITIES = ("info", "notice", "warning", "danger")

_compiled: Any = None


def prepare(folder: Path | None = None) -> list[str]:
    """Compiles the rules for this process. Out: what is wrong with an administrator's files, a line each; those are
    left out and the others count. Raises ImportError where yara-x is not installed."""
    import yara_x

    global _compiled
    compiler = yara_x.Compiler()
    problems: list[str] = []
    for each in sorted(resources.files("gatepost.sandbox").joinpath("yara").iterdir(), key=lambda file: file.name):
        if each.name.endswith(".yar"):
            compiler.new_namespace("gatepost")
            compiler.add_source(each.read_text("utf-8"))
    for path in _own(folder, problems):
        try:
            source = path.read_text("utf-8")
            if len(source) > MAX_RULE_FILE:
                raise ValueError(f"larger than {MAX_RULE_FILE} characters")
            trial = yara_x.Compiler()  # one file's mistake must not spoil the compiler for all
            trial.add_source(source)
            compiler.new_namespace(path.stem)
            compiler.add_source(source)
        except (OSError, ValueError, yara_x.CompileError) as error:
            problems.append(f"{path}: {str(error).strip().splitlines()[0]}")
    _compiled = compiler.build()
    return problems


def _own(folder: Path | None, problems: list[str]) -> list[Path]:
    if folder is None:
        return []
    try:
        files = sorted(path for path in folder.iterdir() if path.suffix in (".yar", ".yara"))
    except OSError as error:
        problems.append(f"{folder}: {error.strerror}")
        return []
    if len(files) > MAX_FILES:
        problems.append(f"{folder}: only the first {MAX_FILES} files are used")
    return files[:MAX_FILES]


def read(content: Content, finds: Finds) -> Iterable[Member]:
    """Tells which rules match. Without yara-x nothing is looked for: `prepare` told whoever has rules of his own."""
    try:
        import yara_x
    except ImportError:
        return ()
    if _compiled is None:
        prepare(None)
    scanner = yara_x.Scanner(_compiled)
    scanner.set_timeout(MAX_SECONDS)
    try:
        results = scanner.scan(content.octets[:MAX_OCTETS])
    except yara_x.TimeoutError:
        finds.trouble("time", content.path, f"the patterns were not looked for to the end within {MAX_SECONDS} s")
        return ()
    except yara_x.ScanError as error:
        finds.trouble("crash", content.path, f"the patterns could not be looked for: {error}")
        return ()
    matches = [_match(rule) for rule in results.matching_rules][:MAX_MATCHES]
    if matches:
        worst = max(matches, key=lambda match: SEVERITIES.index(match["severity"]))
        finds.trait(content.path, "yara.match", rules=matches, severity=worst["severity"])
    return ()


def _match(rule: Any) -> dict[str, str]:
    """Name, origin and what the rule says of itself; a rule that names no severity means harm."""
    said = {str(key).lower(): value for key, value in rule.metadata}
    severity = str(said.get("severity", "danger")).lower()
    return {
        "name": str(rule.identifier)[:100],
        "set": str(rule.namespace)[:100],
        "description": str(said.get("description", ""))[:300],
        "severity": severity if severity in SEVERITIES else "danger",
    }
