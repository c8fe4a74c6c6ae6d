"""The report in a real browser, as `.ci/browser` makes one ready: on a phone and a desk, by day and by night."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any

import pytest

from harness.report.report import write_report
from tests.unit import made_runs

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    Made = Callable[[Path], Path]

playwright = pytest.importorskip("playwright.sync_api", reason="`.ci/browser` installs what drives a browser")
axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="`.ci/browser` installs it")
CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
pytestmark = [pytest.mark.proof, pytest.mark.skipif(CHROMIUM is None, reason="`.ci/browser` installs Chromium")]

SIZES = {"phone": (390, 844), "desk": (1280, 900)}
RUNS = [made_runs.passed, made_runs.failed, made_runs.unknown, made_runs.waived, made_runs.hostile, made_runs.huge]
every_run = pytest.mark.parametrize("made", RUNS, ids=lambda made: made.__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """A page as a browser shows it, and what it complained of or asked the network for on the way."""

    page: Any
    complaints: list[str]
    requests: list[str]

    def ask(self, script: str) -> Any:  # noqa: ANN401 - whatever a script returns
        """Return what a script finds in the page."""
        return self.page.evaluate(script)


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with playwright.sync_playwright() as driver:
        found = driver.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield found
        found.close()


@pytest.fixture(scope="module")
def file_of(tmp_path_factory: pytest.TempPathFactory) -> Callable[[Made], Path]:
    """Write the report of a run once."""
    return cache(lambda made: write_report(made(tmp_path_factory.mktemp(made.__name__))))


@pytest.fixture
def view(browser: Any, file_of: Callable[[Made], Path]) -> Iterator[Callable[..., View]]:  # noqa: ANN401 - a browser
    """Open the report of a run."""
    opened = []

    def look(made: Made, size: str = "phone", scheme: str = "light") -> View:
        width, height = SIZES[size]
        context = browser.new_context(viewport={"width": width, "height": height}, color_scheme=scheme)
        opened.append(context)
        seen = View(page=context.new_page(), complaints=[], requests=[])
        seen.page.on("console", lambda message: seen.complaints.append(message.text))
        seen.page.on("pageerror", lambda error: seen.complaints.append(str(error)))
        seen.page.on("dialog", lambda dialog: seen.complaints.append(dialog.message))
        seen.page.on("request", lambda request: seen.requests.append(request.url))
        seen.page.goto(file_of(made).as_uri())
        return seen

    yield look
    for context in opened:
        context.close()


@every_run
def test_it_asks_nothing_of_the_network_and_complains_of_nothing(view: Callable[..., View], made: Made) -> None:
    seen = view(made)
    assert seen.complaints == []
    assert [url for url in seen.requests if not url.startswith("file:")] == []
    assert len(seen.requests) == 1


@every_run
@pytest.mark.parametrize("size", SIZES)
def test_it_never_scrolls_sideways(view: Callable[..., View], made: Made, size: str) -> None:
    seen = view(made, size)
    seen.ask("() => document.querySelectorAll('details').forEach(one => one.open = true)")
    assert seen.ask("() => document.documentElement.scrollWidth") == SIZES[size][0]


@every_run
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("size", SIZES)
def test_axe_finds_no_barrier(view: Callable[..., View], made: Made, size: str, scheme: str) -> None:
    """Contrast, names, headings, tables, what a keyboard reaches: as WCAG has it, with all that folds laid open."""
    seen = view(made, size, scheme)
    seen.ask("() => document.querySelectorAll('details').forEach(one => one.open = true)")
    found = axe.Axe().run(seen.page)
    assert "color-contrast" in {rule["id"] for rule in found.response["passes"]}, "axe did not look"
    assert found.violations_count == 0, found.generate_report()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_paper_is_as_light_or_dark_as_the_reader_likes_it(view: Callable[..., View], scheme: str) -> None:
    red, *_ = _rgb(view(made_runs.failed, scheme=scheme).ask("() => getComputedStyle(document.body).backgroundColor"))
    assert (red > 200) == (scheme == "light")


@pytest.mark.parametrize(
    "made", [made_runs.passed, made_runs.failed, made_runs.unknown], ids=lambda made: made.__name__
)
def test_verdict_and_why_are_on_a_phones_first_screen(view: Callable[..., View], made: Made) -> None:
    seen = view(made)
    for part in (".badge", ".why"):
        assert seen.page.locator(part).bounding_box()["y"] < SIZES["phone"][1] / 2


def test_keyboard_reaches_the_findings(view: Callable[..., View]) -> None:
    seen = view(made_runs.failed)
    seen.page.keyboard.press("Tab")
    assert seen.ask("() => document.activeElement.textContent") == "To the findings"
    seen.page.keyboard.press("Enter")
    assert seen.page.url.endswith("#main")


def test_timeline_is_drawn_in_the_pages_colours(view: Callable[..., View]) -> None:
    script = "() => getComputedStyle(document.querySelector('figure svg text')).fill"
    by_day, by_night = (_rgb(view(made_runs.failed, scheme=scheme).ask(script)) for scheme in ("light", "dark"))
    assert sum(by_day) < sum(by_night)


def _rgb(colour: str) -> list[int]:
    return [int(part) for part in colour.removeprefix("rgb(").rstrip(")").split(",")]
