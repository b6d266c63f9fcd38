"""Names of attached files: what their endings promise, and the ways in which a name deceives.

In: a file name, as a mail program would show it. Out: plain answers. Standard: UAX #9 (the bidirectional algorithm);
what Windows starts on a double click. Not here: what a file is (`sandbox.kinds`), the rules (`rules.attachment_names`).
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping

# What a double click starts in Windows, macOS or a browser's plug-in, and no honest sender mails.
PROGRAMS = frozenset(
    (
        *("exe", "scr", "pif", "com", "cpl", "msi", "msp", "mst", "bat", "cmd", "vbs", "vbe", "js", "jse"),
        *("wsf", "wsh", "wsc", "hta", "ps1", "psc1", "jar", "lnk", "scf", "inf", "reg", "chm", "hlp"),
        *("xll", "wll", "ade", "adp", "mde", "gadget", "application", "appref-ms", "settingcontent-ms"),
        *("library-ms", "search-ms", "searchconnector-ms", "theme", "msix", "msixbundle", "appx"),
        *("appxbundle", "ppkg", "dmg", "pkg", "apk", "jnlp"),
    )
)
SOURCES = frozenset(
    (*("js", "bat", "cmd", "vbs", "vb", "ps1", "reg", "inf", "jar", "wsf", "hta", "lnk"),)
)  # of these, source code is full too
PAGES = frozenset(("html", "htm", "xhtml", "shtml", "mht", "mhtml", "svg", "xht"))
DISK_IMAGES = frozenset(("iso", "img", "vhd", "vhdx", "vmdk", "udf"))
SHOWN = frozenset(  # what people take for something to look at
    (
        *("pdf", "doc", "docx", "xls", "xlsx", "ppt", "pptx", "odt", "ods", "odp", "rtf", "txt", "csv"),
        *("jpg", "jpeg", "png", "gif", "bmp", "tif", "tiff", "webp", "heic", "mp3", "mp4", "wav", "avi"),
        *("mov", "eml", "msg", "htm", "html", "xml", "json", "zip"),
    )
)

# What honest files of an ending hold; kinds that are not named here are a surprise. Excel saves pages and XML as .xls,
# Word writes Rich Text as .doc, and every program renames pictures, so those are no surprise.
_OFFICE = frozenset(
    (
        *("doc", "xls", "ppt", "ole", "docx", "docm", "xlsx", "xlsm", "xlsb", "pptx", "pptm", "rtf", "odt"),
        *("ods", "odp", "xml", "zip"),
    )
)
_WEB_OFFICE = _OFFICE | {"html", "text", "eml"}
_PICTURE = frozenset(("png", "jpeg", "gif", "webp", "bmp", "tiff", "ico", "svg", "media"))
_EXPECTED: Mapping[str, frozenset[str]] = {
    **dict.fromkeys(("doc", "xls", "ppt", "dot", "xlt", "pps"), _WEB_OFFICE),
    **dict.fromkeys(("docx", "xlsx", "pptx", "dotx", "xltx", "ppsx"), _OFFICE),
    **dict.fromkeys(("docm", "xlsm", "pptm", "xlsb", "dotm", "xltm"), _OFFICE),
    **dict.fromkeys(("odt", "ods", "odp"), _OFFICE),
    "rtf": _WEB_OFFICE,
    "pdf": frozenset(("pdf",)),
    **dict.fromkeys(
        ("png", "jpg", "jpeg", "jpe", "jfif", "gif", "bmp", "webp", "tif", "tiff", "ico", "heic"), _PICTURE
    ),
    **dict.fromkeys(("mp3", "mp4", "wav", "avi", "mov", "m4a", "ogg"), frozenset(("media",))),
    **dict.fromkeys(
        ("txt", "log", "md"),
        frozenset((*("text", "xml", "html", "eml", "ics", "css", "pgp", "vcard", "script-sh", "script-py"),)),
    ),
    "csv": frozenset(("text", "html", "xml")),
}
# Surprises that harm: what acts, or hides what acts
GRAVE_KINDS = frozenset(
    (
        *("pe", "elf", "macho", "java-class", "dex", "jar", "apk", "appx", "msi", "swf", "chm"),
        *("script-js", "vbs", "ps1", "bat", "hta", "wsf", "reg", "lnk", "url", "iso", "vhd", "img", "html"),
        *("svg", "docm", "xlsm", "pptm", "xlsb", "onenote", "zip", "rar", "7z", "cab", "ace"),
    )
)

_OVERRIDES = frozenset("\u202d\u202e")  # text runs the other way whatever its letters are
_EMBEDDINGS = frozenset("\u202a\u202b\u2066\u2067\u2068")
_INVISIBLE = frozenset(
    "\u00ad\u034f\u115f\u1160\u17b4\u17b5\u180e\u200b\u2060\u2061\u2062\u2063\u2064\u3164\ufeff\uffa0\u2800"
)
_MANY_BLANKS = re.compile(r"[\s\u00a0\u2000-\u200a\u3000_]{12,}")
_MAX_NAME = 500


def bare_name(name: str) -> str:
    """The last step of a path, without what every system drops: blanks and dots at the end."""
    step = re.split(r"[/\\]", name[-_MAX_NAME:])[-1]
    return step.rstrip(" .\t\r\n\x00")


def extension(name: str) -> str:
    """What stands behind the last dot, in lower case and without characters that do not show."""
    head, dot, last = bare_name(name).rpartition(".")
    if not dot or not head:
        return ""
    return "".join(letter for letter in last if letter.isprintable() and letter not in _INVISIBLE).strip().lower()


def inner_extension(name: str) -> str:
    """Of `invoice.pdf.exe` the `pdf`; blanks before the last dot do not hide it."""
    return extension(bare_name(name).rpartition(".")[0])


def is_surprise(ending: str, kind: str) -> bool:
    """Whether a file with this ending that holds `kind` is not what it says. What is unknown says nothing."""
    expected = _EXPECTED.get(ending)
    return expected is not None and kind not in expected and kind not in ("unknown", "empty", "text")


def turned_around(name: str) -> bool:
    """Whether characters make a part of the name run the other way: `exe.fdp` is shown as `pdf.exe`."""
    return any(letter in _OVERRIDES for letter in name)


def unseen(name: str) -> tuple[str, ...]:
    """Characters that do not show, by their numbers, each once."""
    found = (letter for letter in name if letter in _INVISIBLE or letter in _EMBEDDINGS or letter in _OVERRIDES)
    return tuple(f"U+{ord(letter):04X}" for letter in dict.fromkeys(found))


def pushed_out(name: str) -> bool:
    """Whether a run of blanks pushes the end of the name out of sight."""
    return _MANY_BLANKS.search(bare_name(name)) is not None


def visible(name: str) -> str:
    """`name` for people: what would not show, or would turn the line around, as its number."""
    short = name[:120]
    shown = (
        f"<U+{ord(letter):04X}>" if unicodedata.category(letter) in ("Cf", "Cc", "Co", "Cn", "Zl", "Zp") else letter
        for letter in short
    )
    return re.sub(r"\s{4,}", " … ", "".join(shown)) or "(without a name)"
