"""Macros of Office files: the VBA in an OLE file, what starts it and what it is able to do.

In: the octets of an OLE file: a document, or the `vbaProject.bin` of an OOXML one. Out: `Macros`.
Standard: MS-OVBA. Not here: which files hold one (`ole`, `office`), Excel 4.0 macros (`biff`).
"""

from __future__ import annotations

import logging
from dataclasses import dataclass, field

from oletools import olevba  # type: ignore[import-untyped]

MAX_MODULES = 100
MAX_CODE = 200_000  # characters that are searched; the searches are some hundred patterns
MAX_WORDS = 30

# Of what oletools looks for: running programs, fetching files, memory of other processes, hiding. The rest of its words
# (opening a file, writing a cell, looking at the environment) stands in every second macro of an honest company.
_GRAVE = frozenset(
    (
        *("shell", "wscript.shell", "shellexecute", "shellexecutea", "shell.application", "invokeverb"),
        *("controlpanelitem", "powershell", "executionpolicy", "noprofile", "encodedcommand", "invoke-command"),
        *("invoke-expression", "start-process", "macscript", "applescript", "vbhide", "sw_hide"),
        *("executeexcel4macro", "formula.fill", "createthread", "createuserthread", "virtualalloc", "virtualallocex"),
        *(
            "virtualprotect",
            "rtlmovememory",
            "writeprocessmemory",
            "setcontextthread",
            "queueapcthread",
            "writevirtualmemory",
        ),
        *(
            "adodb.stream",
            "savetofile",
            "urldownloadtofilea",
            "msxml2.xmlhttp",
            "microsoft.xmlhttp",
            "msxml2.serverxmlhttp",
        ),
        *("net.webclient", "downloadfile", "downloadstring", "strreverse", "accessvbom", "vbawarnings"),
        *("protectedview", "libc.dylib", "vmware", "vbox", "sbiedll.dll", "addfromstring"),
        *("disableattachementsinpv", "disableinternetfilesinpv"),
    )
)


# Names in the directory without which there is no project; of slides the project is packed, and its name not to be seen
_SIGNS = tuple(name.encode("utf-16-le") for name in ("_VBA_PROJECT", "VBA\0", "PowerPoint Document"))


@dataclass(slots=True, kw_only=True)
class Macros:
    """`modules` counts those with code in them; `autoexec` are names of procedures that run by themselves; `grave` and
    `words` are abilities in the code, `grave` those that ordinary macros have no use for."""

    modules: int = 0
    autoexec: list[str] = field(default_factory=list)
    grave: list[str] = field(default_factory=list)
    words: list[str] = field(default_factory=list)
    damaged: str = ""

    def evidence(self) -> dict[str, object]:
        """For the trait `office.macro`."""
        return {
            "modules": self.modules,
            "autoexec": self.autoexec[:MAX_WORDS],
            "grave": self.grave[:MAX_WORDS],
            "words": self.words[:MAX_WORDS],
        }


def read_macros(octets: bytes) -> Macros | None:
    """The macros in `octets`, None where there is no VBA project. One that cannot be read still counts as macros:
    Office may read it."""
    if not any(sign in octets for sign in _SIGNS):
        return None
    logging.getLogger("olevba").setLevel(logging.CRITICAL + 1)
    macros = Macros()
    code = ""
    try:
        parser = olevba.VBA_Parser("document", data=octets, disable_pcode=True)
        if parser.ole_file is None and not parser.ole_subfiles:
            return None
        if not parser.detect_vba_macros():
            return None
        for index, (_, _, _, text) in enumerate(parser.extract_macros()):
            if index >= MAX_MODULES:
                macros.damaged = f"more than {MAX_MODULES} modules"
                break
            text = _as_text(text)
            if _does_something(text):
                macros.modules += 1
                code += text[: MAX_CODE - len(code)] + "\n"
    except MemoryError:
        raise
    except Exception as error:  # oletools raises whatever its forty record types lead to
        if _SIGNS[0] not in octets:  # broken, and nothing says that it ever held macros
            return None
        macros.damaged = f"the macros cannot be read: {type(error).__name__}"
    _search(code, macros)
    if not macros.modules and not macros.damaged:
        return None  # every workbook saved with macros enabled has empty modules
    return macros


def _as_text(code: object) -> str:
    return code.decode("utf-8", "replace") if isinstance(code, bytes) else str(code)


def _does_something(code: str) -> bool:
    """Whether a line is left once declarations of the module and comments are gone."""
    for line in code.splitlines():
        words = line.strip().lower()
        if words and not words.startswith(("attribute ", "'", "rem ", "option ", "version ", "begin", "end")):
            return True
    return False


def _search(code: str, macros: Macros) -> None:
    if not code:
        return
    code = olevba.vba_collapse_long_lines(code)
    macros.autoexec = list(dict.fromkeys(keyword for keyword, _ in olevba.detect_autoexec(code)))
    for keyword, _ in olevba.detect_suspicious(code):
        (macros.grave if keyword.lower() in _GRAVE else macros.words).append(keyword)
