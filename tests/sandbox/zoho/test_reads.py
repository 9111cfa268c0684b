import time

import pytest

STARTED = "2024-05-01T08:00:00+08:00"


@pytest.fixture(scope="module")
def campaigns(shared_client):
    """2,450 records in a module that no other test uses; 1,250 share one second."""
    zoho = shared_client
    zoho.reset()
    data = [
        {
            "Campaign_Name": f"Campaign {number}",
            "Modified_Time": STARTED if number < 1250 else f"2024-05-0{2 + number % 3}T08:00:00Z",
        }
        for number in range(2450)
    ]
    return zoho.admin("POST", "/records/Campaigns", data)["ids"]


def listed(zoho, query, **options):
    return zoho.crm("GET", f"/Campaigns?fields=Campaign_Name,Modified_Time&{query}", **options)


@pytest.mark.usefixtures("campaigns")
def test_the_info_of_a_list(zoho):
    answer = listed(zoho, "per_page=3").json()
    info = answer["info"]
    assert len(answer["data"]) == info["count"] == info["per_page"] == 3
    assert info["more_records"] is True
    assert info["page"] == 1
    assert (info["sort_by"], info["sort_order"]) == ("id", "desc")
    assert info["next_page_token"]
    assert info["previous_page_token"] is None
    assert set(answer["data"][0]) == {"Campaign_Name", "Modified_Time", "id"}


def test_pages_by_number_end_at_2000(zoho, campaigns):
    ids = [
        record["id"]
        for page in range(1, 11)
        for record in listed(zoho, f"page={page}").json()["data"]
    ]
    assert ids == sorted(campaigns, reverse=True)[:2000]
    beyond = listed(zoho, "page=11")
    assert beyond.json()["code"] == "DISCRETE_PAGINATION_LIMIT_EXCEEDED"


@pytest.mark.parametrize("order", ["asc", "desc"])
def test_page_tokens_reach_every_record_once(zoho, campaigns, order):
    query, token, ids = f"sort_by=Modified_Time&sort_order={order}", "", []
    while True:
        answer = listed(zoho, query + (f"&page_token={token}" if token else "")).json()
        ids.extend(record["id"] for record in answer["data"])
        token = answer["info"]["next_page_token"]
        if not token:
            break
    assert not answer["info"]["more_records"]
    assert answer["info"]["page"] == 13
    assert len(ids) == len(set(ids)) == len(campaigns)


@pytest.mark.usefixtures("campaigns")
def test_a_token_leads_back_to_the_page_before(zoho):
    first = listed(zoho, "per_page=5").json()
    second = listed(zoho, f"per_page=5&page_token={first['info']['next_page_token']}").json()
    back = listed(zoho, f"per_page=5&page_token={second['info']['previous_page_token']}").json()
    assert back["data"] == first["data"]


@pytest.mark.usefixtures("campaigns")
def test_a_token_fits_only_its_own_list(zoho):
    token = listed(zoho, "per_page=5").json()["info"]["next_page_token"]
    cases = {
        f"per_page=6&page_token={token}": "TOKEN_BOUND_DATA_MISMATCH",
        f"per_page=5&page=2&page_token={token}": "AMBIGUITY_DURING_PROCESSING",
        "per_page=5&page_token=nonsense": "INVALID_DATA",
    }
    for query, code in cases.items():
        answer = listed(zoho, query)
        assert (answer.status_code, answer.json()["code"]) == (400, code)
    zoho.switch(token_lifetime=1_000_000)
    zoho.log_in()
    zoho.admin("POST", "/clock", {"shift": 25 * 3600})
    assert listed(zoho, f"per_page=5&page_token={token}").json()["code"] == "EXPIRED_VALUE"


@pytest.mark.usefixtures("campaigns")
def test_if_modified_since_is_exclusive_or_inclusive(zoho):
    edge = {"If-Modified-Since": "2024-05-04T08:00:00+00:00"}
    assert listed(zoho, "", headers=edge).status_code == 304
    zoho.switch(if_modified_since_edge="gte")
    answer = listed(zoho, "", headers=edge)
    assert answer.json()["info"]["count"] == 200
    later = {"If-Modified-Since": "2040-01-01T00:00:00+08:00"}
    empty = listed(zoho, "", headers=later)
    assert (empty.status_code, empty.content) == (304, b"")
    assert listed(zoho, "", headers={"If-Modified-Since": "yesterday"}).status_code == 400


@pytest.mark.usefixtures("campaigns")
def test_refusals_of_a_list(zoho):
    many = ",".join(f"F{number}" for number in range(51))
    cases = {
        "/Campaigns": "REQUIRED_PARAM_MISSING",
        f"/Campaigns?fields={many}": "LIMIT_EXCEEDED",
        "/Campaigns?fields=id&sort_by=Campaign_Name": "INVALID_DATA",
        "/Campaigns?fields=id&per_page=201": "INVALID_DATA",
        "/Campaigns?fields=id&sort_by=id&cvid=1": "AMBIGUITY_DURING_PROCESSING",
        "/Nothing?fields=id": "INVALID_MODULE",
        "/Ordered_Items?fields=id": "INVALID_MODULE",
    }
    for path, code in cases.items():
        answer = zoho.crm("GET", path)
        assert (answer.status_code, answer.json()["code"]) == (400, code)


