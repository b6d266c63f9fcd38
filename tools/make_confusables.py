"""Makes the table of look-alike letters that the inspector ships from Unicode's `confusables.txt` (UTS 39 §4).

In: the path of confusables.txt, from https://www.unicode.org/Public/security/latest/. Out: one line a letter or digit
of ASCII, with the characters that look like it and may stand in a domain name (IDNA, as browsers map it).
What cannot stand in a name, or looks like no ASCII letter, is left out: 9,000 lines become some 30.
Not here: accented Latin letters (their marks are stripped at run time), what is made of it (`links.lookalike`).

    python tools/make_confusables.py confusables.txt > src/gatepost/inspector/links/data/confusables.txt
"""

from __future__ import annotations

import re
import sys
import unicodedata
from collections import defaultdict
from pathlib import Path

import idna

LINE = re.compile(r"([0-9A-F]+) ;\t([0-9A-F ]+) ;\tMA")
PLAIN = re.compile(r"[a-z0-9]{1,3}")
HEAD = """\
# Characters that may stand in a domain name and look like ASCII letters or digits, made by tools/make_confusables.py
# from confusables.txt of Unicode {version} (UTS 39). Copyright © Unicode, Inc.; licence in NOTICE beside it.
"""


def plain(text: str) -> str:
    """`text` without marks and case, as a skeleton has it."""
    return "".join(c for c in unicodedata.normalize("NFKD", text) if not unicodedata.combining(c)).lower()


def fits_a_name(char: str) -> bool:
    """Whether a browser would look up a name with `char` in it, unchanged."""
    try:
        return idna.uts46_remap(char, std3_rules=True) == char
    except idna.IDNAError:
        return False


def read_table(text: str) -> dict[str, str]:
    """The characters for each ASCII text."""
    table: defaultdict[str, list[str]] = defaultdict(list)
    for line in text.splitlines():
        found = LINE.match(line)
        if not found:
            continue
        source = chr(int(found[1], 16))
        target = plain("".join(chr(int(code, 16)) for code in found[2].split()))
        if source.isascii() or not PLAIN.fullmatch(target) or not fits_a_name(source):
            continue
        if plain(source) != target:  # else normalization does it
            table[target].append(source)
    return {target: "".join(sorted(sources)) for target, sources in sorted(table.items())}


def main() -> int:
    """0 when the table was written to stdout."""
    if len(sys.argv) != 2:
        print("write make_confusables.py PATH/confusables.txt", file=sys.stderr)
        return 2
    text = Path(sys.argv[1]).read_text("utf-8-sig")
    version = re.search(r"^# Version: (\S+)", text, re.MULTILINE)
    sys.stdout.write(HEAD.format(version=version[1] if version else "?"))
    for target, sources in read_table(text).items():
        sys.stdout.write(f"{target} {sources}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
