from __future__ import annotations

import json
import zlib

import numpy as np
import polars as pl
import pytest

from analytics.errors import SourceError
from analytics.insight.grouping import Groups
from analytics.settings import Settings
from flows import evaluate
from flows.evaluate import as_lines, evaluate_themes

SUBJECTS = {
    "delivery": "parcel courier delivery doorstep late tracking".split(),
    "refund": "refund money bank statement waiting returned".split(),
    "battery": "battery charge drains hours empty warm".split(),
    "screen": "screen pixel scratch bright glass display".split(),
}
FILLERS = "still today again really since please friend week".split()
SETTINGS = Settings.model_validate(
    {"sources": ({"name": "x", "kind": "documents", "path": "x.csv", "columns": {"text": "text"}},)}
)


def word_vector(word):
    return np.random.default_rng(zlib.crc32(word.encode())).normal(size=48)


class WordVectors:
    """Stands for a model: a text is the sum of its words."""

    def __init__(self):
        self.embedded = []

    def embed(self, texts, advance):
        self.embedded += texts
        advance(len(texts))
        sums = np.array([sum(word_vector(word) for word in text.split()) for text in texts])
        return (sums / np.linalg.norm(sums, axis=1, keepdims=True)).astype(np.float32)


@pytest.fixture
def model(monkeypatch):
    model = WordVectors()
    monkeypatch.setattr(evaluate, "load_embedder", lambda described, settings: model)
    return model


@pytest.fixture
def grouping(monkeypatch):
    """Stands for discovery: a text is in the group of the subject whose words it is nearest to."""
    asked = []
    centres = np.array([sum(map(word_vector, SUBJECTS[subject])) for subject in sorted(SUBJECTS)])

    def find_groups(vectors, *, granularity, seed):
        asked.append((len(vectors), granularity, seed))
        return Groups((vectors @ centres.T).argmax(axis=1), np.array([0, 1, 1, 0]))

    monkeypatch.setattr(evaluate, "find_groups", find_groups)
    return asked


@pytest.fixture
def written():
    """240 different texts about four subjects."""
    rng = np.random.default_rng(3)
    rows = set()
    while len(rows) < 240:
        subject = str(rng.choice(sorted(SUBJECTS)))
        words = [*rng.permutation(SUBJECTS[subject])[:5], *rng.permutation(FILLERS)[:2]]
        rows.add((" ".join(words), subject))
    return pl.DataFrame(sorted(rows), schema=["said", "about"], orient="row")


def write(frame, path):
    frame.write_csv(path) if path.suffix == ".csv" else frame.write_parquet(path)
    return path


def stable(result):
    """What does not depend on the clock and the file."""
    return {k: v for k, v in result.items() if k not in ("data", "seconds", "embed_seconds")}


def test_subjects_are_found_in_a_file(model, written, tmp_path):
    result = evaluate_themes(SETTINGS, write(written, tmp_path / "texts.csv"), "said", "about")
    assert (result["n_texts"], result["n_labels"], result["n_labelled"]) == (240, 4, 240)
    assert result["purity"] > 0.9
    assert result["half_agreement_ari"] > 0.3
    assert 4 <= result["n_themes"] <= 60


def test_every_figure_is_json_and_the_lines_tell_it(model, grouping, written, tmp_path):
    path = write(written, tmp_path / "texts.csv")
    result = evaluate_themes(SETTINGS, path, "said", "about")
    assert json.loads(json.dumps(result)) == result
    for name in ("ari", "nmi", "purity", "seed_agreement_ari", "half_agreement_ari"):
        assert result[name] == 1
    assert (result["n_themes"], result["n_groups"], result["unplaced_share"]) == (4, 2, 0)
    assert 0.3 < result["upper_ari"] < 0.7
    assert result["seed"] == SETTINGS.store.seed
    lines = as_lines(result)
    assert lines[0].startswith(f"{path}: 240 texts, 240 different")
    assert any("4 in 2 groups (medium)" in line for line in lines)
    assert any("4 labels of 240 texts: ARI 1.000" in line for line in lines)


def test_csv_and_parquet_of_the_same_rows_give_the_same(model, grouping, written, tmp_path):
    paths = [write(written, tmp_path / name) for name in ("texts.csv", "texts.parquet")]
    one, other = (stable(evaluate_themes(SETTINGS, path, "said", "about")) for path in paths)
    assert one == other


