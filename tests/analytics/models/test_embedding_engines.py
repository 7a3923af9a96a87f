"""The loaded engines against sentence-transformers in fp32; slow for the conversion and its imports."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from analytics.models import embedding_openvino
from analytics.models.embedding import EmbeddingModel, describe_model, load_embedder
from analytics.settings import EmbeddingSettings

pytestmark = pytest.mark.slow

OPENVINO = EmbeddingSettings(engine="openvino", threads=2)
TORCH = EmbeddingSettings(engine="torch", threads=2)

SUBJECTS = ["The battery", "My order", "This hotel", "Customer service", "The last update", "A waiter"]
VERBS = [
    "failed after two days",
    "was better than I hoped",
    "never answered",
    "cost 20 % more",
    "made my week",
]
ENDINGS = [".", ", which is a pity!", " – would not buy again", "; ask me why…", " (see photo #3)"]
VARIED = [
    *(f"{subject} {verb}{ending}" for subject in SUBJECTS for verb in VERBS for ending in ENDINGS[:3]),
    *("Great" + ending for ending in ENDINGS),
    *(" ".join(["It is long and says little."] * n) for n in (2, 5, 11, 23, 47, 400)),
    "ok",
    "?",
    "¡Excelente! Très bien, sehr gut, とても良い, очень хорошо",
    "love it ❤️❤️❤️ 10/10",
    "http://example.com/a?b=c&d=e user@host",
    "a" * 300,
]

GOLDEN = {
    "The battery died after two days.": (-0.005, 0.127, -0.02, 0.019, -0.002, 0.072, -0.027, 0.022),
    "Great sound, but the app keeps crashing.": (0.037, 0.115, 0.003, -0.05, 0.016, 0.019, 0.071, -0.054),
    "¿Why is there no refund?": (-0.048, 0.076, 0.035, -0.02, -0.159, 0.016, 0.054, 0.008),
}


@pytest.fixture(scope="module")
def cache(tmp_path_factory):
    """An empty cache, so that the conversion itself is tested."""
    with pytest.MonkeyPatch.context() as patch:
        place = tmp_path_factory.mktemp("cache")
        patch.setenv("XDG_CACHE_HOME", str(place))
        yield place


@pytest.fixture(scope="module")
def model() -> EmbeddingModel:
    return describe_model(OPENVINO)


@pytest.fixture(scope="module")
def openvino(cache, model):
    return load_embedder(model, OPENVINO)


@pytest.fixture(scope="module")
def fp32(model) -> np.ndarray:
    """What sentence-transformers answers to `VARIED` by itself."""
    from sentence_transformers import SentenceTransformer

    loaded = SentenceTransformer(str(model.folder), device="cpu").float()
    return loaded.encode(VARIED, normalize_embeddings=True, show_progress_bar=False)


def cache_folder(model: EmbeddingModel) -> Path:
    return embedding_openvino.cache_folder(embedding_openvino.import_openvino().Core(), model)


def cosines(ours: np.ndarray, theirs: np.ndarray) -> np.ndarray:
    return (ours * theirs).sum(1)


def test_openvino_agrees_with_fp32(openvino, fp32):
    vectors = openvino.embed(VARIED)
    assert openvino.engine == "openvino"
    assert openvino.n_dims == 384
    assert len(VARIED) >= 100
    assert np.allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-6)
    assert cosines(vectors, fp32).min() >= 0.9995


def test_torch_agrees_with_fp32_under_the_same_recipe(model, fp32):
    embedder = load_embedder(describe_model(TORCH), TORCH)
    assert embedder.engine == "torch"
    assert describe_model(TORCH).recipe() == model.recipe()
    assert cosines(embedder.embed(VARIED), fp32).min() >= 0.9995


@pytest.mark.short
def test_same_list_same_bits_in_any_order_and_over_loads(openvino, model):
    once = openvino.embed(VARIED)
    assert np.array_equal(openvino.embed(VARIED), once)
    assert np.array_equal(openvino.embed(VARIED[::-1])[::-1], once)
    assert np.array_equal(load_embedder(model, OPENVINO).embed(VARIED), once)


@pytest.mark.short
def test_golden_vectors(openvino):
    # A miss means that a text gives another vector: raise STAGE_VERSION in analytics/models/embedding.py.
    vectors = openvino.embed(list(GOLDEN))
    for vector, expected in zip(vectors, GOLDEN.values(), strict=True):
        assert vector[::48] == pytest.approx(expected, abs=0.02)


@pytest.mark.short
def test_identical_texts_and_none_at_all(openvino):
    vectors = openvino.embed(["The battery lasts.", "ok", "The battery lasts."])
    assert np.array_equal(vectors[0], vectors[2])
    assert openvino.embed([]).shape == (0, 384)


@pytest.mark.short
def test_a_later_load_imports_neither_torch_nor_transformers(openvino):
    code = (
        "import sys\n"
        "from analytics.models.embedding import describe_model, load_embedder\n"
        "from analytics.settings import EmbeddingSettings\n"
        "settings = EmbeddingSettings(engine='openvino')\n"
        "embedder = load_embedder(describe_model(settings), settings)\n"
        "assert embedder.embed(['a text']).shape == (1, 384)\n"
        "heavy = {'torch', 'transformers', 'sentence_transformers', 'openvino_telemetry.main'}\n"
        "print(embedder.engine, *sorted(heavy & set(sys.modules)))\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["openvino"]


def test_a_cache_that_cannot_be_written_or_read_is_done_without(openvino, model, tmp_path, monkeypatch):
    expected = openvino.embed(VARIED[:5])
    kept = cache_folder(model)
    (tmp_path / "file").write_text("not a folder")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    assert np.array_equal(load_embedder(model, OPENVINO).embed(VARIED[:5]), expected)

    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    broken = cache_folder(model)
    broken.mkdir(parents=True)
    for file in kept.iterdir():
        (broken / file.name).write_bytes(file.read_bytes()[:1000])
    assert np.array_equal(load_embedder(model, OPENVINO).embed(VARIED[:5]), expected)
    assert (broken / "model.bin").stat().st_size == (kept / "model.bin").stat().st_size
    assert [path.name for path in broken.parent.iterdir()] == [broken.name]


def test_a_model_that_cannot_be_converted_runs_on_torch(model, tmp_path, monkeypatch, fp32):
    def refuse(*_: object, **__: object) -> None:
        raise RuntimeError("no conversion rule found\nfor this operation")

    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setattr(embedding_openvino.import_openvino(), "convert_model", refuse)
    embedder = load_embedder(model, OPENVINO)
    assert (embedder.engine, embedder.device) == ("torch", "cpu")
    assert cosines(embedder.embed(VARIED), fp32).min() >= 0.9995


def test_bf16_is_left_where_it_would_do_harm(model, fp32, tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setattr(embedding_openvino, "MIN_COSINE_BF16", 1.1)
    for _ in ("converted", "kept"):
        embedder = load_embedder(model, OPENVINO)
        assert embedder.precision == "fp32"
        assert cosines(embedder.embed(VARIED), fp32).min() >= 0.99999


def save_small_model(folder: Path, source: Path, kind: str) -> None:
    """A model of unusual modules with random weights and the tokenizer of `source`."""
    import torch
    from sentence_transformers import SentenceTransformer
    from sentence_transformers.models import Dense, Pooling, StaticEmbedding, Transformer
    from tokenizers import Tokenizer
    from transformers import AutoTokenizer, BertConfig, BertModel

    torch.manual_seed(3)
    if kind == "static":
        tokenizer = Tokenizer.from_file(str(source / "tokenizer.json"))
        tokenizer.no_padding()
        tokenizer.no_truncation()
        SentenceTransformer(modules=[StaticEmbedding(tokenizer, embedding_dim=24)]).save(str(folder))
        return
    shape = {"num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 64, "hidden_size": 32}
    bert = folder.with_name("bert")
    BertModel(BertConfig(**shape)).save_pretrained(bert)
    AutoTokenizer.from_pretrained(source).save_pretrained(bert)
    transformer = Transformer(str(bert), max_seq_length=40)
    pooling = Pooling(32, pooling_mode=kind, include_prompt=False)
    loaded = SentenceTransformer(
        modules=[transformer, pooling, Dense(32, 16)],
        prompts={"note": "Note this: "},
        default_prompt_name="note",
    )
    loaded.save(str(folder))


@pytest.mark.parametrize("kind", ["cls", "mean", "max", "static"])
def test_other_models_work_whole(kind, model, cache, tmp_path):
    from sentence_transformers import SentenceTransformer

    folder = tmp_path / "small"
    save_small_model(folder, model.folder, kind)
    settings = EmbeddingSettings(model=str(folder), engine="openvino", threads=2)
    small = describe_model(settings)
    assert small.prompt == ("" if kind == "static" else "Note this: ")
    assert small.max_tokens == (256 if kind == "static" else 40)

    embedder = load_embedder(small, settings)
    theirs = SentenceTransformer(str(folder), device="cpu")
    texts = [text for text in VARIED if len(text) < 500]
    expected = theirs.encode(texts, normalize_embeddings=True, show_progress_bar=False)
    assert embedder.engine == "openvino"
    assert cosines(embedder.embed(texts), expected).min() >= 0.999
    about = json.loads((cache_folder(small) / "about.json").read_text())
    assert about["n_dims"] == embedder.n_dims == expected.shape[1]
