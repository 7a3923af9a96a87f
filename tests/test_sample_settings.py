import json
import re
import tomllib
from pathlib import Path

import polars as pl
import pytest
from pydantic import BaseModel

from analytics.settings import ColumnSettings, Settings, SourceSettings, load_settings
from sample import make_store

ROOT = Path(__file__).resolve().parents[1]
CONFIG = ROOT / "nightloom.toml"
KEY = re.compile(r"^(# )?[a-z_]+ = .+$")


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("store")
    make_store(folder, weeks=1)
    return folder


def columns_of(path: Path) -> set[str]:
    """Names of a file's columns."""
    if path.suffix == ".parquet":
        return set(pl.read_parquet_schema(path))
    first = path.read_text(encoding="utf-8").split("\n", 1)[0]
    return set(json.loads(first)) if path.suffix == ".jsonl" else set(first.split(","))


def test_the_sample_settings_load_and_name_the_sample(store: Path) -> None:
    settings = load_settings(CONFIG)
    assert settings.store.time_zone == "Europe/Berlin"
    kinds = [source.kind for source in settings.sources]
    assert kinds == ["documents"] * 3 + ["items", "users", "interactions"]
    assert all(settings.path_of(source).parent == ROOT / "sample" / "store" for source in settings.sources)
    assert all((store / settings.path_of(source).name).is_file() for source in settings.sources)
    assert settings.data_dir == ROOT / "nightloom-data"


def test_every_mapped_column_is_in_its_file(store: Path) -> None:
    settings = load_settings(CONFIG)
    for source in settings.sources:
        mapped = source.columns.model_dump(exclude_none=True)
        columns = columns_of(store / settings.path_of(source).name)
        assert {*mapped.pop("segments"), *mapped.values()} <= columns, source.name


def uncommented() -> str:
    """The settings file with every `# key = value` line made a real one."""
    lines = CONFIG.read_text(encoding="utf-8").splitlines()
    return "\n".join(line[2:] if KEY.match(line) and line[0] == "#" else line for line in lines)


def test_every_key_of_every_section_is_there() -> None:
    shown = tomllib.loads(uncommented())
    for section, field in Settings.model_fields.items():
        if isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel):
            assert set(shown[section]) == set(field.annotation.model_fields), section
    documents = shown["sources"][0]
    assert set(documents) == set(SourceSettings.model_fields)
    assert set(documents["columns"]) == set(ColumnSettings.model_fields)
    assert set(shown) == set(Settings.model_fields) - {"file"}


EXAMPLES = {
    "sources.0.uses",
    "calendar.events",
    "sources.0.customer_speakers",
    "embedding.languages",
    "drivers.outcomes",
}
"""Keys whose default is nothing to show, or follows from other keys."""


def test_commented_keys_show_the_defaults_or_an_example_where_there_is_none() -> None:
    shown, as_is = tomllib.loads(uncommented()), tomllib.loads(CONFIG.read_text(encoding="utf-8"))
    sections = {
        **{name: (section, as_is.get(name, {})) for name, section in shown.items() if name != "sources"},
        "sources.0": (shown["sources"][0], as_is["sources"][0]),
        "sources.0.columns": (shown["sources"][0]["columns"], as_is["sources"][0]["columns"]),
    }
    models = {name: field.annotation for name, field in Settings.model_fields.items()}
    models |= {"sources.0": SourceSettings, "sources.0.columns": ColumnSettings}
    for name, (keys, set_keys) in sections.items():
        for key, value in keys.items():
            default = models[name].model_fields[key].get_default(call_default_factory=True)
            if key in set_keys or default is None or f"{name}.{key}" in EXAMPLES:
                continue
            assert (tuple(value) if isinstance(value, list) else value) == default, f"{name}.{key}"


def test_every_key_is_explained() -> None:
    lines = CONFIG.read_text(encoding="utf-8").splitlines()
    for number, line in enumerate(lines):
        if KEY.match(line):
            before = lines[number - 1]
            explained = before.startswith("# ") and not KEY.match(before)
            assert explained or "  #" in line or "] #" in line or '" #' in line, f"line {number + 1}: {line}"
