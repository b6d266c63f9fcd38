"""Reads scripts and commands: what they are able to do, and the addresses in them.

In: `Content` of kind script-sh, script-js, script-py, vbs, ps1, bat, hta, wsf or reg. Out: a trait `script.abilities`,
links of source "html-script". Standard: none. Not here: scripts in pages (`html`), patterns of attacks (`yara`).
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from gatepost.sandbox.finds import Finds
from gatepost.sandbox.kind_of_text import as_text
from gatepost.sandbox.reader import Content, Member

MAX_OCTETS = 1 << 20
MAX_LINKS = 200

_URL = re.compile(r"https?://[\w.:%@/?&=+~#,;$!*()\[\]-]{4,2000}", re.IGNORECASE)
_ABILITIES: tuple[tuple[str, str], ...] = (
    (
        "runs programs",
        r"WScript\.Shell|Shell\.Application|Start-Process|\bcmd(?:\.exe)?\s+/c|ShellExecute|child_process|os\.system"
        r"|subprocess|\bIEX\b|Invoke-Expression|rundll32|regsvr32",
    ),
    (
        "fetches files",
        r"XMLHTTP|WinHttpRequest|DownloadString|DownloadFile|Invoke-WebRequest|\bcurl\b|\bwget\b|bitsadmin|-urlcache"
        r"|urllib\.request|requests\.get|Start-BitsTransfer",
    ),
    (
        "decodes hidden code",
        r"FromBase64String|-enc(?:odedcommand)?\b|\batob\s*\(|String\.fromCharCode|\bunescape\s*\(|StrReverse"
        r"|certutil\S{0,10}\s+-decode|base64\s+(?:-d|--decode)|\beval\s*\(",
    ),
    ("writes files", r"ADODB\.Stream|SaveToFile|CreateTextFile|Out-File|WriteAllBytes"),
    ("starts with the system", r"CurrentVersion\\Run|schtasks|Startup\\|crontab|Register-ScheduledTask"),
    ("switches protection off", r"Set-MpPreference|DisableRealtimeMonitoring|vssadmin\s+delete|Amsi"),
)
_PATTERNS = tuple((ability, re.compile(pattern, re.IGNORECASE)) for ability, pattern in _ABILITIES)
# A word of a thousand letters and digits without a blank is data in disguise
_BLOB = re.compile(r"[A-Za-z0-9+/=]{1000}")


def read(content: Content, finds: Finds) -> Iterable[Member]:
    """Tells the abilities and the addresses."""
    text = decoded(content)
    abilities = [name for name, pattern in _PATTERNS if pattern.search(text)]
    if _BLOB.search(text):
        abilities.append("carries packed data")
    finds.trait(content.path, "script.abilities", language=content.kind, abilities=abilities)
    for match in list(dict.fromkeys(match[0] for match in _URL.finditer(text)))[:MAX_LINKS]:
        finds.link(match, source="html-script", item=content.path)
    return ()


def decoded(content: Content) -> str:
    """The text of a script, whatever it is written in; programs that run scripts are as forgiving."""
    octets = content.octets[:MAX_OCTETS]
    if octets.startswith((b"\xff\xfe", b"\xfe\xff")):
        return octets.decode("utf-16", "replace")
    if len(octets) <= 1 << 16:
        text = as_text(octets, content.charset)
        if text is not None:
            return text
    return octets.replace(b"\x00", b"").decode("utf-8", "replace")
