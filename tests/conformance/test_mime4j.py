"""mime4j's 80 messages: the same tree of parts, the same decoded bodies."""

from __future__ import annotations

import xml.etree.ElementTree as ElementTree
from pathlib import Path

import pytest

from gatepost.message.message import Message
from gatepost.message.part import Part

# Where mime4j chose otherwise than we do. Each is one parser's choice (the suite says so of the malformed ones).
_TRAILING_BLANK = "a boundary may not end in white space (RFC 2046 §5.1.1) and gateways trim lines: we trim both sides"
_CUT = "base64 cut in the middle of a group: we keep its whole octets, mime4j drops them"
DISPUTED = {
    "frag": _CUT,
    "multi-frag": _CUT,
    "weird-boundary": _TRAILING_BLANK,
    "very-long-boundary": _TRAILING_BLANK,
    "very-very-long-boundary": _TRAILING_BLANK,
    "malformedHeader-noheader": "octets without one field are all body; mime4j drops the lines in one mode",
    "malformedHeaderStartsBody-noheader": "the same file in mime4j's other mode, which drops the first line",
    "malformedHeaderStartsBody-nocrlfcrlf": "malformedHeader-nocrlfcrlf in another mode: a line that is no field ends "
    "the header there, here it stays in it as a defect",
}
# mime4j turns the LF of these files into CRLF where a body was quoted-printable; we keep line ends as they came.
LINE_ENDS = frozenset(("empty-preamble", "german-qp", "jt-0498", "mp-msg-rfc822"))

Tree = dict[str, object]


def expected(node: ElementTree.Element, folder: Path) -> Tree:
    """The suite's tree: kind, number of fields, and children or the decoded body."""
    tree: Tree = {"fields": len(node.findall("header/field"))}
    for child in node:
        if child.tag in ("text-body", "binary-body"):
            tree["body"] = (folder / child.get("name", "")).read_bytes()
        elif child.tag == "multipart":
            tree["parts"] = [expected(part, folder) for part in child.findall("body-part")]
        elif child.tag == "message":
            tree["message"] = expected(child, folder)
    return tree


def ours(part: Part) -> Tree:
    """Our tree in the same form."""
    tree: Tree = {"fields": sum(1 for field in part.header if field.key)}
    if part.content_type.maintype == "multipart" and "missing-boundary" not in part.defects:
        tree["parts"] = [ours(child) for child in part.children]
    elif part.is_message:
        tree["message"] = ours(part.children[0])
    else:
        tree["body"] = part.decoded.octets
    return tree


def with_lf(tree: Tree) -> Tree:
    """The same tree with LF as line end in its bodies."""
    out = dict(tree)
    if isinstance(body := tree.get("body"), bytes):
        out["body"] = body.replace(b"\r\n", b"\n")
    if isinstance(parts := tree.get("parts"), list):
        out["parts"] = [with_lf(part) for part in parts]
    if isinstance(message := tree.get("message"), dict):
        out["message"] = with_lf(message)
    return out


def messages(folder: Path) -> list[Path]:
    return sorted(path for sub in ("testmsgs", "mimetools-testmsgs") for path in (folder / sub).glob("*.msg"))


@pytest.mark.suite("mime4j")
def test_every_message_has_the_suites_tree_and_bodies(suites: Path) -> None:
    wrong = []
    found = messages(suites / "mime" / "mime4j")
    assert len(found) == 80
    for path in found:
        node = ElementTree.fromstring(path.with_name(path.stem + "_decoded.xml").read_bytes())
        found_tree, suites_tree = ours(Message(path.read_bytes()).tree), expected(node, path.parent)
        if path.stem in LINE_ENDS:
            found_tree, suites_tree = with_lf(found_tree), with_lf(suites_tree)
        if (found_tree == suites_tree) == (path.stem in DISPUTED):
            wrong.append(path.stem)
    assert not wrong
