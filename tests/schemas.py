"""Validators for the JSON that commands answer, from docs/schema/.

In: a schema's name. Out: a jsonschema validator that resolves references inside that folder; a running gate's answers,
checked by it.
"""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

from jsonschema import Draft202012Validator
from referencing import Registry, Resource

from running import RunningGate

FOLDER = Path(__file__).resolve().parent.parent / "docs" / "schema"


@cache
def validator(name: str) -> Draft202012Validator:
    """The validator of `docs/schema/<name>.json`; raises for a schema that is none."""
    files = {path.name: json.loads(path.read_text("utf-8")) for path in FOLDER.glob("*.json")}
    registry = Registry().with_resources((key, Resource.from_contents(value)) for key, value in files.items())
    schema = files[f"{name}.json"]
    Draft202012Validator.check_schema(schema)
    return Draft202012Validator(schema, registry=registry)


def ask(gate: RunningGate, schema: str, *arguments: str) -> list[dict[str, Any]]:
    """What `gatepost ARGUMENTS --json` answers, each object checked."""
    answers = gate.cli_json(*arguments)
    for answer in answers:
        validator(schema).validate(answer)
    return answers
