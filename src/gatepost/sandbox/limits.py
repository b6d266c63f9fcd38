"""The bounds of one message's opening: what a child is given with each job and every reader obeys.

In: numbers from the settings. Out: `Limits`. Standard: DESIGN, "Limits on everything an outsider controls"; TRAPS,
"Archives". Not here: the settings an administrator writes (`settings`), processor time and memory (`confine`).
"""

from __future__ import annotations

from dataclasses import dataclass

MEGABYTE = 1 << 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Counts are of the whole message, sizes in octets or characters. Ordinary mail stays far below all of them."""

    items: int = 1000  # parts and members together
    depth: int = 8  # archives within archives; people do not get past three
    member: int = 32 * MEGABYTE  # of one unpacked file
    total: int = 128 * MEGABYTE  # of all unpacked files together
    ratio: int = 200  # unpacked to packed, looked at from `ratio_from` on; deflate itself ends at 1032
    ratio_from: int = 4 * MEGABYTE
    links: int = 4000
    link_length: int = 4000  # browsers show and follow longer ones, but nobody needs them
    shown_length: int = 500
    texts: int = 400
    text_length: int = 200_000  # of one text; what is longer is cut
    text_total: int = 1_000_000
    traits: int = 2000
    trouble: int = 100
    name_length: int = 500
    names: int = 8
    evidence_length: int = 500  # of a string in the evidence of a trait
    evidence_entries: int = 50
    output: int = 16 * MEGABYTE  # of the answer as JSON
