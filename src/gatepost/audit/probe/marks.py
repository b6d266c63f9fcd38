"""Whether a delivered mail was marked as spam, and how.

In: a mail as it lies in the mailbox, and the folder. Out: the sign, in words; empty for none.
Standard: the fields that SpamAssassin, rspamd, Exchange, Proofpoint and Gatepost write.
Not here: fetching it (`net.mailbox`).
"""

from __future__ import annotations

import re

from gatepost.ports.mailbox import Found

_FOLDERS = re.compile(r"(?i)junk|spam|bulk|quarantine")
_FIELDS: tuple[tuple[str, re.Pattern[str]], ...] = (
    ("x-spam-flag", re.compile(r"(?i)\s*yes|\s*true")),
    ("x-spam-status", re.compile(r"(?i)\s*yes")),
    ("x-spam", re.compile(r"(?i)\s*(yes|true|spam)")),
    ("x-spam-level", re.compile(r"\s*\*{5}")),
    ("x-rspamd-action", re.compile(r"(?i)\s*(add header|rewrite subject|reject|quarantine)")),
    ("x-ms-exchange-organization-scl", re.compile(r"\s*[5-9]")),
    ("x-proofpoint-spam-details", re.compile(r"(?i).*rule=[a-z_]*spam")),
    ("x-virus-status", re.compile(r"(?i)\s*(infected|yes)")),
    ("x-virus-infected", re.compile(r".")),
    ("gatepost-verdict", re.compile(r"(?i)\s*(tag|quarantine|reject)")),
    ("subject", re.compile(r"(?i)\s*[\[*({<]*\s*(spam|junk|virus|phishing|suspicious|warning)")),
)
_FIELD = re.compile(r"^([!-9;-~]+):(.*(?:\n[ \t].*)*)", re.MULTILINE)
MAX_HEADER = 65536


def sign_of(found: Found) -> str:
    """How it was marked: by its folder, or by a field."""
    if _FOLDERS.search(found.folder):
        return f"it lies in the folder {found.folder}"
    head = found.raw[:MAX_HEADER].replace(b"\r\n", b"\n").partition(b"\n\n")[0].decode("utf-8", "replace")
    known = dict(_FIELDS)
    for name, body in _FIELD.findall(head):
        pattern = known.get(name.lower())
        if pattern is not None and pattern.match(body):
            return f"{name}:{' '.join(body.split())[:60]}"
    return ""
