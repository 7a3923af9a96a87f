"""A JSON schema as a grammar without free space: every token of a constrained answer then says something.

Only what `schema_of` writes is known: objects with all their properties in order, bounded arrays and strings,
integers, booleans, enumerations, and a choice of these.
"""

from __future__ import annotations

import json
from typing import Any

LONGEST_RUN = 128
"""xgrammar slows down thirtyfold where a repetition may be longer."""

_CHARACTER = r'character ::= [^"\\\x00-\x1f] | "\\" ["\\/bfnrt]'


def grammar_of(schema: dict[str, Any]) -> str:
    """EBNF, as xgrammar reads it, of the compact JSON texts that follow a schema.

    Raises:
        ValueError: the schema holds something that `schema_of` does not write.
    """
    rules: list[str] = []

    def rule(body: str) -> str:
        name = f"r{len(rules)}"
        rules.append(f"{name} ::= {body}")
        return name

    def rest_of_string(low: int, high: int) -> str:
        if high <= LONGEST_RUN:
            return rule(f'character{{{low},{high}}} "\\""')
        more = rest_of_string(max(0, low - LONGEST_RUN), high - LONGEST_RUN)
        whole = f"character{{{LONGEST_RUN}}} {more}"
        is_long = low >= LONGEST_RUN
        return rule(whole if is_long else f'character{{{low},{LONGEST_RUN - 1}}} "\\"" | {whole}')

    def of(part: dict[str, Any]) -> str:
        if "enum" in part or "const" in part:
            allowed = part.get("enum", [part.get("const")])
            return rule(" | ".join(_literal(one) for one in allowed))
        if "anyOf" in part:
            return rule(" | ".join(of(one) for one in part["anyOf"]))
        match part.get("type"):
            case "object":
                inside = [f'{_literal(name)} ":" {of(one)}' for name, one in part["properties"].items()]
                return rule('"{" ' + ' "," '.join(inside) + ' "}"')
            case "array" if "maxItems" in part:
                return rule(_array(of(part["items"]), part.get("minItems", 0), part["maxItems"]))
            case "string" if "maxLength" in part:
                low, high = part.get("minLength", 0), part["maxLength"]
                return rule(f'"\\"" {rest_of_string(low, high)}')
            case "integer":
                return rule(" | ".join(_literal(n) for n in range(part["minimum"], part["maximum"] + 1)))
            case "boolean":
                return rule('"true" | "false"')
            case "null":
                return rule('"null"')
        raise ValueError(f"no grammar for {json.dumps(part)}: unknown, or without a bound")

    top = of(schema)
    return "\n".join([f"root ::= {top}", *rules, _CHARACTER])


def _literal(value: Any) -> str:
    """A JSON value as a quoted text of the grammar."""
    return json.dumps(json.dumps(value, ensure_ascii=False, separators=(",", ":")))


def _array(item: str, fewest: int, most: int) -> str:
    some = f'"[" {item} ("," {item}){{{max(0, fewest - 1)},{most - 1}}} "]"'
    return some if fewest else f'"[]" | {some}'
