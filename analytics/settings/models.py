"""Models: what turns texts into vectors, judges them, and writes."""

from __future__ import annotations

from datetime import date
from typing import Literal

from pydantic import Field, model_validator

from analytics.settings.section import Section


class EmbeddingSettings(Section):
    """The model that turns texts into vectors."""

    model: str = Field(
        "embedded",
        description='"embedded" (all-MiniLM-L6-v2, installed with the program), or the folder or hub name '
        "of any sentence-transformers model.",
    )
    languages: tuple[str, ...] | None = Field(
        None,
        examples=[("en", "de")],
        description='Languages that the model reads, ["*"] for all; others count as not analysed. Left out: '
        "what the model's own card declares; English where it declares nothing.",
    )
    max_tokens: int = Field(
        256, ge=8, description="Longer texts are cut here, counted in the model's tokens."
    )
    engine: Literal["auto", "openvino", "torch"] = Field(
        "auto", description='"auto": torch on a GPU, else OpenVINO on the CPU; or "openvino" or "torch".'
    )
    threads: int = Field(0, ge=0, description="CPU threads; 0 takes all cores that this process may use.")


class LanguageModelSettings(Section):
    """The model that writes sentences and names; what it writes is checked before it is shown."""

    backend: Literal["local", "remote"] = Field(
        "local", description='"local": on this machine; "remote": a server that speaks OpenAI\'s protocol.'
    )
    allow_remote: bool = Field(
        False, description="Whether texts may be sent to another machine; redaction comes before in any case."
    )
    model: str = Field(
        "embedded",
        description='"embedded" (SmolLM2-135M-Instruct), a GGUF file, the folder or hub name of any causal '
        "model, or the name that a server knows the model by.",
    )
    languages: tuple[str, ...] | None = Field(
        None, examples=[("en", "de")], description="Languages that the model writes. Left out: English."
    )
    engine: Literal["auto", "openvino", "torch"] = Field(
        "auto",
        description='"auto": torch on a GPU, else OpenVINO on the CPU where it reads the model; or '
        '"openvino" or "torch".',
    )
    threads: int = Field(0, ge=0, description="CPU threads; 0 takes all cores that this process may use.")
    max_input_tokens: int = Field(
        1_024, ge=128, description="Longer texts are cut here, at a sentence; the cut is recorded."
    )
    url: str | None = Field(
        None,
        examples=["http://gpu-worker:8000/v1"],
        description="Address of the server, up to and with /v1.",
    )
    api_key_env: str = Field(
        "NIGHTLOOM_API_KEY", description="Environment variable that holds the server's key; never the key."
    )
    model_date: date | None = Field(
        None,
        examples=[date(2026, 7, 1)],
        description="Since when the server's model is what it is: a later date asks everything anew.",
    )
    concurrency: int = Field(8, ge=1, description="Requests that are open at a server at once.")
    requests_per_minute: int | None = Field(
        None, examples=[600], ge=1, description="Most requests a minute that the server allows."
    )
    tokens_per_minute: int | None = Field(
        None, examples=[200_000], ge=1, description="Most tokens a minute that the server allows."
    )
    usd_per_million_input_tokens: float = Field(
        0.0, ge=0, description="Price of a million tokens that the model reads, in US dollars."
    )
    usd_per_million_output_tokens: float = Field(
        0.0, ge=0, description="Price of a million tokens that the model writes, in US dollars."
    )
    timeout_seconds: float = Field(60.0, gt=0, description="A request without an answer is given up here.")
    give_up_seconds: float = Field(
        120.0, gt=0, description="A server that answers nothing for so long is given up for the night."
    )

    @model_validator(mode="after")
    def _reachable(self) -> LanguageModelSettings:
        if self.backend == "remote":
            if not self.allow_remote:
                raise ValueError(
                    'backend = "remote" sends texts to another machine; set allow_remote = true to permit it'
                )
            if self.url is None or self.model == "embedded":
                raise ValueError('backend = "remote" needs url and the model\'s name at that server')
        return self

    def usd(self, n_input_tokens: int, n_output_tokens: int) -> float:
        """What so many tokens cost, in US dollars."""
        prices = self.usd_per_million_input_tokens, self.usd_per_million_output_tokens
        return (prices[0] * n_input_tokens + prices[1] * n_output_tokens) / 1e6


class SentimentSettings(Section):
    """How opinions are told apart as positive, neutral and negative."""

    min_rated_documents: int = Field(
        200,
        ge=20,
        description="With fewer rated documents a lexicon decides instead of a head fitted on ratings.",
    )
    refit_every_days: int = Field(
        30, ge=1, description="Nights between two fits of the head; a switch is recorded, never silent."
    )
