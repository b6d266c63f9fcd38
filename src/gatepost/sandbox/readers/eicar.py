"""Knows the one file that every scanner must stop, with neither scanner nor rules: the EICAR test file.

In: `Content` of any kind. Out: a trait `malware.eicar`. Standard: EICAR's "Anti-Malware Testfile": the file begins with
these 68 characters; behind them at most 128 in all, blanks and line ends alone.
Not here: scanners (`net.clamd`), rules (`yara`).
"""

from __future__ import annotations

from collections.abc import Iterable

from gatepost.sandbox.finds import Finds
from gatepost.sandbox.reader import Content, Member

# In two pieces, so that no scanner takes this file for it.
_TEST = b"X5O!P%@AP[4\\PZX54(P^)7CC)7}$" + b"EICAR-STANDARD-ANTIVIRUS-TEST-FILE!$H+H*"
_BLANKS = b" \t\r\n\x1a"
_LONGEST = 128


def read(content: Content, finds: Finds) -> Iterable[Member]:
    """Tells whether `content` is the test file. What is longer counts too where nothing but blanks follows."""
    octets = content.octets
    if octets.startswith(_TEST) and (len(octets) <= _LONGEST or not octets[len(_TEST) :].strip(_BLANKS)):
        finds.trait(content.path, "malware.eicar", name="EICAR-Test-File")
    return ()
