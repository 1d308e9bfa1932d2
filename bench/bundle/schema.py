"""The JSON Schema of bundles, made of the types in `bench.bundle.bundle`.

``python -m bench.bundle.schema`` prints what ``schema.json`` beside this file holds.
"""

from __future__ import annotations

import dataclasses
import json
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import NoneType, UnionType
from typing import Any, Final, get_args, get_origin, get_type_hints

from bench.bundle.bundle import FORMAT, Bundle
from bench.folder.header import Fingerprint
from bench.folder.json_file import CHECKSUM

FILE: Final = Path(__file__).with_name("schema.json")
_PLAIN: Final = {str: "string", int: "integer", float: "number", bool: "boolean"}


def schema() -> dict[str, Any]:
    """The schema, draft 2020-12."""
    whole = _of(Bundle)
    whole["properties"] |= {"format": {"const": FORMAT}, CHECKSUM: {"type": "string"}}
    whole["required"] += ["format"]
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "A bundle of inpaint-bench",
        "description": " ".join((Bundle.__doc__ or "").split("\n\n")[0].split()),
        **whole,
    }


def _of(kind: Any) -> dict[str, Any]:
    origin, arguments = get_origin(kind), get_args(kind)
    if origin is UnionType:
        (some,) = (each for each in arguments if each is not NoneType)
        return {"type": [_PLAIN[some], "null"]}
    if origin is Sequence:
        return {"type": "array", "items": _of(arguments[0])}
    if origin is Mapping:
        return {"type": "object", "additionalProperties": _of(arguments[1])}
    if kind is Fingerprint:
        return {"type": "string", "pattern": r"^[^: ]+:[^ ]+( [^: ]+:[^ ]+)*$"}
    if kind in _PLAIN:
        return {"type": _PLAIN[kind]}
    return _object(kind)


def _object(kind: Any) -> dict[str, Any]:
    hints, said = get_type_hints(kind), _said(kind.__doc__ or "")
    fields = dataclasses.fields(kind)
    properties = {
        each.name: _of(hints[each.name])
        | ({"description": said[each.name]} if each.name in said else {})
        for each in fields
    }
    missing = dataclasses.MISSING
    required = [each.name for each in fields if each.default is each.default_factory is missing]
    return {"type": "object", "properties": properties, "required": required}


def _said(doc: str) -> dict[str, str]:
    """What a docstring says of each attribute."""
    parts = re.split(r"^ {8}(\w+): ", doc, flags=re.MULTILINE)[1:]
    return {
        name: " ".join(text.split()) for name, text in zip(parts[::2], parts[1::2], strict=True)
    }


if __name__ == "__main__":
    print(json.dumps(schema(), indent=1, ensure_ascii=False))