def test_a_list_by_ids(zoho, campaigns):
    answer = listed(zoho, f"ids={campaigns[0]},{campaigns[9]},5").json()
    assert {record["id"] for record in answer["data"]} == {campaigns[0], campaigns[9]}
    assert listed(zoho, "ids=5").status_code == 204


def test_an_empty_module_is_204_without_a_body(zoho):
    zoho.admin("DELETE", "/records/Vendors")
    answer = zoho.crm("GET", "/Vendors?fields=Vendor_Name")
    assert (answer.status_code, answer.content) == (204, b"")


def test_one_record_has_all_fields_and_the_dollar_keys(zoho, name):
    record = zoho.get("Accounts", zoho.create("Accounts", Account_Name=name))
    assert record["Phone"] is None
    assert record["Blocked"] is False
    assert record["Layout"]["name"] == "Standard"
    assert record["Owner"].keys() == {"name", "id", "email"}
    assert record["$approval_state"] == "approved"
    assert "info" not in record


def test_an_unknown_id_is_204_or_400(zoho):
    assert zoho.crm("GET", "/Accounts/5725767000009999999").status_code == 204
    assert zoho.crm("GET", "/Accounts/abc").status_code == 400
    zoho.switch(unknown_id_get="400")
    answer = zoho.crm("GET", "/Accounts/5725767000009999999")
    assert answer.json()["message"] == "the id given seems to be invalid"


def test_one_unchanged_record_is_304(zoho, name):
    record_id = zoho.create("Accounts", Account_Name=name)
    moment = zoho.get("Accounts", record_id)["Modified_Time"]
    header = {"If-Modified-Since": moment}
    assert zoho.crm("GET", f"/Accounts/{record_id}", headers=header).status_code == 304


def test_times_stand_in_the_zone_of_the_user(zoho, name):
    record_id = zoho.create("Accounts", Account_Name=name)
    china = zoho.get("Accounts", record_id)["Modified_Time"]
    zoho.admin("POST", "/clock", {"zone": "America/New_York"})
    york = zoho.get("Accounts", record_id)["Modified_Time"]
    assert china.endswith("+08:00")
    assert york[-6:] in {"-05:00", "-04:00"}
    assert zoho.crm("GET", "/users?type=CurrentUser").json()["users"][0]["time_zone"] == (
        "America/New_York"
    )


def test_deleted_records_have_their_own_list(zoho, name):
    record_id = zoho.create("Leads", Last_Name=name)
    before = zoho.admin("GET", "/clock")["time"]
    zoho.admin("POST", "/clock", {"shift": 5})
    zoho.crm("DELETE", f"/Leads/{record_id}")
    header = {"If-Modified-Since": before}
    entry = zoho.crm("GET", "/Leads/deleted", headers=header).json()["data"][0]
    assert (entry["id"], entry["type"], entry["display_name"]) == (record_id, "recycle", name)
    assert entry["deleted_by"]["name"] == "Hub Integration"
    later = {"If-Modified-Since": "2040-01-01T00:00:00+08:00"}
    assert zoho.crm("GET", "/Leads/deleted", headers=later).status_code == 304
    zoho.switch(deleted_empty="204")
    assert zoho.crm("GET", "/Leads/deleted", headers=later).status_code == 204
    assert zoho.crm("GET", "/Leads/deleted?type=x").json()["code"] == "PATTERN_NOT_MATCHED"
    assert zoho.crm("GET", "/Leads?fields=Last_Name&ids=" + record_id).status_code == 204


def test_after_sixty_days_a_deleted_record_is_permanent_and_later_forgotten(zoho, name):
    zoho.switch(token_lifetime=10**9)
    zoho.log_in()
    zoho.admin("DELETE", "/records/Vendors")
    record_id = zoho.create("Vendors", Vendor_Name=name)
    zoho.crm("DELETE", f"/Vendors/{record_id}")
    zoho.admin("POST", "/clock", {"shift": 61 * 86_400})
    entry = zoho.crm("GET", "/Vendors/deleted?type=permanent").json()["data"][0]
    assert (entry["id"], entry["display_name"], entry["deleted_by"]) == (record_id, None, None)
    zoho.admin("POST", "/clock", {"shift": 200 * 86_400})
    assert zoho.crm("GET", "/Vendors/deleted").status_code == 204


