"""Which reader opens which kind of content.

In: a kind, a word of `kinds`. Out: the readers for it, imported when first asked for: a message of plain text costs no
parser of documents. A file a reader, with a function `read` (`sandbox.reader`); a new one gets a row here.
Not here: the kinds (`kinds`), who calls (`walker`).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from importlib import import_module
from importlib.util import find_spec
from typing import cast

from gatepost.sandbox.reader import Reader

READERS: Mapping[str, tuple[str, ...]] = {
    # words and marks
    "text": ("text",),
    "html": ("html",),
    "svg": ("svg",),
    "xml": ("text", "shortcut", "mso"),
    "css": ("css",),
    "ics": ("calendar",),
    "url": ("shortcut",),
    "lnk": ("shortcut",),
    "desktop": ("shortcut",),
    # documents
    "doc": ("ole",),
    "xls": ("ole",),
    "ppt": ("ole",),
    "ole": ("ole",),
    "msi": ("ole",),
    "docx": ("office",),
    "docm": ("office",),
    "xlsx": ("office",),
    "xlsm": ("office",),
    "xlsb": ("office",),
    "pptx": ("office",),
    "pptm": ("office",),
    "odt": ("office",),
    "ods": ("office",),
    "odp": ("office",),
    "onenote": ("onenote",),
    "rtf": ("rtf",),
    "mso": ("mso",),
    "pdf": ("pdf",),
    # pictures
    "png": ("picture",),
    "jpeg": ("picture",),
    "gif": ("picture",),
    "webp": ("picture",),
    "bmp": ("picture",),
    "tiff": ("picture",),
    "ico": ("picture",),
    # programs that are text
    "script-sh": ("script",),
    "script-js": ("script",),
    "script-py": ("script",),
    "vbs": ("script",),
    "ps1": ("script",),
    "bat": ("script",),
    "hta": ("html", "script"),
    "wsf": ("script",),
    "reg": ("script",),
    # what holds other files
    "iso": ("disk_image", "archive"),
    "vhd": ("disk_image",),
    "img": ("disk_image",),
    "zip": ("archive_zip",),
    "jar": ("archive_zip",),
    "apk": ("archive_zip",),
    "7z": ("archive_7z",),
    "rar": ("archive",),
    "cab": ("archive",),
    "lha": ("archive",),
    "xar": ("archive",),
    "cpio": ("archive",),
    "ar": ("archive",),
    "rpm": ("archive",),
    "appx": ("archive_zip",),
    "tar": ("archive",),
    "gzip": ("archive_stream",),
    "bzip2": ("archive_stream",),
    "xz": ("archive_stream",),
    "lzma": ("archive_stream",),
    "zstd": ("archive_stream",),
    "tnef": ("tnef",),
    "msg": ("msg",),
    "eml": ("message",),
}
EVERY = ("eicar", "yara")  # asked about every item besides
LIGHT = frozenset(("eicar", "text", "html", "svg", "css", "calendar"))  # cost no large import

HEAVY = (  # what readers import when they first need it; children of a server are born with it
    *("libarchive", "py7zr.io", "inflate64", "backports.zstd", "yara_x"),
    "cryptography.hazmat.primitives.ciphers",
)
_LIBRARIES = {
    "libarchive-c": "libarchive",
    "oletools": "oletools",
    "pikepdf": "pikepdf",
    "pillow": "PIL",
    "py7zr": "py7zr",
    "pypdfium2": "pypdfium2",
    "yara-x": "yara_x",
    "zxing-cpp": "zxingcpp",
}


def missing_libraries() -> list[str]:
    """Which libraries that readers use are not installed (the extra `scan`)."""
    return [package for package, module in _LIBRARIES.items() if find_spec(module) is None]


def load(name: str) -> Reader:
    """The reader `name`. Raises ImportError where it, or a library it needs, is not installed."""
    return cast(Reader, import_module(f"{__name__}.{name}").read)


def names_for(kind: str) -> Iterator[str]:
    """The names of the readers for `kind`, in the order in which they are asked."""
    yield from READERS.get(kind, ())
    yield from EVERY
