"""The screen for people: both languages, editing, merging, callbacks."""

import re

import pytest


@pytest.fixture
def browser(fx):
    def request(method, path, language="en", **options):
        fx.http.cookies.set("language", language)
        return fx.http.request(method, f"{fx.url}{path}", timeout=60, **options)

    yield request
    fx.http.cookies.clear()


def form_of(html):
    """The values that the edit form would send back unchanged."""
    sheet = html.split('class="sheet"')[1].split("</form>")[0]
    values = {}
    for tag in re.findall(r"<input[^>]*>", sheet):
        name = re.search(r'name="([^"]+)"', tag)
        value = re.search(r'value="([^"]*)"', tag)
        if name and "checkbox" not in tag:
            values[name[1]] = value[1] if value else ""
    choice = r'<select[^>]*name="([^"]+)"[^>]*>(.*?)</select>'
    for name, inner in re.findall(choice, sheet, re.DOTALL):
        chosen = re.search(r'value="([^"]*)" selected', inner)
        values[name] = chosen[1] if chosen else ""
    area = r'<textarea[^>]*name="([^"]+)"[^>]*>(.*?)</textarea>'
    return values | dict(re.findall(area, sheet, re.DOTALL))


@pytest.mark.parametrize(
    ("language", "said", "account"),
    [("zh", "不是纷享销客", "客户"), ("en", "not 纷享销客", "Account")],
)
def test_it_says_what_it_is_in_both_languages(browser, language, said, account):
    html = browser("GET", "/", language).text
    assert said in html
    assert f"<strong>{account}</strong>" in html
    assert browser("GET", "/static/style.css").headers["Content-Type"].startswith("text/css")


def test_every_list_and_form_opens(fx, browser):
    for api in (one["describeApiName"] for one in
                fx.good("/cgi/crm/v2/object/list")["data"]["objects"]):  # fmt: skip
        for language in ("zh", "en"):
            listed = browser("GET", f"/o/{api}", language)
            assert listed.status_code == 200
        assert browser("GET", f"/o/{api}/new").status_code == 200
    assert browser("GET", "/o/object_8w9cb__c?page=2&q=00").status_code == 200
    assert browser("GET", "/o/Nope").status_code == 404
    assert browser("GET", "/o/AccountObj/" + "0" * 24).status_code == 404


def test_search_finds_by_name_and_phone(fx, browser, account):
    fx.update(account, tel="021-77001122")
    assert account in browser("GET", "/o/AccountObj?q=77001122").text
    assert account not in browser("GET", "/o/AccountObj?q=77001123").text
    assert browser("GET", "/o/AccountObj?q=%25%25__").status_code == 200


def test_a_form_sent_back_unchanged_changes_nothing(fx, browser, account):
    fx.update(account, remark="a\nb", account_level="2", credit_limit__c="5", blocked__c=True,
              next_followed_time=1_760_000_040_000)  # fmt: skip
    version = fx.get(account)["version"]
    values = form_of(browser("GET", f"/o/AccountObj/{account}").text)
    assert (values["account_level"], values["blocked__c"]) == ("2", "true")
    reply = browser("POST", f"/o/AccountObj/{account}", data={**values, "remark": "a\r\nb"})
    assert "said=unchanged" in reply.url
    assert fx.get(account)["version"] == version


def test_a_person_edits_clears_and_sees_refusals(fx, browser, account):
    values = form_of(browser("GET", f"/o/AccountObj/{account}").text)
    values.update(tel="", email="neu@example.com", account_level="1")
    assert "said=saved" in browser("POST", f"/o/AccountObj/{account}", data=values).url
    row = fx.get(account)
    assert "tel" not in row
    assert (row["email"], row["account_level"]) == ("neu@example.com", "1")
    assert row["last_modified_by"] == ["1000"]
    refused = browser("POST", f"/o/AccountObj/{account}", data={**values, "email": "<b>no"})
    assert refused.status_code == 422
    assert 'role="alert"' in refused.text
    assert "<b>no" not in refused.text
    assert fx.get(account)["email"] == "neu@example.com"


def test_a_person_creates_invalidates_recovers_locks_and_deletes(fx, browser):
    reply = browser("POST", "/o/AccountObj/new", data={"name": "页面新建", "owner": "1002"})
    record_id = reply.url.split("/")[-1].split("?")[0]
    assert fx.get(record_id)["owner"] == ["1002"]
    base = f"/o/AccountObj/{record_id}"
    for action, field, value in (
        ("invalid", "life_status", "invalid"),
        ("recover", "life_status", "normal"),
        ("lock", "lock_status", "1"),
        ("unlock", "lock_status", "0"),
    ):
        assert browser("POST", f"{base}/{action}").status_code == 200
        assert fx.get(record_id)[field] == value
    browser("POST", f"{base}/owner", data={"owner": "1001"})
    assert fx.get(record_id)["owner"] == ["1001"]
    browser("POST", f"{base}/invalid")
    browser("POST", f"{base}/delete")
    assert browser("GET", base).status_code == 404


def test_the_acting_user_signs_the_change(fx, browser, account):
    browser("POST", "/settings", data={"user": "1002", "back": "/"})
    browser("POST", f"/o/AccountObj/{account}", data={"fax": "8"})
    assert fx.get(account)["last_modified_by"] == ["1002"]


def test_settings_do_not_lead_to_other_sites(browser):
    for back in ("https://evil.example/", "//evil.example", "/\\evil.example"):
        reply = browser("POST", "/settings", data={"back": back}, allow_redirects=False)
        assert reply.headers["Location"] == "/"


def test_two_rows_are_merged_on_the_page(fx, browser):
    winner, loser = fx.create(name="bleibt"), fx.create(name="geht")
    page = browser("GET", f"/o/AccountObj/merge?id={winner}&id={loser}")
    assert "bleibt" in page.text
    assert "geht" in page.text
    browser("POST", "/o/AccountObj/merge", data={"winner": winner, "loser": loser})
    assert fx.get(loser)["life_status"] == "invalid"
    assert browser("GET", f"/o/AccountObj/merge?id={winner}").status_code == 400


def test_callbacks_are_set_on_the_page(fx, browser):
    sent = {"url": "http://127.0.0.1:9/hook", "objects": ["AccountObj", "ContactObj"]}
    html = browser("POST", "/callback", data=sent).text
    assert fx.info["callback_secret"] in html
    settings = fx.look("/callback")
    assert (settings["url"], settings["objects"]) == (sent["url"], sent["objects"])
    assert browser("POST", "/callback", data={"url": "nonsense"}).status_code == 422
