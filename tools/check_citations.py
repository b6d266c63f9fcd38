"""Fails when the RFCs cited in src/ and the list in docs/standards.md drift apart.

In: the tree. Out: one line a difference, exit code 1 if there is any. docs/standards.md holds a table whose rows
start with `| RFC 1234 |` and whose last column names the modules that obey it (paths below src/gatepost, comma
separated, or "-").
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
SOURCE = ROOT / "src" / "gatepost"
CITATION = re.compile(r"\bRFC\s?(\d{3,5})\b")
ROW = re.compile(r"^\|\s*RFC (\d+)\s*\|.*\|\s*([^|]*?)\s*\|\s*$", re.MULTILINE)


def cited() -> dict[str, set[str]]:
    """RFC number to the modules that cite it."""
    found: dict[str, set[str]] = {}
    for path in sorted(SOURCE.rglob("*.py")):
        for number in CITATION.findall(path.read_text("utf-8")):
            found.setdefault(number, set()).add(str(path.relative_to(SOURCE)))
    return found


def listed() -> dict[str, set[str]]:
    """RFC number to the modules that docs/standards.md names for it."""
    rows: dict[str, set[str]] = {}
    for number, modules in ROW.findall((ROOT / "docs" / "standards.md").read_text("utf-8")):
        rows[number] = {name.strip(" `") for name in modules.split(",") if name.strip(" `-")}
    return rows


def main() -> int:
    """0 when code and list agree."""
    in_code, in_list = cited(), listed()
    problems = [
        f"RFC {number} is cited in {', '.join(sorted(modules))} but not listed in docs/standards.md"
        for number, modules in sorted(in_code.items(), key=lambda item: int(item[0]))
        if number not in in_list
    ]
    for number, modules in sorted(in_list.items(), key=lambda item: int(item[0])):
        problems += [
            f"docs/standards.md says {module} obeys RFC {number}, but nothing there cites it"
            for module in sorted(modules)
            if not any(path == module or path.startswith(module.rstrip("/") + "/") for path in in_code.get(number, ()))
        ]
    print("\n".join(problems) or f"{len(in_code)} RFCs cited, all listed")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
