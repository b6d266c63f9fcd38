"""`make rule NAME=header.too-many-x`: the skeleton of a rule, of its test, and its place in the list.

In: the rule's code. Out: src/gatepost/inspector/rules/NAME.py, tests/unit/inspector/rules/test_NAME.py, and a line in
rules/__init__.py. Refuses to overwrite. The new test fails until the rule is written.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
CODE = re.compile(r"[a-z][a-z0-9-]*(\.[a-z0-9][a-z0-9-]*)+")

RULE = '''"""The rule {code}: TODO what it looks for, in plain words.

In: `Facts`. Out: `Seen`. Standard: TODO RFC and section, or the practice.
Not here: TODO what is near and where it is.
"""

from __future__ import annotations

from gatepost.finding import Severity
from gatepost.inspector.facts import Facts
from gatepost.inspector.rule import Seen, rule


@rule(
    code="{code}",
    severity=Severity.NOTICE,
    weight=1.0,
    group="{group}",
    summary="TODO one sentence for somebody who is no expert; {{what}} is filled from the evidence.",
    why="TODO what harm comes of it.",
    remedy="TODO what to do.",
    reference="TODO RFC 5322 §3.6, or practice: …",
)
def {name}(facts: Facts) -> Seen | None:
    what = facts.header.text("x-todo")
    return Seen(evidence={{"what": what}}) if what else None
'''

TEST = '''"""The rule {code}, seen and not seen."""

from __future__ import annotations

from judging import CLEAN_HEADER, see

from gatepost.inspector.rules import {name} as rules


def test_{name}() -> None:  # {code}
    finding = see(rules.{name}, header=CLEAN_HEADER + "X-Todo: yes\\n")
    assert finding is not None
    assert "TODO" not in finding.summary, "write the rule"
    assert see(rules.{name}) is None
'''


def make_rule(code: str, root: Path) -> list[Path]:
    """Writes the files below `root` and answers which; raises ValueError or FileExistsError with a clear line."""
    if not CODE.fullmatch(code):
        raise ValueError(f"{code!r} is no rule code; write make rule NAME=header.too-many-x")
    name = re.sub(r"[.-]", "_", code)
    folder = root / "src" / "gatepost" / "inspector" / "rules"
    listing = folder / "__init__.py"
    listed = listing.read_text("utf-8")
    files = {
        folder / f"{name}.py": RULE.format(code=code, name=name, group=code.partition(".")[0]),
        root / "tests" / "unit" / "inspector" / "rules" / f"test_{name}.py": TEST.format(code=code, name=name),
    }
    for path in (*files, *sorted(folder.parent.rglob("*.py"))):
        if path.exists() and (path in files or f'"{code}"' in path.read_text("utf-8")):
            raise FileExistsError(f"{path.relative_to(root)} has it already; nothing was written")
    for path, text in files.items():
        path.write_text(text, "utf-8")
    listing.write_text(_enlisted(listed, name), "utf-8")
    return [*files, listing]


def _enlisted(text: str, name: str) -> str:
    """The list of rules with one more at its end, and the import that it needs."""
    line = re.search(r"^from gatepost\.inspector\.rules import \(\n(.*?)^\)$", text, re.MULTILINE | re.DOTALL)
    end = text.find("\n)", text.find("RULES: "))
    if line is None or end < 0:
        raise ValueError("rules/__init__.py has changed its form; add the rule to its list by hand")
    names = sorted({*(part.strip() for part in line[1].split(",") if part.strip()), name})
    text = text[:end] + f"\n    {name}.{name}," + text[end:]
    listed = "".join(f"    {each},\n" for each in names)
    return text.replace(line[0], f"from gatepost.inspector.rules import (\n{listed})", 1)


def main() -> int:
    """0 when the skeletons were written."""
    if len(sys.argv) != 2 or not sys.argv[1]:
        print("write make rule NAME=header.too-many-x", file=sys.stderr)
        return 2
    try:
        for path in make_rule(sys.argv[1], ROOT):
            print(path.relative_to(ROOT))
    except (ValueError, OSError) as error:
        print(error, file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
