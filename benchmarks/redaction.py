"""What redaction finds in labelled texts and what it takes wrongly, by type, and how fast it is.

The labelled texts are synthetic (presidio-research) and are not part of this repository; the benchmark says
so where they are absent. Rules were tuned on one half of the templates, chosen by the hash of `template_id`;
the figures are those of the other half, and beside them those of all texts.

A planted span counts as found when its identifying part is replaced, by a placeholder of any kind: every
letter and digit of an e-mail address, account, card, IP address or document; every digit of a phone number;
every letter of a name; of an address at least half of the letters and digits of its street and number (what
stands before the first line break, comma or flat). Fragments of one address that only spaces part are one
span. A placeholder counts as right when it overlaps a span of its kind; for an address towns and postcodes
count too. The known users are the names planted in all texts.

    python benchmarks/redaction.py [--data FOLDER] [--json]
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import platform
import re
import sys
import time
from collections import defaultdict
from pathlib import Path
from typing import Any

import polars as pl

from analytics.intake.redaction import KINDS, redact
from analytics.intake.redaction_detector import digits_of, passes_luhn
from analytics.intake.redaction_names import NameIndex

DATA = Path(__file__).resolve().parents[2] / "shared" / "data"
LABELLED = "pii_presidio_synth.parquet"
REVIEWS = ("reviews_rt_critics", "reviews_datafiniti_electronics")

KIND_OF = {
    "EMAIL_ADDRESS": "email",
    "PHONE_NUMBER": "phone",
    "CREDIT_CARD": "card",
    "IBAN_CODE": "iban",
    "IP_ADDRESS": "ip",
    "US_SSN": "national-id",
    "US_DRIVER_LICENSE": "national-id",
    "PERSON": "name",
    "ADDRESS": "address",
    "STREET_ADDRESS": "address",
}
PLACES = {"LOCATION", "GPE", "ZIP_CODE"}
PLACEHOLDER = re.compile(rf"\[(?:{'|'.join(KINDS)})\]")


def types_of(kind: str, label: str, text: str) -> list[str]:
    """The rows of the table that a planted span belongs to."""
    n_digits = len(digits_of(text))
    match kind:
        case "phone":
            return ["phone, 9 digits or more" if n_digits >= 9 else "phone, fewer digits"]
        case "card":
            return ["card, all"] + ["card, passes Luhn"] * passes_luhn(digits_of(text))
        case "ip":
            return ["ip 6" if ":" in text else "ip 4"]
        case "national-id":
            return ["US social security" if label == "US_SSN" else "US driving licence"]
        case "name":
            return ["name, two words or more" if len(text.split()) > 1 else "name, one word"]
    return [kind]


def replaced_ranges(text: str, redacted: str) -> list[tuple[str, int, int]]:
    """What each placeholder stands for: kind, start and end in the text before."""
    kinds = PLACEHOLDER.findall(redacted)
    pieces = PLACEHOLDER.split(redacted)
    whole = re.fullmatch("(.+?)".join(map(re.escape, pieces)), text, re.DOTALL)
    assert whole is not None, "what is not replaced stays as it is"
    return [(kind[1:-1], *whole.span(nth)) for nth, kind in enumerate(kinds, 1)]


def planted_spans(text: str, spans: list[dict[str, Any]]) -> list[tuple[str, str, int, int]]:
    """Label, kind, start and end of what was planted; fragments of one address joined."""
    found: list[tuple[str, str, int, int]] = []
    for span in sorted(spans, key=lambda span: span["start"]):
        label, start, end = span["entity_type"], span["start"], span["end"]
        kind = KIND_OF.get(label)
        goes_on = bool(found) and re.fullmatch(r"[\s>?,]*", text[found[-1][3] : start]) is not None
        if goes_on and found[-1][1] == "address" and (kind == "address" or label in PLACES):
            found[-1] = (*found[-1][:3], end)
        elif kind is not None:
            found.append((label, kind, start, end))
    return found


def is_found(kind: str, text: str, start: int, end: int, gone: set[int]) -> bool:
    """Whether the identifying part of a planted span is gone (see the top of this file)."""
    if kind == "address":
        street = re.split(r"[\n,]|(?<=.)(?i:apt|suite)\W", text[start:end], maxsplit=1)[0]
        places = [start + nth for nth, character in enumerate(street) if character.isalnum()]
        return 2 * len(gone.intersection(places)) >= len(places)
    digits_only = kind == "phone"
    places = [
        nth for nth in range(start, end) if (text[nth].isdigit() if digits_only else text[nth].isalnum())
    ]
    return gone.issuperset(places)


def is_tuned_on(template: str) -> bool:
    """Whether the rules were tuned on the texts of a template."""
    return int(hashlib.sha256(template.encode()).hexdigest(), 16) % 2 == 0


def measure(path: Path) -> dict[str, dict[str, dict[str, Any]]]:
    """Recall by type and precision by kind, on the held-out half and on all labelled texts."""
    rows = pl.read_parquet(path)
    known = {
        span["entity_value"] for spans in rows["spans"] for span in spans if span["entity_type"] == "PERSON"
    }
    names = NameIndex(known).find(rows["text"])
    planted: dict[tuple[str, str], list[bool]] = defaultdict(list)
    placed: dict[tuple[str, str], list[bool]] = defaultdict(list)
    columns = zip(rows["text"], rows["spans"], rows["template_id"], names, strict=True)
    for text, spans, template, in_text in columns:
        parts = ("all",) if is_tuned_on(template) else ("held out", "all")
        ranges = replaced_ranges(text, redact(text, in_text)[0])
        gone = {place for _, start, end in ranges for place in range(start, end)}
        for label, kind, start, end in planted_spans(text, spans):
            for kind_or_type in types_of(kind, label, text[start:end]):
                for part in parts:
                    planted[part, kind_or_type].append(is_found(kind, text, start, end, gone))
        for kind, start, end in ranges:
            right = any(
                span["start"] < end
                and start < span["end"]
                and (
                    KIND_OF.get(span["entity_type"]) == kind
                    or (kind == "address" and span["entity_type"] in PLACES)
                )
                for span in spans
            )
            for part in parts:
                placed[part, kind].append(right)
    return {
        part: {
            "recall": {
                name: rate(found) for (where, name), found in sorted(planted.items()) if where == part
            },
            "precision": {
                name: rate(right) for (where, name), right in sorted(placed.items()) if where == part
            },
        }
        for part in ("held out", "all")
    }


def rate(outcomes: list[bool]) -> dict[str, Any]:
    return {"n": len(outcomes), "share": round(sum(outcomes) / len(outcomes), 4)}


def texts_per_second(path: Path) -> dict[str, Any]:
    """The best of three rounds over 50,000 reviews, in processor time."""
    texts = pl.read_parquet(path, columns=["text"])["text"].drop_nulls().head(50_000).to_list()
    seconds = []
    for _ in range(3):
        started = time.process_time()
        for text in texts:
            redact(text)
        seconds.append(time.process_time() - started)
    n_changed = sum(bool(redact(text)[1]) for text in texts)
    return {
        "n": len(texts),
        "per_second": round(len(texts) / min(seconds)),
        "n_redacted": n_changed,
    }


def print_table(result: dict[str, Any]) -> None:
    print(f"{'':34}{'held-out half':>16}{'all':>16}")
    for measure_name in ("recall", "precision"):
        print(measure_name)
        for name, of_all in result["all"][measure_name].items():
            held_out = result["held out"][measure_name].get(name, {"n": 0, "share": float("nan")})
            cells = [f"{cell['share']:.3f} of {cell['n']:>5}" for cell in (held_out, of_all)]
            print(f"  {name:<32}{cells[0]:>16}{cells[1]:>16}")
    print("texts per second (processor time, 50,000 at most)")
    for name, speed in result["speed"].items():
        print(f"  {name:<32}{speed['per_second']:>16,}{speed['n_redacted']:>9} redacted of {speed['n']}")
    print(f"machine: {result['machine']}")


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--data", type=Path, default=DATA, help="folder with the labelled texts and the reviews"
    )
    parser.add_argument("--json", action="store_true", help="print one object instead of the table")
    arguments = parser.parse_args()
    if not (arguments.data / LABELLED).exists():
        print(f"{arguments.data / LABELLED} is not there: give its folder with --data", file=sys.stderr)
        return 1
    result: dict[str, Any] = measure(arguments.data / LABELLED)
    paths = {name: arguments.data / f"{name}.parquet" for name in REVIEWS}
    result["speed"] = {name: texts_per_second(path) for name, path in paths.items() if path.exists()}
    result["machine"] = f"{platform.processor() or platform.machine()}, {os.cpu_count()} cores"
    if arguments.json:
        print(json.dumps({"schema_version": 1, **result}))
    else:
        print_table(result)
    return 0


if __name__ == "__main__":
    sys.exit(main())
