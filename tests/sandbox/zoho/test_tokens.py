from urllib.parse import parse_qsl, urlsplit

import requests


def test_a_refresh_gives_a_token_and_the_own_address(zoho):
    answer = zoho.token().json()
    assert answer["api_domain"] == zoho.url
    assert answer["expires_in"] == 3600
    assert answer["token_type"] == "Bearer"
    assert "refresh_token" not in answer


def test_refresh_parameters_may_stand_in_the_query(zoho):
    form = {key: zoho.hello[key] for key in ("refresh_token", "client_id", "client_secret")}
    form["grant_type"] = "refresh_token"
    answer = requests.post(f"{zoho.url}/oauth/v2/token", params=form, timeout=60)
    assert "access_token" in answer.json()


def test_wrong_credentials_are_an_error_with_status_200(zoho):
    cases = {
        "invalid_client": {"client_id": "1000.NOBODY"},
        "invalid_client_secret": {"client_secret": "wrong"},
        "invalid_code": {"refresh_token": "1000.unknown"},
        "general_error": {"grant_type": "password"},
    }
    for error, changes in cases.items():
        answer = zoho.token(**changes)
        assert (answer.status_code, answer.json()) == (200, {"error": error})


def test_the_eleventh_token_in_ten_minutes_is_refused(zoho):
    zoho.admin("POST", "/tokens/forget-throttle")
    answers = [zoho.token() for _ in range(11)]
    assert all("access_token" in answer.json() for answer in answers[:10])
    assert answers[10].status_code == 400
    assert answers[10].json()["error"] == "Access Denied"
    assert answers[10].json()["status"] == "failure"


def test_the_oldest_of_eleven_living_tokens_dies_silently(zoho):
    zoho.switch(token_throttle=100)
    zoho.admin("POST", "/tokens/expire")
    tokens = [zoho.token().json()["access_token"] for _ in range(11)]
    statuses = [
        zoho.crm("GET", "/org", headers={"Authorization": f"Zoho-oauthtoken {token}"}).status_code
        for token in tokens
    ]
    assert statuses == [401] + [200] * 10


def test_an_expired_token_is_refused_and_a_new_one_works(zoho):
    zoho.admin("POST", "/tokens/expire")
    answer = zoho.crm("GET", "/org")
    assert answer.status_code == 401
    assert answer.json()["code"] == "INVALID_TOKEN"
    zoho.log_in()
    alive = zoho.crm("GET", "/org")
    assert alive.status_code == 200
    assert alive.headers["X-ACCESSTOKEN-RESET"] > zoho.admin("GET", "/clock")["time"]


def test_tokens_run_out_with_the_clock(zoho):
    zoho.admin("POST", "/clock", {"shift": 3700})
    assert zoho.crm("GET", "/org").json()["code"] == "INVALID_TOKEN"


def test_no_or_a_broken_header_is_401(zoho):
    for header in ("", "Basic abc", "Zoho-oauthtoken"):
        answer = requests.get(
            f"{zoho.url}/crm/v8/org", headers={"Authorization": header}, timeout=60
        )
        assert answer.status_code == 401
        assert answer.json()["code"] == "AUTHENTICATION_FAILURE"


def test_a_bearer_header_works_too(zoho):
    token = zoho.session.headers["Authorization"].split()[1]
    answer = zoho.crm("GET", "/org", headers={"Authorization": f"Bearer {token}"})
    assert answer.status_code == 200


def test_revocation_kills_tokens_and_refreshes(zoho):
    url = f"{zoho.url}/oauth/v2/token/revoke"
    answer = requests.post(url, params={"token": zoho.hello["refresh_token"]}, timeout=60)
    assert answer.json() == {"status": "success"}
    assert zoho.crm("GET", "/org").status_code == 401
    assert zoho.token().json() == {"error": "invalid_code"}


def test_a_grant_code_works_once(zoho):
    code = zoho.admin("POST", "/tokens/grant", {"scope": "ZohoCRM.org.READ"})["code"]
    first = zoho.token(grant_type="authorization_code", code=code).json()
    assert first["scope"] == "ZohoCRM.org.READ"
    assert zoho.token(refresh_token=first["refresh_token"]).json()["access_token"]
    assert zoho.token(grant_type="authorization_code", code=code).json()["error"] == "invalid_code"


def test_the_browser_flow_ends_with_a_code_at_the_redirect(zoho):
    wanted = {
        "client_id": zoho.hello["client_id"],
        "scope": "ZohoCRM.modules.ALL,ZohoCRM.org.READ",
        "response_type": "code",
        "redirect_uri": "http://127.0.0.1:9/back",
        "state": "s1",
    }
    page = requests.get(f"{zoho.url}/oauth/v2/auth", params=wanted, timeout=60)
    assert "ZohoCRM.org.READ" in page.text
    form = {**wanted, "decision": "accept"}
    answer = requests.post(
        f"{zoho.url}/oauth/v2/auth", data=form, timeout=60, allow_redirects=False
    )
    query = dict(parse_qsl(urlsplit(answer.headers["Location"]).query))
    assert query["accounts-server"] == zoho.url
    assert query["state"] == "s1"
    wrong = zoho.token(grant_type="authorization_code", code=query["code"], redirect_uri="http://x")
    assert wrong.json() == {"error": "invalid_redirect_uri"}
    right = zoho.token(
        grant_type="authorization_code", code=query["code"], redirect_uri=wanted["redirect_uri"]
    )
    assert right.json()["scope"] == "ZohoCRM.modules.ALL ZohoCRM.org.READ"


def test_a_missing_scope_is_401_for_that_call_only(zoho):
    zoho.admin("POST", "/tokens/scope", {"scope": "ZohoCRM.modules.accounts.READ"})
    assert zoho.crm("GET", "/Accounts?fields=Account_Name").status_code in {200, 204}
    for method, path in (("GET", "/Contacts?fields=Email"), ("POST", "/Accounts"), ("GET", "/org")):
        answer = zoho.crm(method, path, {"data": [{}]} if method == "POST" else None)
        assert answer.status_code == 401
        assert answer.json()["code"] == "OAUTH_SCOPE_MISMATCH"
