"""The pages in a real browser: on light and dark, on a desk and on a phone, with foreign text inert."""

import shutil
import socket
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from time import monotonic, sleep
from typing import Any

import pytest
from small_store import HOSTILE, SmallStore, sentences

NIGHT, NEXT = date(2018, 5, 24), date(2018, 5, 25)
ROOT = Path(__file__).parents[2]
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
FLAGS = (
    "--no-sandbox --disable-gpu --no-first-run --disable-background-networking --disable-component-update "
    "--disable-sync"
)

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(CHROMIUM is None, reason="no Chromium found; apt-get install chromium"),
]


@pytest.fixture(scope="module")
def store_shown(tmp_path_factory: pytest.TempPathFactory, shelf: Path) -> SmallStore:
    store = SmallStore(tmp_path_factory.mktemp("browser"), shelf)
    store.publish(NIGHT)
    return store


@pytest.fixture(scope="module")
def address(store_shown: SmallStore) -> Iterator[str]:
    """Where a server shows the store; started from the repository's root, as a user does."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "streamlit", "run", "dashboard/app.py", "--server.port", str(port)]
    log = store_shown.config.with_name("server.log")
    with log.open("w") as output:
        server = subprocess.Popen(
            [*command, "--", "--config", str(store_shown.config)], cwd=ROOT, stdout=output, stderr=output
        )
        try:
            _wait_for(f"http://127.0.0.1:{port}/_stcore/health", server, log)
            yield f"http://127.0.0.1:{port}"
        finally:
            server.terminate()
            server.wait()


def _wait_for(address: str, server: subprocess.Popen[bytes], log: Path) -> None:
    end = monotonic() + 60
    while monotonic() < end and server.poll() is None:
        try:
            with urllib.request.urlopen(address, timeout=1):
                return
        except (urllib.error.URLError, OSError):
            sleep(0.2)
    pytest.fail(f"the server did not start: {log.read_text()}")


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS.split())
        yield chromium
        chromium.close()


@pytest.mark.parametrize("width", [1280, 390])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_both_pages(browser: Any, address: str, scheme: str, width: int) -> None:
    page = browser.new_page(color_scheme=scheme, viewport={"width": width, "height": 844})
    try:
        page.goto(address)
        page.get_by_text(sentences(NIGHT)[0], exact=True).wait_for(timeout=30_000)
        _check(page, scheme)
        page.goto(f"{address}/themes")
        page.get_by_role("heading", name="price · value · money").wait_for(timeout=30_000)
        page.get_by_text("All themes").wait_for()
        _check(page, scheme)
    finally:
        page.close()


def _check(page: Any, scheme: str) -> None:
    """The page is drawn to its end, without an error, in its colours, and no wider than the screen."""
    page.get_by_text("How this was made").wait_for(timeout=30_000)
    page.locator("[data-testid=stVegaLiteChart] svg, [data-testid=stVegaLiteChart] canvas").first.wait_for()
    assert page.get_by_test_id("stException").count() == 0
    assert page.get_by_test_id("stAlert").count() == 0
    background = page.evaluate("getComputedStyle(document.querySelector('.stApp')).backgroundColor")
    assert background == {"light": "rgb(255, 255, 255)", "dark": "rgb(16, 21, 28)"}[scheme]
    main = "document.querySelector('[data-testid=stMain]')"
    assert page.evaluate(f"{main}.scrollWidth - {main}.clientWidth") == 0


def test_foreign_text_does_nothing(browser: Any, address: str) -> None:
    # Tall enough for the whole page: a list of options closes when the page scrolls under it.
    page = browser.new_page(viewport={"width": 1280, "height": 3000})
    opened: list[str] = []
    page.on("dialog", lambda dialog: (opened.append(dialog.message), dialog.dismiss()))
    try:
        page.goto(address)
        page.get_by_text("How this was made").wait_for(timeout=30_000)
        page.get_by_role("combobox").press("ArrowDown")
        page.get_by_role("option", name="2. zip **b** $x$ <i>x</i>", exact=True).wait_for()
        page.keyboard.press("Escape")
        page.get_by_text("Evidence:").nth(1).click()
        marked = page.locator("mark", has_text="cost $x$").first
        marked.wait_for()
        assert marked.inner_text() == HOSTILE
        assert marked.locator("*").count() == 0
        assert page.locator("a[href*='evil']").count() == 0
        assert page.locator(".katex").count() == 0
        assert opened == []
    finally:
        page.close()


def test_a_page_left_open_follows_the_pointer(browser: Any, address: str, store_shown: SmallStore) -> None:
    page = browser.new_page(viewport={"width": 1280, "height": 844})
    try:
        page.goto(address)
        page.get_by_text(sentences(NIGHT)[0], exact=True).wait_for(timeout=30_000)
        store_shown.publish(NEXT)
        page.get_by_text("Watch", exact=True).first.click()
        page.get_by_text(sentences(NEXT)[1], exact=True).wait_for(timeout=30_000)
        page.get_by_text(sentences(NIGHT)[1], exact=True).wait_for(state="detached", timeout=30_000)
        assert page.get_by_text(sentences(NEXT)[0], exact=True).count() == 0
        page.get_by_text("Watch", exact=True).first.click()
        page.get_by_text(sentences(NEXT)[0], exact=True).wait_for(timeout=30_000)
    finally:
        page.close()