def test_search_is_loose_and_lags(zoho):
    word = f"Zyx{time.monotonic_ns()}"
    zoho.create("Accounts", Account_Name=f"{word}-Trading (Asia)", Email="sales_team@example.org")
    path = "/Accounts/search?fields=Account_Name&"
    hits = [
        f"criteria=(Account_Name:equals:{word}trading)",
        f"criteria=(Account_Name:starts_with:{word.lower()})",
        f"criteria=((Account_Name:equals:{word})and(Email:equals:sales-team%40example.org))",
        f"criteria=(Account_Name:equals:{word} Trading \\(Asia\\))",
        f"word={word}",
    ]
    for query in hits:
        assert zoho.crm("GET", path + query).json()["info"]["count"] == 1, query
    assert zoho.crm("GET", f"{path}criteria=(Account_Name:equals:{word}x)").status_code == 204
    zoho.switch(search_lag=3600)
    assert zoho.crm("GET", path + hits[0]).status_code == 204


def test_search_by_phone_and_mail(zoho, name):
    number = str(time.monotonic_ns())[-9:]
    record_id = zoho.create("Contacts", Last_Name=name, Mobile=f"+86 {number}")
    found = zoho.crm("GET", f"/Contacts/search?phone={number}").json()["data"]
    assert [record["id"] for record in found] == [record_id]
    zoho.crm("PUT", f"/Contacts/{record_id}", {"data": [{"Email": f"m{number}@example.org"}]})
    found = zoho.crm("GET", f"/Contacts/search?email=M{number}@example.org").json()["data"]
    assert found[0]["Last_Name"] == name


def test_refusals_of_a_search(zoho):
    cases = {
        "": "EXPECTED_PARAM_MISSING",
        "criteria=(Account_Name:about:x)": "INVALID_QUERY",
        "criteria=(Nothing:equals:x)": "INVALID_QUERY",
        "criteria=(Account_Name:equals:x": "INVALID_QUERY",
        "criteria=(Blocked:greater_than:true)": "INVALID_QUERY",
        "word=x": "INVALID_DATA",
        "word=xyz&page=11": "LIMIT_REACHED",
    }
    for query, code in cases.items():
        answer = zoho.crm("GET", f"/Accounts/search?{query}")
        assert (answer.status_code, answer.json()["code"]) == (400, code), query


def test_a_count_may_have_criteria_and_lag(zoho, campaigns):
    assert zoho.crm("GET", "/Campaigns/actions/count").json() == {"count": len(campaigns)}
    query = "/Campaigns/actions/count?criteria=(Campaign_Name:equals:Campaign 244)"
    assert zoho.crm("GET", query).json() == {"count": 11}
    zoho.admin("DELETE", "/records/Vendors")
    zoho.switch(count_lag_minutes=5)
    vendor = zoho.create("Vendors", Vendor_Name="late")
    assert zoho.crm("GET", "/Vendors/actions/count").json() == {"count": 0}
    zoho.crm("DELETE", f"/Vendors/{vendor}")


def test_related_records_of_an_account(zoho, name):
    account = zoho.create("Accounts", Account_Name=name)
    contact = zoho.create("Contacts", Last_Name=name, Account_Name={"id": account})
    child = zoho.create("Accounts", Account_Name=f"{name} child", Parent_Account={"id": account})
    note = {"data": [{"Note_Title": "t", "Note_Content": "c"}]}
    assert zoho.crm("POST", f"/Accounts/{account}/Notes", note).status_code == 201
    for relation, wanted in (("Contacts", contact), ("Child_Accounts", child)):
        data = zoho.crm("GET", f"/Accounts/{account}/{relation}?fields=Owner").json()["data"]
        assert [record["id"] for record in data] == [wanted]
    notes = zoho.crm("GET", f"/Accounts/{account}/Notes?fields=Note_Content,Parent_Id").json()
    assert notes["data"][0]["Parent_Id"]["module"]["api_name"] == "Accounts"
    assert zoho.crm("GET", f"/Accounts/{account}/Invoices?fields=Subject").status_code == 204
    assert zoho.crm("GET", f"/Accounts/{account}/Nothing?fields=id").status_code == 400


def test_mass_calls_and_clone(zoho, name):
    ids = [zoho.create("Accounts", Account_Name=name, Hub_Key=f"h{time.monotonic_ns()}")]
    answer = zoho.crm("POST", f"/Accounts/{ids[0]}/actions/clone")
    ids.append(answer.json()["data"][0]["details"]["id"])
    assert zoho.get("Accounts", ids[1])["Hub_Key"] is None
    body = {"data": [{"Phone": "42"}], "ids": ids}
    assert zoho.crm("POST", "/Accounts/actions/mass_update", body).status_code == 200
    assert {zoho.get("Accounts", record_id)["Phone"] for record_id in ids} == {"42"}
    gone = zoho.crm("POST", "/Accounts/actions/mass_delete", {"ids": [*ids, "7"]})
    assert gone.status_code == 207
    assert gone.json()["data"][0]["message"] == "record is deleted"
