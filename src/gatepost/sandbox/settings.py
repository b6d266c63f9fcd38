"""What may be told to the opening of content: whether, how many children, how long, how much.

In: nothing. Out: `ContentSettings`, composed into the configuration by `config`. Standard: DESIGN, "How it runs".
Not here: who obeys it (`pool`, `child`, `walker`), what is made of trouble (`inspector.rules.trouble`).
"""

from __future__ import annotations

from dataclasses import dataclass

from gatepost.sandbox.limits import MEGABYTE


@dataclass(frozen=True, slots=True, kw_only=True)
class ContentSettings:
    """How the inside of messages is opened: HTML, archives, documents, pictures."""

    enabled: bool = True
    """Look inside messages. Without it the rules on links, attachments and texts find nothing."""
    children: int = 2
    """Child processes of each reception process that open content. They are born from one that has the readers loaded,
    so that they share its memory."""
    deadline: float = 15.0
    """Seconds that opening one message may take in all, waiting for a child included. What is not open by then counts
    as `content.timeout`. Keep it below `relay.deadline`, past which the client is asked to try later."""
    cpu_seconds: int = 15
    """Seconds of processor time that one message may take before the kernel ends the child."""
    memory: int = 256 * MEGABYTE
    """Octets of memory a child may take beyond what it is born with."""
    messages_per_child: int = 500
    """Messages after which a child is replaced by a new one."""
    waiting: int = 100
    """Messages that may wait for a child; more are judged without a look inside (`content.unopened`)."""
    max_items: int = 1000
    """Parts and files in archives that are opened, of one message. More is a bomb."""
    max_depth: int = 8
    """Levels of archives in archives. More is a bomb."""
    max_file: int = 32 * MEGABYTE
    """Octets of one unpacked file. More is a bomb."""
    max_unpacked: int = 128 * MEGABYTE
    """Octets of all unpacked files of one message together. More is a bomb."""
    max_ratio: int = 200
    """How many times larger than packed a file of more than 4 MB may be. More is a bomb; text seldom passes 20."""
    yara_rules: str = ""
    """Folder of your own YARA rules (`*.yar`, `*.yara`), used besides the small set that ships with Gatepost. Empty:
    that set alone. Read when the server starts."""
