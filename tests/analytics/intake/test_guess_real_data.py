"""Guesses on the catalogue's files, under their own names and under those of their originals."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest

from analytics.intake.guess import SURE, guess_source

CATALOGUE = next(
    (
        parent / "shared" / "data"
        for parent in Path(__file__).parents
        if (parent / "shared" / "data").is_dir()
    ),
    None,
)
pytestmark = pytest.mark.skipif(CATALOGUE is None, reason="the catalogue of real data is not here")

# File: its original's stem, renamed columns (None: left out), kind, and the right column of each role.
ORIGINALS = {
    "reviews_datafiniti_electronics": (
        "1429_1",
        {
            "doc_id": "reviews.id",
            "text": "reviews.text",
            "title": "reviews.title",
            "rating": "reviews.rating",
            "user_id": "reviews.username",
            "item_id": "id",
            "item_title": "name",
            "created_at": "reviews.date",
            "did_purchase": "reviews.didPurchase",
            "do_recommend": "reviews.doRecommend",
            "num_helpful": "reviews.numHelpful",
        },
        "documents",
        {
            "id": "reviews.id",
            "text": "reviews.text",
            "title": "reviews.title",
            "rating": "reviews.rating",
            "user": "reviews.username",
            "item": "asins",
            "created_at": "reviews.date",
        },
    ),
    "reviews_rt_critics": (
        "rt.reviews",
        {
            "doc_id": "nr",
            "text": "review",
            "rating_raw": "rating",
            "rating_0_1": "score",
            "label": "fresh",
            "user_id": "critic",
            "item_id": "id",
            "created_at": "date",
        },
        "documents",
        {
            "id": "nr",
            "text": "review",
            "rating": "score",
            "user": "critic",
            "item": "id",
            "created_at": "date",
        },
    ),
    "items_ml100k": (
        "u.item",
        {
            "item_id": "movie id",
            "title": "movie title",
            "release_date": "release date",
            "description": "overview",
        },
        "items",
        {"id": "movie id", "title": "movie title", "text": "overview"},
    ),
    "users_ml100k": ("u.user", {"user_id": "user id"}, "users", {"id": "user id"}),
    "recsys_ml100k_ratings": (
        "u.data",
        {"user_id": "user id", "item_id": "item id", "created_at": "timestamp"},
        "interactions",
        {"user": "user id", "item": "item id", "rating": "rating", "created_at": "timestamp"},
    ),
    "items_zomato": (
        "Restaurant names and Metadata",
        {"item_id": None, "item_title": "Name", "links": "Links", "cost": "Cost"},
        "items",
        {"id": "Name", "title": "Name"},
    ),
    "topics_bbc": (
        "bbc-text",
        {"doc_id": "filename", "text": "content", "label": "category"},
        "documents",
        {"id": "filename", "text": "content", "title": "title"},
    ),
    "reviews_zomato": (
        "Restaurant reviews",
        {
            "doc_id": "Nr",
            "item_id": None,
            "item_title": "Restaurant",
            "user_id": "Reviewer",
            "text": "Review",
            "rating": "Rating",
            "created_at": "Time",
        },
        "documents",
        {
            "id": "Nr",
            "item": "Restaurant",
            "user": "Reviewer",
            "text": "Review",
            "rating": "Rating",
            "created_at": "Time",
        },
    ),
    "reviews_nsmc_ko": (
        "raw",
        {
            "doc_id": "review_id",
            "item_id": "movie_id",
            "user_id": "author",
            "text": "review",
            "created_at": "date",
        },
        "documents",
        {
            "id": "review_id",
            "item": "movie_id",
            "user": "author",
            "text": "review",
            "rating": "rating",
            "created_at": "date",
        },
    ),
    "reviews_zh": (
        "online_shopping_10_cats",
        {"doc_id": "index", "category": "cat", "text": "review"},
        "documents",
        {"id": "index", "text": "review"},
    ),
    "items_rt_movies": (
        "rt.movie_info",
        {"item_id": "id", "description": "synopsis", "mpaa": "rating"},
        "items",
        {"id": "id", "text": "synopsis"},
    ),
    "items_amazon_beauty": (
        "products_lookup",
        {"item_id": "asin"},
        "items",
        {"id": "asin", "title": "title"},
    ),
    "support_banking77": (
        "train",
        {"doc_id": "id", "label": "category"},
        "documents",
        {"id": "id", "text": "text"},
    ),
    "qa_stackfaq_docs": (
        "stackExchange-FAQ",
        {"doc_id": "answer_id", "thread_id": "faq_id", "title": "question", "text": "answer"},
        "documents",
        {"id": "answer_id", "text": "answer", "question": "question"},
    ),
    "qa_stackfaq_queries": (
        "queries",
        {"query_id": "qid", "text": "query"},
        "documents",
        {"id": "qid", "text": "query"},
    ),
}


def first_rows(name):
    return pl.read_parquet(CATALOGUE / f"{name}.parquet", n_rows=2_000)


def mistakes(guess, kind, expected):
    """What is wrong, by whether the guess was sure of it."""
    found = {role: one for role, one in guess.columns.items() if role != "segments"}
    wrong = {} if guess.kind.value == kind else {"kind": guess.kind.is_sure}
    for role in set(found) | set(expected):
        one = found.get(role)
        if one is None or one.value != expected.get(role):
            wrong[role] = one is not None and one.is_sure
    return wrong


def test_originals_are_mapped_right_or_said_to_be_unsure():
    right, sure_and_wrong = [], {}
    for name, (stem, renamed, kind, expected) in ORIGINALS.items():
        frame = first_rows(name)
        frame = frame.drop(column for column, new in renamed.items() if new is None)
        guess = guess_source(stem, frame.rename({column: new for column, new in renamed.items() if new}))
        wrong = mistakes(guess, kind, expected)
        if not wrong:
            right.append(name)
        if any(wrong.values()):
            sure_and_wrong[name] = wrong
    assert sure_and_wrong == {}
    assert len(right) >= 0.8 * len(ORIGINALS)


@pytest.mark.parametrize("name", ["qa_stackfaq_qrels", "summ_fewsum", "recsys_amazon_beauty_seq"])
def test_what_no_source_can_be_made_of_says_why(name):
    frame = first_rows(name)
    assert guess_source(name, frame).problem


@pytest.mark.parametrize("name", ["absa_quads", "pii_presidio_synth"])
def test_annotated_texts_are_unsure(name):
    frame = first_rows(name)
    guess = guess_source(name, frame)
    assert guess.kind.confidence < SURE
    assert guess.columns["text"].value == "text"


@pytest.mark.parametrize("name", [name for name, row in ORIGINALS.items() if row[2] == "documents"])
def test_without_headers_no_role_is_sure_and_wrong(name):
    frame = first_rows(name)
    meanings = {f"col{nth}": column for nth, column in enumerate(frame.columns, 1)}
    guess = guess_source("export", frame.rename({column: bare for bare, column in meanings.items()}))
    own = {"doc_id": "id", "query_id": "id", "text": "text", "title": "title", "created_at": "created_at"}
    for role, one in guess.columns.items():
        if role != "segments" and one.is_sure:
            assert own.get(meanings[one.value]) == role, (role, meanings[one.value])
