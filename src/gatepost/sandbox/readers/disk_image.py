"""Notes disk images: on a double click the system mounts them, and what is in them lost its mark of coming by mail.

In: `Content` of kind iso, vhd or img. Out: a trait `disk.image`. Standard: ECMA-119 §8.4 (volume descriptor),
Microsoft's VHD 1.0 and MS-VHDX §2.2.1. Not here: the files in an ISO (`archive`).
"""

from __future__ import annotations

from collections.abc import Iterable

from gatepost.sandbox.finds import Finds
from gatepost.sandbox.reader import Content, Member

_VOLUME = 16 * 2048  # where the first volume descriptor of ECMA-119 stands


def read(content: Content, finds: Finds) -> Iterable[Member]:
    """Tells which kind of image it is."""
    octets = content.octets
    label = ""
    form = content.kind
    if octets[_VOLUME + 1 : _VOLUME + 6] == b"CD001":
        form = "ISO 9660"
        label = octets[_VOLUME + 40 : _VOLUME + 72].decode("latin-1").strip(" \x00")
    elif octets.startswith(b"vhdxfile"):
        form = "VHDX"
    elif octets.startswith(b"conectix") or octets[-512:-504] == b"conectix":
        form = "VHD"
    elif octets.startswith(b"KDMV"):
        form = "VMDK"
    elif octets.startswith(b"QFI\xfb"):
        form = "QCOW"
    elif octets[-512:-508] == b"koly":
        form = "Apple disk image"
    finds.trait(content.path, "disk.image", format=form, label=label)
    return ()
