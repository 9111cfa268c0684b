import pytest


@pytest.fixture
def drift(zoho):
    """Undo changes of fields."""
    made = []

    def field(**described):
        zoho.admin("POST", "/fields/Deals", described)
        made.append(described["api_name"])

    yield field
    present = {item["api_name"] for item in fields(zoho, "Deals").values()}
    for api_name in made:
        if api_name in present:
            zoho.admin("DELETE", f"/fields/Deals/{api_name}")


def fields(zoho, module):
    answer = zoho.crm("GET", f"/settings/fields?module={module}").json()
    return {item["api_name"]: item for item in answer["fields"]}


DEAL = {"Deal_Name": "d", "Stage": "Proposal"}


def test_fields_carry_what_a_connector_reads(zoho):
    found = fields(zoho, "Accounts")
    key = found["Hub_Key"]
    assert (key["length"], key["unique"], key["external"]["type"]) == (
        64,
        {"case_sensitive": False},
        "org",
    )
    assert key["custom_field"] is True
    assert found["Account_Name"]["system_mandatory"] is True
    assert found["Parent_Account"]["lookup"]["module"]["api_name"] == "Accounts"
    assert found["Modified_Time"]["operation_type"]["api_update"] is False
    assert found["Credit_Limit"]["json_type"] == "double"
    assert "Customer" in [
        item["actual_value"] for item in found["Account_Type"]["pick_list_values"]
    ]
    wanted = {
        "Tax_Id": ("text", 50),
        "Legal_Name": ("text", 200),
        "Customer_No": ("text", 30),
        "Email": ("email", 100),
        "Credit_Limit": ("currency", 16),
        "Payment_Term": ("text", 60),
        "Language": ("picklist", 255),
    }
    assert {name: (found[name]["data_type"], found[name]["length"]) for name in wanted} == wanted
    for module in ("Contacts", "Leads", "Sales_Orders", "Invoices", "Products"):
        assert fields(zoho, module)["Hub_Key"]["external"]["type"] == "org"


def test_every_lookup_and_subform_leads_to_a_known_module(zoho):
    modules = {item["api_name"] for item in zoho.crm("GET", "/settings/modules").json()["modules"]}
    for module in modules:
        for item in fields(zoho, module).values():
            if item["lookup"]:
                assert item["lookup"]["module"]["api_name"] in modules
            if item["data_type"] == "subform":
                assert item["associated_module"]["module"] in modules


def test_refusals_of_metadata_calls(zoho):
    missing = zoho.crm("GET", "/settings/fields")
    assert missing.json()["code"] == "REQUIRED_PARAM_MISSING"
    assert missing.json()["details"]["param_name"] == "module"
    assert zoho.crm("GET", "/settings/fields?module=X").json()["code"] == "INVALID_MODULE"
    assert zoho.crm("GET", "/settings/modules/X").json()["code"] == "INVALID_MODULE"


def test_modules_and_their_parts(zoho):
    found = zoho.crm("GET", "/settings/modules").json()["modules"]
    names = {item["api_name"]: item for item in found}
    assert names["Sales_Orders"]["module_name"] == "SalesOrders"
    assert names["Ordered_Items"]["api_supported"] is False
    one = zoho.crm("GET", "/settings/modules/Leads").json()["modules"][0]
    assert one["convertable"] is True
    later = {"If-Modified-Since": "2040-01-01T00:00:00Z"}
    assert zoho.crm("GET", "/settings/modules", headers=later).status_code == 304
    layout = zoho.crm("GET", "/settings/layouts?module=Accounts").json()["layouts"][0]
    assert any(item["api_name"] == "Hub_Key" for item in layout["sections"][0]["fields"])
    one = zoho.crm("GET", f"/settings/layouts/{layout['id']}?module=Accounts").json()
    assert one["layouts"][0]["name"] == "Standard"
    lists = zoho.crm("GET", "/settings/related_lists?module=Accounts").json()["related_lists"]
    assert {"Contacts", "Sales_Orders", "Invoices", "Notes"} <= {item["api_name"] for item in lists}


