"""Walks an XML file inside a document: names, attributes and text, and no more.

In: octets. Out: calls of a handler, elements without their namespace's prefix. Standard: XML 1.0; entities and document
types are refused, since no office program writes them and bombs are made of them (XML 1.0 §4.4).
Not here: what the elements mean (`ooxml`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from xml.parsers import expat

MAX_ELEMENTS = 500_000  # a worksheet of five thousand rows; what comes after is left

Start = Callable[[str, Mapping[str, str]], None]
End = Callable[[str], None]
Words = Callable[[str], None]


class NotXml(ValueError):
    """The octets are no XML that is read here; the text says why."""


class _Enough(Exception):
    pass


def walk(octets: bytes, start: Start, end: End, words: Words) -> None:
    """Calls the handlers, in order. Attribute names lose their prefix too. Raises NotXml for what is broken, after the
    calls for what came before."""
    parser = expat.ParserCreate()
    parser.buffer_text = True
    count = 0

    def on_start(name: str, attributes: dict[str, str]) -> None:
        nonlocal count
        count += 1
        if count > MAX_ELEMENTS:
            raise _Enough
        start(_bare(name), {_bare(key): value for key, value in attributes.items()})

    def on_end(name: str) -> None:
        end(_bare(name))

    def on_doctype(*_: object) -> None:
        raise NotXml("a document type is declared")

    parser.StartElementHandler = on_start
    parser.EndElementHandler = on_end
    parser.CharacterDataHandler = words
    parser.StartDoctypeDeclHandler = on_doctype
    parser.EntityDeclHandler = on_doctype
    try:
        parser.Parse(octets, True)
    except _Enough:
        return
    except (expat.ExpatError, ValueError, LookupError) as error:
        raise NotXml(str(error)) from error


def _bare(name: str) -> str:
    return name.rpartition(":")[2]
