"""Which language model the settings name, and loading it."""

from __future__ import annotations

from analytics.models.llm.protocol import LanguageModel, LanguageModelCard
from analytics.settings import LanguageModelSettings


def describe_language_model(settings: LanguageModelSettings) -> LanguageModelCard:
    """The model that these settings name, without loading it.

    Raises:
        ModelUnavailable: its package, folder or weights are missing, and it cannot be fetched.
    """
    if settings.backend == "remote":
        from analytics.models.llm.remote import describe_remote

        return describe_remote(settings)
    from analytics.models.llm.local import describe_local

    return describe_local(settings)


def load_language_model(settings: LanguageModelSettings) -> LanguageModel:
    """The model that these settings name, ready to answer.

    Raises:
        ModelUnavailable: it cannot be loaded, or its server cannot be reached.
    """
    if settings.backend == "remote":
        from analytics.models.llm.remote import load_remote

        return load_remote(settings)
    from analytics.models.llm.local import load_local

    return load_local(settings)