def test_a_repeated_text_is_embedded_once_and_counts_each_time(model, grouping, written, tmp_path):
    repeated = pl.concat([written, written.head(30), written.head(30)])
    result = evaluate_themes(SETTINGS, write(repeated, tmp_path / "texts.parquet"), "said", "about")
    assert (result["n_texts"], result["n_wordings"]) == (300, 240)
    assert len(model.embedded) == len(set(model.embedded)) == 240


def test_empty_texts_are_left_out_and_counted(model, grouping, written, tmp_path):
    empty = pl.DataFrame({"said": ["", None, "  \n"], "about": ["refund", "refund", "screen"]})
    path = write(pl.concat([empty, written]), tmp_path / "texts.parquet")
    result = evaluate_themes(SETTINGS, path, "said", "about")
    assert (result["n_texts"], result["n_empty"]) == (240, 3)
    assert any("3 empty ones left out" in line for line in as_lines(result))


def test_without_labels_the_label_measures_are_null(model, grouping, written, tmp_path):
    result = evaluate_themes(SETTINGS, write(written, tmp_path / "texts.csv"), "said")
    for name in ("ari", "nmi", "purity", "upper_ari", "n_labels", "n_labelled"):
        assert result[name] is None
    assert result["seed_agreement_ari"] is not None
    assert any("none given" in line for line in as_lines(result))


def test_labels_may_be_numbers_and_lack_here_and_there(model, grouping, written, tmp_path):
    numbers = {subject: nth for nth, subject in enumerate(sorted(SUBJECTS))}
    about = pl.col("about").replace_strict(numbers)
    numbered = written.with_row_index("nth").with_columns(about=pl.when(pl.col("nth") >= 40).then(about))
    path = write(numbered, tmp_path / "texts.parquet")
    result = evaluate_themes(SETTINGS, path, "said", "about")
    assert (result["n_texts"], result["n_labelled"], result["n_labels"]) == (240, 200, 4)


def test_another_seed_and_granularity_are_used_and_told(model, grouping, written, tmp_path):
    path = write(written, tmp_path / "texts.csv")
    result = evaluate_themes(SETTINGS, path, "said", granularity="fine", seed=40)
    assert grouping == [(240, "fine", 40), (240, "fine", 41), (120, "fine", 40), (120, "fine", 41)]
    assert (result["granularity"], result["seed"]) == ("fine", 40)


def test_private_data_reach_no_model(model, grouping, written, tmp_path):
    private = written.with_columns(pl.format("{} mail me at jo.doe@example.org", "said").alias("said"))
    evaluate_themes(SETTINGS, write(private, tmp_path / "texts.csv"), "said")
    assert not any("@" in text for text in model.embedded)


@pytest.mark.parametrize(
    ("content", "text", "label", "said"),
    [
        ("said,about\na,b\n", "words", None, "no column 'words' (given as --text); it has: said, about"),
        ("said,about\na,b\n", "said", "tag", "no column 'tag' (given as --label); it has: said, about"),
        ("said,about\n ,b\n,c\n", "said", None, "column 'said' holds no text"),
        ("said,about\nno rows", "said", None, "rejected"),
        ("said,about\n", "said", None, "holds no rows"),
        ("said,about\na,b\nc,d\n", "said", None, "holds 2 different texts"),
        ("", "said", None, "texts.csv"),
        ("said,about\n" + "".join(f"text {n},\n" for n in range(20)), "said", "about", "is empty wherever"),
    ],
)
def test_what_a_user_can_get_wrong_is_one_line(model, tmp_path, content, text, label, said):
    path = tmp_path / "texts.csv"
    path.write_text(content)
    with pytest.raises(SourceError) as raised:
        evaluate_themes(SETTINGS, path, text, label)
    assert said in str(raised.value)
    assert "\n" not in str(raised.value)
    assert model.embedded == []


def test_a_missing_and_an_unreadable_file_are_told(model, tmp_path):
    with pytest.raises(SourceError, match="no such file"):
        evaluate_themes(SETTINGS, tmp_path / "texts.csv", "said")
    (tmp_path / "texts.parquet").write_bytes(b"PAR1 and then nothing")
    with pytest.raises(SourceError, match="cannot be read as Parquet"):
        evaluate_themes(SETTINGS, tmp_path / "texts.parquet", "said")
