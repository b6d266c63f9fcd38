"""Whether a delivery process is at work on a spool, for those who look at it from beside.

In: the spool's folder. Out: yes, no, or unknown where the system does not tell. The lock is only looked at: trying it
would, for a moment, keep a delivery process from starting. Standard: proc(5), /proc/locks.
Not here: taking the lock (`queue`).
"""

from __future__ import annotations

from pathlib import Path

OWNER = "delivery.owner"
_LOCKS = Path("/proc/locks")


def is_delivering(folder: Path) -> bool | None:
    """True while the delivery process of a gate has the spool in `folder`; None where nobody can tell."""
    try:
        found = (folder / OWNER).stat()
    except OSError:
        return False
    try:
        lines = _LOCKS.read_text("ascii", "replace").splitlines()
    except OSError:
        return None
    # "1: FLOCK  ADVISORY  WRITE 1234 08:01:393227 0 EOF": the inode is enough, for its device is written in hex of a
    # form that differs between file systems.
    return any(words[1] == "FLOCK" and words[5].rpartition(":")[2] == str(found.st_ino) for words in _words(lines))


def _words(lines: list[str]) -> list[list[str]]:
    return [words for line in lines if len(words := line.replace("-> ", "").split()) >= 6]
