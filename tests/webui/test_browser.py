"""The screens in a real browser: they work, say nothing on the console, and are accessible."""

import shutil
import threading
from pathlib import Path

import pytest
from playwright import sync_api as playwright
from werkzeug.serving import make_server

from sync.service import systems
from tests.webui import demo
from tests.webui.browsers import application

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
pytestmark = [
    pytest.mark.skipif(not CHROMIUM, reason="no chromium (apt-get install -y chromium)"),
    pytest.mark.slow,
    pytest.mark.timeout(900),
]
AXE = Path(__file__).with_name("axe.min.js")
PAGES = [
    "/",
    "/customers",
    "/contacts",
    "/invoices",
    "/systems",
    "/systems/new",
    "/systems/new/zoho_crm",
    "/systems/crm",
    "/systems/shop",
    "/plans",
    "/plans/1",
    "/runs",
    "/runs/1",
    "/conflicts",
    "/candidates",
    "/guards",
    "/dead-letters",
    "/dead-letters/list",
    "/account",
    "/users",
    "/audit",
    "/backups",
    "/mappings",
    "/mappings/1",
    "/mappings/new?of=1",
    "/quality",
    "/runs/1/rollback",
    "/thresholds",
]
SERIOUS = {"serious", "critical"}


@pytest.fixture(scope="module")
def address(busy):
    """The busy hub behind a real server."""
    server = make_server("127.0.0.1", 0, application(busy), threaded=True)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture(scope="module")
def chromium():
    with playwright.sync_playwright() as started:
        browser = started.chromium.launch(
            executable_path=CHROMIUM, args=["--no-sandbox", "--disable-dev-shm-usage"]
        )
        yield browser
        browser.close()


def _sign_in(context, address: str, language: str = "en"):
    page = context.new_page()
    page.complaints = []
    page.on("pageerror", lambda error: page.complaints.append(str(error)))
    page.on(
        "console",
        lambda message: page.complaints.append(message.text) if message.type == "error" else None,
    )
    page.goto(f"{address}/login")
    page.locator(f"button[name=language][value={language}]").first.click()
    page.fill("#login", "admin")
    page.fill("#password", demo.PASSWORD)
    page.click(".login-box button")
    page.wait_for_url(f"{address}/")
    return page


@pytest.mark.parametrize(("language", "width"), [("en", 1440), ("zh", 390)])
def test_no_page_has_a_serious_finding(chromium, address, language, width):
    # The context lets the checker in past our policy; the next test keeps the policy on.
    context = chromium.new_context(
        viewport={"width": width, "height": 900}, bypass_csp=True, reduced_motion="reduce"
    )
    page = _sign_in(context, address, language)
    found = []
    record = page.goto(f"{address}/customers") and page.locator(".cell-name a").first
    paths = [*PAGES, record.get_attribute("href")]
    for path in paths:
        page.goto(f"{address}{path}")
        page.locator("main").wait_for()
        page.add_script_tag(path=str(AXE))
        result = page.evaluate("() => axe.run(document, {resultTypes: ['violations']})")
        found += [
            f"{path}: {each['id']}: {each['nodes'][0]['html'][:160]}"
            for each in result["violations"]
            if each["impact"] in SERIOUS
        ]
    context.close()
    assert not found, "\n".join(found)


def test_the_sign_in_page_has_no_serious_finding(chromium, address):
    context = chromium.new_context(bypass_csp=True)
    page = context.new_page()
    page.goto(f"{address}/login")
    page.add_script_tag(path=str(AXE))
    result = page.evaluate("() => axe.run()")
    context.close()
    assert [each["id"] for each in result["violations"] if each["impact"] in SERIOUS] == []


def test_no_page_scrolls_sideways_on_a_phone(chromium, address):
    context = chromium.new_context(viewport={"width": 390, "height": 800})
    page = _sign_in(context, address, "zh")
    wide = []
    record = page.goto(f"{address}/customers") and page.locator(".cell-name a").first
    for path in [*PAGES, record.get_attribute("href")]:
        page.goto(f"{address}{path}")
        if page.evaluate("() => document.documentElement.scrollWidth > window.innerWidth"):
            wide.append(path)
    context.close()
    assert wide == []


def test_the_list_of_systems_tells_on_a_phone_what_to_do(chromium, address, busy):
    context = chromium.new_context(viewport={"width": 390, "height": 800})
    page = _sign_in(context, address)
    page.goto(f"{address}/systems")
    rows = page.locator("tbody tr")
    shown = [rows.nth(number).inner_text() for number in range(rows.count())]
    for view in systems.list_systems(busy.hub):
        row = rows.filter(has_text=view.label).first
        for label in ("State", "Last contact", "Linked records"):
            cell = row.locator(f"td[data-label='{label}']")
            assert cell.is_visible(), (view.name, label, shown)
            assert cell.inner_text().strip(), (view.name, label, shown)
        to_do = row.locator("td[data-label='What to do']")
        assert to_do.is_visible() == (view.state != "live" or bool(view.dead_letters)), shown
    context.close()


def test_a_person_edits_a_field_and_nothing_is_on_the_console(chromium, address, busy):
    context = chromium.new_context(viewport={"width": 1440, "height": 900})
    page = _sign_in(context, address)
    expect = playwright.expect
    expect(page.locator("#activity")).to_be_visible()
    page.goto(f"{address}/customers")
    page.fill("#q", busy.goldens()[2].values["number"])
    expect(page.locator("#rows tbody tr")).to_have_count(1)
    page.locator("#rows .cell-name a").click()
    page.get_by_label("Edit Website").click()
    box = page.locator(".edit-form input[name=value]")
    expect(box).to_be_focused()
    box.fill("https://changed.example")
    page.locator(".edit-form .btn-primary").click()
    expect(page.locator("tr.just-saved")).to_contain_text("https://changed.example")
    page.keyboard.press("Tab")
    assert page.evaluate("() => getComputedStyle(document.activeElement).outlineStyle") != "none"
    page.goto(f"{address}/docs")
    expect(page.locator(".opblock").first).to_be_visible(timeout=30_000)
    complaints = list(page.complaints)
    context.close()
    assert complaints == []
