"""Rules on attached files that act: programs, scripts, shortcuts, disk images, patterns of YARA.

In: `Facts`. Out: `Seen`. Standard: practice; the traits are named in docs/content.md.
Not here: names (`attachment_names`), documents (`attachment_documents`), malware by signature (`scanner`).
"""

from __future__ import annotations

from collections.abc import Iterator

from gatepost.finding import Severity
from gatepost.inspector import file_names as names
from gatepost.inspector.facts import Facts
from gatepost.inspector.rule import Seen, rule
from gatepost.inspector.rules.attachment_names import FEW, attached, attachments
from gatepost.ports import Item

PROGRAMS = frozenset((*("pe", "elf", "macho", "java-class", "dex", "jar", "apk", "appx", "msi", "swf", "chm"),))
# A double click runs these; Windows has an interpreter for each. Shell and Python scripts have to be started by hand.
SCRIPTS = frozenset(("script-js", "vbs", "ps1", "bat", "hta", "wsf", "reg"))
PACKAGES = frozenset(("jar", "apk", "appx", "msi"))  # programs that are archives: what is in them is theirs
DISK_IMAGES = frozenset(("iso", "vhd", "img"))


def inside_program(item: Item, by_path: dict[str, Item]) -> bool:
    """Whether a package that is reported itself holds `item`."""
    parent = by_path.get(item.parent)
    while parent is not None:
        if parent.kind in PACKAGES:
            return True
        parent = by_path.get(parent.parent)
    return False


def programs(facts: Facts) -> Iterator[Item]:
    """Attached programs by their content, packages as one."""
    items = attachments(facts)
    by_path = {item.path: item for item in items}
    for item in items:
        if item.kind in PROGRAMS and not inside_program(item, by_path):
            yield item


@rule(
    code="attachment.program",
    severity=Severity.DANGER,
    weight=7.0,
    group="attachment",
    summary="A program is attached ({kind}): {name}.",
    why="Whoever starts it gives his computer away if the sender is not honest. Programs are not sent by mail.",
    remedy="Do not start it. Get programs from their maker.",
    reference="practice: executable attachments",
    when=attached,
)
def program(facts: Facts) -> Seen | None:
    for item in programs(facts):
        evidence = {"name": names.visible(item.name), "kind": item.kind, "item": item.path, "sha256": item.sha256}
        summary = "A program is hidden inside an attached file ({kind}): {name}." if item.parent else None
        return Seen(evidence=evidence, summary=summary)
    return None


@rule(
    code="attachment.script",
    severity=Severity.WARNING,
    weight=4.0,
    group="attachment",
    summary="A script is attached that a double click runs ({kind}): {name}.",
    why="Scripts fetch and start what does the harm; they are small, and scanners know few of them.",
    remedy="Do not open it.",
    reference="practice: script attachments",
    when=attached,
)
def script(facts: Facts) -> Seen | None:
    found: Seen | None = None
    items = attachments(facts)
    held = [item.parent for item in items]
    for item in items:
        if item.kind not in SCRIPTS or (item.parent and held.count(item.parent) > FEW):
            continue
        trait = item.trait("script.abilities")
        abilities = list(trait.evidence.get("abilities", ())) if trait is not None else []
        evidence = {"name": names.visible(item.name), "kind": item.kind, "abilities": abilities, "item": item.path}
        if "runs programs" in abilities or "decodes hidden code" in abilities:
            return Seen(evidence=evidence, severity=Severity.DANGER, weight=6.0)
        found = found or Seen(evidence=evidence)
    return found


@rule(
    code="attachment.shortcut",
    severity=Severity.DANGER,
    weight=6.0,
    group="attachment",
    summary="A shortcut is attached: {name} starts or opens {target}.",
    why="A shortcut looks like a document and starts a command, or opens a folder on the sender's own server.",
    remedy="Do not open it.",
    reference="practice: shortcuts; MS-SHLLINK",
    when=attached,
)
def shortcut(facts: Facts) -> Seen | None:
    found: Seen | None = None
    for item in attachments(facts):
        trait = item.trait("shortcut.target")
        if trait is None:
            continue
        told = trait.evidence
        target = f"{told.get('target', '')} {told.get('arguments', '')}".strip()[:300]
        evidence = {"name": names.visible(item.name), "target": names.visible(target), "item": item.path}
        far = target.lower().startswith(("file:", "\\\\", "javascript:", "search-ms:", "ms-"))
        if item.kind == "lnk" or told.get("library") or far:
            return Seen(evidence=evidence)
        found = found or Seen(evidence=evidence, severity=Severity.WARNING, weight=2.0)
    return found


@rule(
    code="attachment.disk-image",
    severity=Severity.WARNING,
    weight=5.0,
    group="attachment",
    summary="A disk image is attached: {name} ({format}).",
    why="Opening it mounts a drive, and the warning about files from the internet is lost for what lies on it.",
    remedy="Do not open it. Ask for the files themselves.",
    reference="practice: disk images",
    when=attached,
)
def disk_image(facts: Facts) -> Seen | None:
    for item in attachments(facts):
        trait = item.trait("disk.image")
        if trait is not None or item.kind in DISK_IMAGES:
            form = trait.evidence.get("format", item.kind) if trait is not None else item.kind
            return Seen(evidence={"name": names.visible(item.name), "format": form, "item": item.path})
    return None


_BY_SEVERITY = {"danger": 8.0, "warning": 3.5, "notice": 1.0, "info": 0.0}


@rule(
    code="attachment.pattern",
    severity=Severity.DANGER,
    weight=8.0,
    group="attachment",
    summary="A pattern of attacks fits {name}: {description}.",
    why="A YARA rule describes how such files look; the rule's own words say what it looks for.",
    remedy="Do not open it. If it is a false alarm, disable the rule in its file or tell the rule's maker.",
    reference="practice: YARA rules (content.yara_rules)",
    when=attached,
)
def pattern(facts: Facts) -> Seen | None:
    found: Seen | None = None
    for item in attachments(facts):
        trait = item.trait("yara.match")
        if trait is None or (item.kind == "text" and not item.name):  # the words of a forwarded warning
            continue
        rules = [rule for rule in trait.evidence.get("rules", ()) if isinstance(rule, dict)]
        severity = str(trait.evidence.get("severity", "danger"))
        told = [str(rule.get("description") or rule.get("name")) for rule in rules if rule.get("severity") == severity]
        evidence = {
            "name": names.visible(item.name),
            "description": "; ".join(told) or "no description",
            "rules": [f"{rule.get('set', '')}:{rule.get('name', '')}" for rule in rules],
            "item": item.path,
        }
        weight = _BY_SEVERITY.get(severity, 8.0)
        if found is None or weight > (found.weight or 0.0):
            level = Severity(severity) if severity in _BY_SEVERITY else Severity.DANGER
            found = Seen(evidence=evidence, severity=level, weight=weight)
    return found
