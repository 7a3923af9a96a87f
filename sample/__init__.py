"""A made-up shop's text store with its ground truth, for measuring."""

from sample.store import make_store

__all__ = ["make_store"]