def test_one_field_by_id(zoho):
    field = fields(zoho, "Accounts")["Phone"]
    answer = zoho.crm("GET", f"/settings/fields/{field['id']}?module=Accounts").json()
    assert answer["fields"][0]["api_name"] == "Phone"


def test_users_and_organisation(zoho):
    current = zoho.crm("GET", "/users?type=CurrentUser").json()["users"]
    assert current[0]["email"] == "integration@crm-stand-in.example"
    everybody = zoho.crm("GET", "/users?type=AllUsers").json()
    assert everybody["info"]["count"] == len(everybody["users"]) == 4
    assert zoho.crm("GET", "/users?type=DeletedUsers").status_code == 204
    one = zoho.crm("GET", f"/users/{current[0]['id']}").json()["users"][0]
    assert one["time_zone"] == "Asia/Shanghai"
    assert zoho.crm("GET", "/org").json()["org"][0]["zgid"].isdigit()


def test_a_picklist_value_disappears(zoho, drift):
    drift(api_name="Grade", data_type="picklist", picklist=["VIP", "A", "B"])
    zoho.switch(unknown_picklist="refuse")
    zoho.create("Deals", **DEAL, Grade="VIP")
    zoho.admin("PATCH", "/fields/Deals/Grade", {"picklist": ["A", "B"]})
    values = [item["actual_value"] for item in fields(zoho, "Deals")["Grade"]["pick_list_values"]]
    assert values == ["A", "B"]
    answer = zoho.crm("POST", "/Deals", {"data": [{**DEAL, "Grade": "VIP"}]})
    assert answer.json()["data"][0]["details"]["api_name"] == "Grade"


def test_a_field_becomes_mandatory_and_shorter(zoho, drift):
    drift(api_name="Note_A", length=20)
    zoho.admin("PATCH", "/fields/Deals/Note_A", {"mandatory": True, "length": 3})
    answer = zoho.crm("POST", "/Deals", {"data": [DEAL, {**DEAL, "Note_A": "long"}]}).json()["data"]
    assert answer[0]["code"] == "MANDATORY_NOT_FOUND"
    assert answer[1]["details"]["maximum_length"] == 3


def test_a_renamed_field_keeps_its_values(zoho, drift):
    drift(api_name="Old_Name", unique=True)
    record_id = zoho.create("Deals", **DEAL, Old_Name="kept")
    zoho.admin("POST", "/fields/Deals/Old_Name/rename", {"to": "New_Name"})
    record = zoho.get("Deals", record_id)
    assert record["New_Name"] == "kept"
    assert "Old_Name" not in record
    again = zoho.crm("POST", "/Deals", {"data": [{**DEAL, "New_Name": "KEPT"}]})
    assert again.json()["data"][0]["code"] == "DUPLICATE_DATA"
    assert zoho.rows("select id from Deals where New_Name = 'kept'")[0]["id"] == record_id
    old = zoho.coql("select id from Deals where Old_Name = 'kept'")
    assert old.json()["code"] == "INVALID_QUERY"
    zoho.admin("DELETE", "/fields/Deals/New_Name")
    assert "New_Name" not in zoho.get("Deals", record_id)


def test_core_and_system_fields_stay(zoho):
    for path, method in (
        ("/fields/Deals/Deal_Name", "DELETE"),
        ("/fields/Deals/Modified_Time", "DELETE"),
        ("/fields/Deals/Nothing", "DELETE"),
    ):
        url = f"{zoho.url}/__admin{path}"
        assert zoho.session.request(method, url, timeout=60).status_code == 400


def test_a_unique_field_of_old_values(zoho, drift):
    drift(api_name="Late_Key")
    zoho.create("Deals", **DEAL, Late_Key="ÄÖ")
    zoho.admin("PATCH", "/fields/Deals/Late_Key", {"unique": True})
    answer = zoho.crm("POST", "/Deals", {"data": [{**DEAL, "Late_Key": "äö"}]})
    assert answer.json()["data"][0]["code"] == "DUPLICATE_DATA"
