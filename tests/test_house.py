"""The house rules that a reader relies on: who may import whom, and documents that match the code."""

from __future__ import annotations

import ast
import re
import tomllib
from pathlib import Path

import pytest

from analytics.settings import load_settings
from analytics.settings_file import default_file, write_default
from analytics.tables import TABLES
from flows.cli import SHOWN, _parser

ROOT = Path(__file__).resolve().parents[1]
GROUND = {
    "analytics.errors",
    "analytics.identity",
    "analytics.rows",
    "analytics.settings",
    "analytics.tables",
}
MAY_IMPORT = {
    "analytics.intake": {"analytics.intake"},
    "analytics.models": {"analytics.models"},
    "analytics.insight": {"analytics.insight", "analytics.models"},
    "analytics.store": {"analytics.store"},
    "recommender": {"recommender"},
    "dashboard": {
        "dashboard",
        "analytics.store.read",
        "analytics.store.state",
        "analytics.store.decision_acts",
    },
}
OURS = ("analytics", "recommender", "flows", "dashboard")
HEAVY = {
    "torch",
    "openvino",
    "sentence_transformers",
    "transformers",
    "sklearn",
    "vllm",
    "ray",
    "streamlit",
    "prefect",
}


def modules(package):
    return sorted((ROOT / package.replace(".", "/")).rglob("*.py"))


def imports(path, *, top_level=False):
    tree = ast.parse(path.read_text(encoding="utf-8"))
    nodes = tree.body if top_level else list(ast.walk(tree))
    for node in nodes:
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


@pytest.mark.parametrize("wing", MAY_IMPORT)
def test_a_wing_imports_only_what_it_may(wing):
    files = modules(wing)
    assert files
    for path in files:
        for name in imports(path):
            if name.split(".")[0] in OURS:
                allowed = GROUND | MAY_IMPORT[wing]
                inside = any(
                    name == a or name.startswith(f"{a}.") or a.startswith(f"{name}.") for a in allowed
                )
                assert inside, f"{path.relative_to(ROOT)} imports {name}"


def test_the_ground_floor_stands_on_nothing():
    files = [ROOT / f"{name.replace('.', '/')}.py" for name in GROUND]
    for path in [file for file in files if file.exists()] + [
        file for name in GROUND for file in modules(name)
    ]:
        for name in imports(path):
            if name.split(".")[0] in OURS:
                assert any(
                    name == g or name.startswith(f"{g}.") or g.startswith(f"{name}.") for g in GROUND
                ), path


@pytest.mark.parametrize("package", ["analytics", "recommender"])
def test_heavy_packages_are_imported_where_they_are_used(package):
    for path in modules(package):
        heavy = {name.split(".")[0] for name in imports(path, top_level=True) if name} & HEAVY
        assert not heavy, f"{path.relative_to(ROOT)} imports {heavy} at module level"


def commands():
    actions = [action for action in _parser()._actions if hasattr(action, "choices") and action.choices]
    return next(action.choices for action in actions if isinstance(action.choices, dict))


def test_the_readme_lists_every_command_and_no_other():
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    named = set(re.findall(r"`nightloom ([a-z]+)", readme))
    assert named == set(commands())
    for what in SHOWN:
        assert re.search(rf"\b{what}\b", readme), what
    for name, parser in commands().items():
        for action in parser._actions:
            for option in action.option_strings:
                if option.startswith("--") and option not in ("--help", "--config", "--json"):
                    assert option in readme, f"{name} {option}"


def test_the_readme_names_make_targets_that_exist():
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    targets = set(re.findall(r"`make ([a-z-]+)`", readme)) | set(re.findall(r"^make ([a-z-]+)", readme, re.M))
    assert {"demo", "test"} <= targets
    for target in targets:
        assert re.search(rf"^{target}:", makefile, re.M), target


def test_the_picture_of_the_readme_is_there():
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    pictures = re.findall(r"!\[[^\]]+\]\(([^)]+)\)", readme)
    assert pictures
    for picture in pictures:
        assert (ROOT / picture).exists(), picture


EXAMPLES = ("languages", "max_calls", "url", "model_date", "requests_per", "tokens", "usd =", "seconds")
"""Beginnings of lines outside the sources that have no default to show, but an example."""


def test_the_default_settings_file_loads_and_is_complete(tmp_path):
    path = tmp_path / "nightloom.toml"
    write_default(path)
    settings = load_settings(path)
    assert settings.sources[0].columns.id == "id"
    # With every commented default put in force, nothing changes: the comments tell the truth.
    lines = []
    for line in default_file().splitlines():
        bare = line.removeprefix("# ")
        is_key = re.match(
            r"^(?!languages|max_calls|url|model_date|requests_per|tokens|usd =|seconds)[a-z_]+ = ", bare
        ) and not bare.endswith('= ""')
        lines.append(bare if is_key else line)
    path.write_text("\n".join(lines))
    assert load_settings(path).model_dump(exclude={"sources"}) == settings.model_dump(exclude={"sources"})
    assert tomllib.loads(path.read_text())["store"]["min_authors"] == 5


def test_tables_name_their_units_and_keys():
    for table in TABLES.values():
        assert set(table.key) <= set(table.columns), table.name
        assert set(table.run_facts) <= set(table.columns), table.name
        for name, dtype in table.columns.items():
            if name.startswith("n_"):
                assert dtype.is_integer(), f"{table.name}.{name}"
            if name.endswith("_at"):
                assert str(dtype).startswith("Datetime"), f"{table.name}.{name}"
