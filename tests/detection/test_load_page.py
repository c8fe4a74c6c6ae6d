"""`harness load --ui` in a real browser: an engineer starts a rate, changes it, and sees what is sent follow."""

from __future__ import annotations

import dataclasses
import shutil
import socket
from typing import TYPE_CHECKING

import pytest
from selenium import webdriver
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.ui import WebDriverWait

from harness.contract.profile import load_profile
from harness.load.page import Page, page
from harness.load.run import plan_of
from tests.detection.layers import ROOT
from tests.unit.test_load_known_truth import serving

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from selenium.webdriver.remote.webelement import WebElement

pytestmark = [pytest.mark.proof, pytest.mark.timeout(300)]

BROWSER, DRIVER = shutil.which("chromium"), shutil.which("chromedriver")
# As root, without a screen, in little shared memory: as on a machine for CI.
OPTIONS = ("--headless=new", "--no-sandbox", "--disable-dev-shm-usage", "--disable-gpu", "--window-size=1500,900")
SHOTS = ROOT / "reports" / "load-page"
PATIENCE_S = 40.0
DEFAULT = load_profile()
PROFILE = dataclasses.replace(DEFAULT, load=dataclasses.replace(DEFAULT.load, warm_up_s=1))


@pytest.fixture
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Page]:
    with socket.create_server(("127.0.0.1", 0)) as door:
        port: int = door.getsockname()[1]
    with serving() as url:
        plan = plan_of(url, PROFILE, rate_per_s=20)
        with page(plan, tmp_path_factory.mktemp("page"), port=port) as found:
            yield found


@pytest.fixture
def browser() -> Iterator[webdriver.Chrome]:
    if BROWSER is None or DRIVER is None:
        pytest.skip("no browser to look with: apt-get install chromium chromium-driver")
    options = webdriver.ChromeOptions()
    options.binary_location = BROWSER
    for option in OPTIONS:
        options.add_argument(option)
    driver = webdriver.Chrome(options=options, service=Service(DRIVER))
    yield driver
    driver.quit()


@dataclasses.dataclass(frozen=True)
class Engineer:
    """Somebody who looks at the page and clicks."""

    browser: webdriver.Chrome

    def see(self, what: Callable[[], object]) -> None:
        """Wait until something can be seen."""
        WebDriverWait(self.browser, PATIENCE_S).until(lambda _: what())

    def click(self, text: str) -> None:
        """Click the button, or the tab, with a text."""
        self.see(lambda: self._buttons(text))
        self._buttons(text)[0].click()

    def ask_for(self, users: int, button: str) -> None:
        """Fill in the first field of the form, and send it."""
        self.see(lambda: self.browser.find_elements(By.NAME, "userCount"))
        field = self.browser.find_element(By.NAME, "userCount")
        field.send_keys(Keys.CONTROL, "a")
        field.send_keys(str(users))
        self.click(button)

    def rows(self) -> list[dict[str, str]]:
        """Read the table by the titles of its columns."""
        script = "return [...document.querySelectorAll('table tr')].map(r => [...r.cells].map(c => c.innerText))"
        titles, *rows = self.browser.execute_script(script) or [[]]
        return [dict(zip(titles, row, strict=False)) for row in rows]

    def has_measured(self, rate: int, seconds: int) -> bool:
        """Whether the newest row is that of a rate, and that old."""
        rows = self.rows()
        newest = rows[0] if rows else {}
        return newest.get("Rate asked, 1/s") == f"{rate}" and int(newest["Measured, s"]) >= seconds

    def shoot(self, name: str) -> None:
        """Keep what the page looks like."""
        SHOTS.mkdir(parents=True, exist_ok=True)
        self.browser.save_screenshot(str(SHOTS / f"{name}.png"))

    def _buttons(self, text: str) -> list[WebElement]:
        return [one for one in self.browser.find_elements(By.TAG_NAME, "button") if one.text.lower() == text.lower()]


def test_the_rate_follows_the_page(browser: webdriver.Chrome, served: Page) -> None:
    engineer = Engineer(browser)
    browser.get(served.url)
    assert "One user is one request a second" in browser.find_element(By.TAG_NAME, "body").text
    engineer.ask_for(20, "Start")
    engineer.click("Exact")
    engineer.see(lambda: engineer.has_measured(20, seconds=5))
    engineer.shoot("at-20")
    engineer.click("Edit")
    engineer.ask_for(60, "Update")
    engineer.see(lambda: engineer.has_measured(60, seconds=6))
    engineer.shoot("at-60")
    fast, slow = engineer.rows()
    assert float(slow["Sent, 1/s"]) == pytest.approx(20, abs=1)
    assert float(fast["Sent, 1/s"]) == pytest.approx(60, abs=2)
    assert float(fast["Served, 1/s"]) == pytest.approx(60, abs=4)
    assert (fast["Over budget"], fast["Not 200"]) == ("0", "none")
    header = browser.find_element(By.TAG_NAME, "header").text
    assert "\n60\n" in header  # Locust's own word for it: users
    engineer.click("Charts")
    engineer.shoot("charts")
    engineer.click("Stop")
    engineer.see(lambda: "STOPPED" in browser.find_element(By.TAG_NAME, "header").text)
    assert [row.rate for row in served.rows()] == [60, 20]
