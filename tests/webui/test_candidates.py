"""The screens about possible duplicates, as a steward uses them."""

import re

import pytest

from sync.service import access
from sync.service import candidates as service
from sync.store.tables import Candidate
from tests.hubs import make_hub
from webui.app import create_app

PASSWORD = "long enough to be one"
WEIGHTS = [["brand", "same, held by few others", 4.2], ["city", "different", -1.0]]


@pytest.fixture
def hubs(tmp_path):
    made = make_hub(f"sqlite:///{tmp_path / 'kehub.db'}", tmp_path, ("erp", "crm"))
    for role in ("viewer", "steward"):
        access.create_user(made.hub, login=role, password=PASSWORD, role=role)
    yield made
    made.close()


@pytest.fixture
def pair(hubs):
    return propose(hubs, "Hanyang Pump Works", "Delta Harbour Foods")


def propose(hubs, *names):
    known = {golden.id for golden in hubs.goldens()}
    for name in names:
        hubs.world("erp").create("customers", name=name)
        hubs.sync()
    a, b = sorted(golden.id for golden in hubs.goldens() if golden.id not in known)
    with hubs.hub.database.write() as tx:
        row = Candidate(
            first_id=a, second_id=b, score=3.2, weights=WEIGHTS, created_at=hubs.hub.now()
        )
        tx.add(row)
        tx.flush()
        return row.id


def signed_in(hubs, login="steward", language="en"):
    browser = create_app(hubs.hub).test_client()
    token = csrf(browser.get("/login").text)
    browser.post("/login", data={"login": login, "password": PASSWORD, "csrf_token": token})
    token = csrf(browser.get("/").text)  # signing in begins another session
    browser.post("/language", data={"language": language, "csrf_token": token, "back": "/"})
    return browser


def csrf(page):
    return re.search(r'name="csrf_token" value="([^"]+)"', page)[1]


def test_the_queue_and_a_pair_show_names_and_a_waterfall(hubs, pair):
    browser = signed_in(hubs)
    assert "Hanyang Pump Works" in browser.get("/candidates").text
    page = browser.get(f"/candidates/{pair}").text
    assert "same, held by few others" in page
    assert page.count("<rect") == len(WEIGHTS)


def test_the_screens_speak_chinese(hubs, pair):
    browser = signed_in(hubs, language="zh")
    assert "疑似重复" in browser.get("/candidates").text
    page = browser.get(f"/candidates/{pair}").text
    assert "字号" in page
    assert "相同，少数记录持有" in page
    assert "对各系统的影响" in browser.get(f"/candidates/{pair}/merge").text


def test_a_merge_follows_its_preview_and_can_be_undone(hubs, pair):
    browser = signed_in(hubs)
    preview = browser.get(f"/candidates/{pair}/merge").text
    assert 'value="winner"' in preview
    assert "is merged into" in preview
    form = {"csrf_token": csrf(preview), "pick-name": "winner"}
    assert browser.post(f"/candidates/{pair}/merge", data=form).status_code == 303
    (golden,) = hubs.goldens()
    assert golden.name == "Hanyang Pump Works"
    page = browser.get("/merges").text
    (merge,) = service.list_merges(hubs.hub).rows
    browser.post(f"/merges/{merge.id}/undo", data={"csrf_token": csrf(page)})
    assert len(hubs.goldens()) == 2


def test_different_takes_a_pair_out_of_the_queue(hubs, pair):
    browser = signed_in(hubs)
    token = csrf(browser.get("/candidates").text)
    browser.post(f"/candidates/{pair}/different", data={"csrf_token": token})
    assert service.get_pair(hubs.hub, pair).line.state == "different"
    assert "Hanyang Pump Works" not in browser.get("/candidates").text


def test_pairs_with_the_same_evidence_are_decided_at_once(hubs, pair):
    propose(hubs, "Osaka Lantern Studio", "Rhine Valve Makers")
    browser = signed_in(hubs)
    page = browser.get(f"/candidates/{pair}").text
    assert "2 open pairs" in page
    form = {"csrf_token": csrf(page), "decision": "different"}
    browser.post(f"/candidates/{pair}/alike", data=form)
    assert service.list_pairs(hubs.hub).rows == []


def test_a_viewer_sees_but_does_not_decide(hubs, pair):
    browser = signed_in(hubs, "viewer")
    page = browser.get(f"/candidates/{pair}")
    assert page.status_code == 200
    assert "data-different" not in page.text
    assert browser.get(f"/candidates/{pair}/merge").status_code == 403
    form = {"csrf_token": csrf(page.text)}
    assert browser.post(f"/candidates/{pair}/different", data=form).status_code == 403


def test_a_decision_needs_a_token(hubs, pair):
    browser = signed_in(hubs)
    assert browser.post(f"/candidates/{pair}/different").status_code == 400
    assert service.get_pair(hubs.hub, pair).line.state == "open"
