"""A disk that is full at any stage of a night: one clear line, nothing lost; with more room it goes on."""

from __future__ import annotations

import contextlib
import json
import re
import subprocess
from datetime import date

import polars as pl
import pytest
from command_line import AS_OF, contents, mounted, nightloom, published, the_line
from conftest import Shop, open_shop

from analytics.errors import StoreFull
from analytics.store.generation import digests
from analytics.store.lake import Stage
from analytics.store.pointer import Entry, Pointer, move_pointer, read_pointer


@pytest.fixture
def new_shop(tmp_path):
    return open_shop(tmp_path / "new", n_reviews=60)


def test_on_a_full_disk_the_pointer_the_state_and_the_lake_stay_as_they_were(new_shop):
    first, second = (Pointer(Entry(name, name, 1, date(2026, 6, 30))) for name in ("one", "two"))
    born = {"kind": "born", "theme_id": "t", "content": {"words": "many " * 2_000}}
    rows = pl.DataFrame({"key": [str(n) for n in range(1_000)]})
    stage = Stage("document", {"stage": "document"})
    with mounted(new_shop.data_dir, "-t", "tmpfs", "-o", "size=1m", "tmpfs"):
        store = new_shop.store
        move_pointer(store.published, first)
        store.state.record_theme_events("one", [born], who="night")
        store.lake.keep(stage, rows.head(10), "one")
        before = contents(new_shop.data_dir)
        with contextlib.suppress(OSError):
            (new_shop.data_dir / "filler").write_bytes(bytes(2_000_000))
        for write in (
            lambda: move_pointer(store.published, second),
            lambda: store.state.record_theme_events("two", [born], who="night"),
            lambda: store.lake.keep(stage, rows, "two"),
        ):
            with pytest.raises(StoreFull, match="disk full: cannot write to"):
                write()
        (new_shop.data_dir / "filler").unlink()
        assert contents(new_shop.data_dir) == before
        assert read_pointer(store.published) == first


@pytest.fixture(scope="module")
def server_url(prefect_server):
    from prefect.settings import PREFECT_API_URL

    return PREFECT_API_URL.value()


@pytest.fixture(scope="module")
def undisturbed(run_night, tmp_path_factory):
    """Digests of a night with all the room it needs."""
    shop = open_shop(tmp_path_factory.mktemp("undisturbed") / "shop", n_reviews=60)
    run_night(shop)
    return digests(published(shop) / read_pointer(published(shop)).active.generation)


def fill_up_and_go_on(shop: Shop, size: str, url: str) -> tuple[str, dict[str, str]]:
    """Where a night on a small disk met its end, and the digests of the night that goes on with more room."""
    with mounted(shop.data_dir, "-t", "tmpfs", "-o", f"size={size}", "tmpfs"):
        line = the_line(nightloom(shop, "run", *AS_OF, PREFECT_API_URL=url))
        said = re.fullmatch(
            rf"disk full: cannot write to {shop.data_dir}(\S*): no space left on its device; "
            "free some space and run again: finished parts are kept",
            line,
        )
        assert said, line
        assert read_pointer(published(shop)).active is None
        assert not [path for path in shop.data_dir.rglob(".*")], "a file was left half written"
        parts = list(shop.data_dir.glob("lake/*/*/part-*.parquet"))
        landed = {path: path.stat().st_mtime_ns for path in parts}
        subprocess.run(["mount", "-o", "remount,size=200m", str(shop.data_dir)], check=True)
        again = nightloom(shop, "run", *AS_OF, PREFECT_API_URL=url)
        assert again.returncode == 0, again.stderr
        assert {path: path.stat().st_mtime_ns for path in parts} == landed, "a finished part was made again"
        active = read_pointer(published(shop)).active
        assert active.generation == json.loads(again.stdout.splitlines()[-1])["generation"]
        return said[1], digests(published(shop) / active.generation)


@pytest.mark.slow
def test_a_full_disk_is_said_and_a_larger_one_goes_on(new_shop, undisturbed, server_url):
    place, after = fill_up_and_go_on(new_shop, "1m", server_url)
    assert place == "/published"
    assert after == undisturbed


@pytest.mark.slow
@pytest.mark.parametrize(
    ("size", "place"),
    [
        ("8k", ""),
        ("90k", "/lake/(item|interaction)/.*"),
        ("160k", "/journal/arrival"),
        ("300k", "/lake/embedding/.*"),
        ("400k", "/lake/vocabulary/.*"),
        ("560k", "/journal/.*"),
        ("3000k", "/published"),
        ("5500k", "/published(/.*)?"),
    ],
)
def test_a_disk_that_is_full_at_any_stage(new_shop, undisturbed, server_url, size, place):
    met, after = fill_up_and_go_on(new_shop, size, server_url)
    assert re.fullmatch(place, met)
    assert after == undisturbed


@pytest.mark.slow
def test_a_night_that_finds_the_disk_full_leaves_the_night_before_in_place(shop, tmp_path, server_url):
    used = sum(-(-path.stat().st_size // 4096) + 1 for path in shop.data_dir.rglob("*")) * 4
    kept = shop.data_dir.rename(tmp_path / "kept")
    with mounted(shop.data_dir, "-t", "tmpfs", "-o", f"size={used + 1000}k", "tmpfs"):
        subprocess.run(["cp", "-a", f"{kept}/.", str(shop.data_dir)], check=True)
        pointer = (published(shop) / "CURRENT").read_bytes()
        line = the_line(nightloom(shop, "run", "--as-of", "2026-07-01", PREFECT_API_URL=server_url))
        assert line.startswith(f"disk full: cannot write to {shop.data_dir}")
        assert (published(shop) / "CURRENT").read_bytes() == pointer
        assert json.loads(nightloom(shop, "show", "decisions", "--json").stdout)
