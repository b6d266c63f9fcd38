"""tools: the skeleton of a rule, and pages that follow the code."""

from __future__ import annotations

import importlib.util
import shutil
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).resolve().parents[2]


def tool(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(name, ROOT / "tools" / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    for part in ("src/gatepost/inspector", "tests/unit/inspector/rules"):
        shutil.copytree(ROOT / part, tmp_path / part, ignore=shutil.ignore_patterns("__pycache__"))
    return tmp_path


def test_a_new_rule_is_written_listed_and_valid(tree: Path) -> None:
    written = tool("make_rule").make_rule("header.too-many-x", tree)
    assert [path.name for path in written] == ["header_too_many_x.py", "test_header_too_many_x.py", "__init__.py"]
    listed = written[2].read_text()
    assert "    header_too_many_x.header_too_many_x,\n)" in listed
    checked = ["check", "--isolated", "--select", "E,F,I", "--line-length", "120", *map(str, written)]
    done = subprocess.run([sys.executable, "-m", "ruff", *checked], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stdout


def test_nothing_is_overwritten(tree: Path) -> None:
    make_rule = tool("make_rule").make_rule
    make_rule("header.too-many-x", tree)
    before = (tree / "src/gatepost/inspector/rules/__init__.py").read_text()
    for code in ("header.too-many-x", "header.several-from", "auth.dmarc.fail"):
        with pytest.raises(FileExistsError, match="nothing was written"):
            make_rule(code, tree)
    assert (tree / "src/gatepost/inspector/rules/__init__.py").read_text() == before


@pytest.mark.parametrize("code", ["", "nodot", "../x.y", "Header.X", "a.b/c"])
def test_what_is_no_code_is_refused(tree: Path, code: str) -> None:
    with pytest.raises(ValueError, match="no rule code"):
        tool("make_rule").make_rule(code, tree)


def test_the_page_of_rules_names_every_rule() -> None:
    from gatepost.inspector.rules import RULES

    page = tool("make_docs").rules_page()
    for rule in RULES:
        assert f"### {rule.code}\n" in page
        assert rule.why in page


def test_drift_of_the_readme_is_found() -> None:
    parts = tool("readme_parts")
    text = (ROOT / "README.md").read_text("utf-8")
    assert parts.drift(text) == []
    title, summary = "mail for somebody else's", "Answers would go to"
    assert title in text
    assert summary in text
    assert len(parts.drift(text.replace(title, "mail for nobody"))) == 2  # one visit is missing, one unknown
    assert "inspection" in parts.drift(text.replace(summary, "Answers may go to"))[0]
    assert len(parts.drift("")) == 3
