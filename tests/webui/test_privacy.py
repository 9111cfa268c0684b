"""Erasing a customer on the screen, in both languages, with rights; and by the command."""

import pytest

from connectors.memory import Trouble


def customer_of(fresh):
    return fresh.goldens()[0]


def open_certificate(browser, answer):
    assert answer.status_code == 303
    return browser.text(answer.headers["Location"])


@pytest.mark.parametrize(
    ("language", "words"),
    [("en", ("emptied, then deleted", "Erase for good")), ("zh", ("先清空，再删除", "永久删除"))],
)
def test_the_preview_says_what_each_system_will_do(fresh, browse, language, words):
    golden = customer_of(fresh)
    admin = browse("admin", language)
    assert f"/records/{golden.id}/erase" in admin.text(f"/records/{golden.id}")
    page = admin.text(f"/records/{golden.id}/erase")
    assert all(word in page for word in words)
    assert page.count("system-tag") == len([x for x in fresh.links() if x.golden_id == golden.id])


def test_the_name_has_to_be_typed(fresh, browse):
    golden = customer_of(fresh)
    answer = browse().post(f"/records/{golden.id}/erase", name="somebody else")
    assert answer.status_code == 422
    assert len(fresh.goldens()) == 1


def test_a_request_goes_through_to_its_certificate(fresh, browse):
    golden, admin = customer_of(fresh), browse()
    name = fresh.names[0]
    fresh.world(name).trouble(*[Trouble(kind="unreachable")])
    answer = admin.post(f"/records/{golden.id}/erase", name=golden.name, reference="ticket 12")
    page = open_certificate(admin, answer)
    assert "ticket 12" in page
    assert "Waits for the system" in page
    request = answer.headers["Location"].rpartition("/")[2]
    assert admin.get(f"/erasures/{request}/certificate.json").status_code in {400, 409, 422}
    page = open_certificate(admin, admin.post(f"/erasures/{request}/retry"))
    assert golden.name not in page
    shown = admin.get(f"/erasures/{request}/certificate.json").get_json()
    assert {one["outcome"] for one in shown["systems"]} == {"deleted"}
    assert "ticket 12" in admin.text("/erasures")
    assert "erased on request" in admin.text(f"/records/{golden.id}")
    assert admin.get(f"/records/{golden.id}/erase").status_code != 200
    assert open_certificate(admin, admin.post(f"/erasures/{request}/lift"))


def test_only_an_admin_may(fresh, browse):
    golden = customer_of(fresh)
    steward = browse("steward")
    assert "erase" not in steward.text(f"/records/{golden.id}").lower()
    assert steward.get(f"/records/{golden.id}/erase").status_code == 403
    assert steward.post(f"/records/{golden.id}/erase", name=golden.name).status_code == 403
    assert steward.get("/erasures").status_code == 403
    assert len(fresh.goldens()) == 1


def test_who_came_back_is_decided_on_the_page(fresh, browse):
    golden, admin = customer_of(fresh), browse()
    mail = "someone@private.example"
    name = fresh.names[0]
    record = fresh.world(name).all("customers")[0]
    fresh.world(name).edit("customers", record["id"], email=mail)
    fresh.sync()
    request = admin.post(f"/records/{golden.id}/erase", name=golden.name).headers["Location"]
    fresh.world(name).create("customers", name="Back again", email=mail)
    fresh.sync()
    page = admin.text(request)
    assert "Somebody else: let in" in page
    return_id = page.partition("/erasures/returns/")[2].partition('"')[0]
    admin.post(f"/erasures/returns/{return_id}", choice="allow")
    fresh.sync()
    assert [one.name for one in fresh.goldens()] == ["Back again"]
