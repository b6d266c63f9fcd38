"""What the docs say holds: Python runs, commands exist, links lead somewhere, journeys are walked, schemas fit."""

from __future__ import annotations

import ast
import dataclasses
import re
import shlex
from pathlib import Path

import pytest

from gatepost.cli.main import COMMANDS, main
from gatepost.config import Settings
from gatepost.config.describe import describe
from gatepost.inspector.rules import RULES
from gatepost.server.metrics import Metric
from schemas import FOLDER, validator

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / "docs"
PAGES = sorted([*ROOT.glob("*.md"), *DOCS.rglob("*.md")])
FILES = {"relay.py"}
LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")


def blocks(name: str, language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", (DOCS / name).read_text("utf-8"), re.MULTILINE | re.DOTALL)


@pytest.mark.parametrize("page", ["inspect.md", "library.md"])
def test_the_python_runs(page: str) -> None:
    found = blocks(page, "python")
    assert found
    for block in found:
        exec(compile(block, page, "exec"), {"__name__": page})


def test_the_options_of_inspect_md_are_known(capsys: pytest.CaptureFixture[str]) -> None:
    for block in blocks("inspect.md", "console"):
        for line in block.splitlines():
            words = shlex.split(line.partition("gatepost ")[2])
            command = words[: 2 if words[0] == "verify" else 1]
            assert main([*command, "--help"]) == 0
            shown = capsys.readouterr().out
            for option in (word for word in words if word.startswith("--")):
                assert option in shown, line


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_somewhere(page: Path) -> None:
    for target in LINK.findall(page.read_text("utf-8")):
        path, _, anchor = target.partition("#")
        if "://" in path:
            continue
        place = (page.parent / path).resolve() if path else page
        assert place.exists(), target
        if anchor and place.suffix == ".md":
            headings = re.findall(r"^#+ (.*)$", place.read_text("utf-8"), re.MULTILINE)
            assert anchor in {_anchor(heading) for heading in headings}, target


def _anchor(heading: str) -> str:
    """As GitHub makes them."""
    return re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_commands_in_the_text_exist(page: Path) -> None:
    text = page.read_text("utf-8")
    named = set(re.findall(r"`gatepost ([a-z]+)", text)) | set(
        re.findall(r"^\s*\$ gatepost ([a-z]+)", text, re.MULTILINE)
    )
    assert named <= {*COMMANDS, "audit", "probe", "seal", "drill"}  # the last four are told to come later


def test_options_in_the_text_exist() -> None:
    known = {option.path for option in describe(Settings)}
    known |= {rule.code for rule in RULES}  # both have a family `content`
    tables = "|".join(field.name for field in dataclasses.fields(Settings))
    named = re.compile(rf"`((?:{tables})\.[a-z_.]+)`")
    for page in PAGES:
        assert set(named.findall(page.read_text("utf-8"))) - known - FILES == set(), page


def test_operations_knows_every_log_line_and_every_metric() -> None:
    page = (DOCS / "operations.md").read_text("utf-8")
    sources = "\n".join(path.read_text("utf-8") for path in (ROOT / "src/gatepost/server").rglob("*.py"))
    events = set(re.findall(r"""log\.(?:info|warning|error)\(\s*"([a-z-]+)\"""", sources))
    events |= set(re.findall(r"""_refused\("([a-z-]+)\"""", sources))
    assert len(events) > 15
    assert {event for event in events if f"`{event}`" not in page} == set()
    for metric in Metric:
        assert f"_{metric.name.lower()}_total`".removeprefix("_messages") in page, metric


def test_each_journey_has_a_page_and_each_page_a_test() -> None:
    files = [path for path in (ROOT / "tests" / "journeys").glob("test_*.py") if path.name != "test_lab.py"]
    nodes = [node for path in files for node in ast.parse(path.read_text("utf-8")).body]
    functions = [node for node in nodes if isinstance(node, ast.FunctionDef) and node.name.startswith("test_")]
    walked = {title: function.name for function in functions if (title := ast.get_docstring(function))}
    pages = [path for path in (DOCS / "journeys").glob("*.md") if path.name != "README.md"]
    titles = {path.read_text("utf-8").partition("\n")[0].removeprefix("# "): path.name for path in pages}
    assert walked.keys() == titles.keys()
    index = (DOCS / "journeys" / "README.md").read_text("utf-8")
    for title, page in titles.items():
        assert f"| [{title}]({page}) | `{walked[title]}` |" in index


@pytest.mark.parametrize("path", sorted(FOLDER.glob("*.json")), ids=lambda path: path.stem)
def test_every_schema_is_one_and_stands_in_the_index(path: Path) -> None:
    assert validator(path.stem)
    assert f"schema/{path.name}" in (DOCS / "README.md").read_text("utf-8")
