import pytest

from sandbox.zoho_crm.coql_parser import Condition, Pair, parse
from sandbox.zoho_crm.coql_sql import modified_floor
from sandbox.zoho_crm.errors import ApiError


@pytest.fixture(scope="module")
def people(shared_client):
    """One account with four contacts; returns the text that they share."""
    zoho = shared_client
    zoho.reset()
    mark = "Coql Holding"
    account = zoho.create("Accounts", Account_Name=mark, Blocked=True, Employees=50)
    for number, mail in enumerate(("a@coql.example", "B@coql.example", None, "under_score@x.yz")):
        zoho.create(
            "Contacts",
            Last_Name=f"Coql {number}",
            Email=mail,
            Account_Name={"id": account} if number < 3 else None,
        )
    return account


def names(zoho, where, tail=""):
    query = f"select Last_Name from Contacts where (Last_Name like 'Coql%' and {where}) {tail}"
    return [row["Last_Name"][-1] for row in zoho.rows(query)]


@pytest.mark.usefixtures("people")
@pytest.mark.parametrize(
    ("where", "wanted"),
    [
        ("Email = 'A@COQL.example'", "0"),
        ("Email != 'a@coql.example'", "123"),
        ("Email in ('a@coql.example', 'b@coql.example')", "01"),
        ("Email not in ('a@coql.example')", "123"),
        ("Email is null", "2"),
        ("Email is not null", "013"),
        ("Email like '%coql%'", "01"),
        ("Email not like '%@coql.example'", "3"),
        ("Email like 'under_s%'", "3"),
        ("Account_Name.Account_Name = 'Coql Holding'", "012"),
        ("Account_Name.Blocked = 'true'", "012"),
        ("Account_Name.Employees between 49 and 51", "012"),
        ("Account_Name is null", "3"),
        ("Email_Opt_Out = 'false'", "0123"),
        ("Owner.email = 'integration@crm-stand-in.example'", "0123"),
        ("(Email = 'a@coql.example' or Last_Name = 'Coql 3')", "03"),
        ("Created_Time > '2020-01-01T00:00:00Z'", "0123"),
        ("Created_Time < '2020-01-01T00:00:00Z'", ""),
    ],
)
def test_conditions(zoho, where, wanted):
    assert "".join(sorted(names(zoho, where))) == wanted


def test_lookups_show_ids_and_dotted_columns_values(zoho, people):
    query = (
        "select Last_Name, Account_Name, Account_Name.Account_Name, Owner from Contacts "
        "where Last_Name = 'Coql 0'"
    )
    row = zoho.rows(query)[0]
    assert row["Account_Name"] == {"id": people}
    assert row["Account_Name.Account_Name"] == "Coql Holding"
    assert set(row["Owner"]) == {"id"}
    assert row["id"].isdigit()


@pytest.mark.usefixtures("people")
def test_order_limit_and_offset(zoho):
    where = "Last_Name is not null"
    assert names(zoho, where, "order by Last_Name desc limit 2") == ["3", "2"]
    assert names(zoho, where, "order by Last_Name desc limit 1, 2") == ["2", "1"]
    assert names(zoho, where, "order by Last_Name desc limit 2 offset 3") == ["0"]
    answer = zoho.coql("select id from Contacts where Last_Name like 'Coql%' limit 3").json()
    assert answer["info"] == {"count": 3, "more_records": True}


def test_a_keyset_walk_sees_every_record_once(zoho):
    data = [{"Vendor_Name": f"Keyset {n}", "Category": "keyset"} for n in range(25)]
    ids = zoho.admin("POST", "/records/Vendors", data)["ids"]
    seen, moment, last = [], "2020-01-01T00:00:00+00:00", "0"
    while True:
        rows = zoho.rows(
            "select Modified_Time from Vendors where (Category = 'keyset' and "
            f"(Modified_Time > '{moment}' or (Modified_Time = '{moment}' and id > '{last}'))) "
            "order by Modified_Time asc, id asc limit 7"
        )
        if not rows:
            break
        seen.extend(row["id"] for row in rows)
        moment, last = rows[-1]["Modified_Time"], rows[-1]["id"]
    assert seen == ids
    zoho.admin("DELETE", "/records/Vendors/" + ",".join(ids))


@pytest.mark.usefixtures("people")
def test_aggregates(zoho):
    query = (
        "select COUNT(id), Account_Name from Contacts where Last_Name like 'Coql%' "
        "group by Account_Name order by COUNT(id) desc"
    )
    assert [row["COUNT(id)"] for row in zoho.rows(query)] == [3, 1]
    query = "select MAX(Employees) as most from Accounts where Account_Name = 'Coql Holding'"
    assert zoho.rows(query) == [{"most": 50}]


def test_case_matters_when_switched(zoho, people):
    del people
    zoho.switch(coql_ignores_case=False)
    assert names(zoho, "Email = 'A@COQL.example'") == []


def test_nothing_found_is_204(zoho):
    answer = zoho.coql("select id from Contacts where Last_Name = 'nobody at all'")
    assert (answer.status_code, answer.content) == (204, b"")


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("select id from Contacts", "SYNTAX_ERROR"),
        ("select from Contacts where id is not null", "SYNTAX_ERROR"),
        ("delete from Contacts where id is not null", "SYNTAX_ERROR"),
        ("select id from Contacts where id = 'x", "SYNTAX_ERROR"),
        ("select id from Contacts where A = '1' and B = '2' and C = '3'", "SYNTAX_ERROR"),
        ("select id from Contacts where Nothing = '1'", "INVALID_QUERY"),
        ("select Nothing from Contacts where id is not null", "INVALID_QUERY"),
        ("select id from Contacts where Last_Name > 'a'", "INVALID_QUERY"),
        ("select id from Contacts where Modified_Time > 'soon'", "INVALID_QUERY"),
        ("select id from Contacts where Email.Name = 'x'", "INVALID_QUERY"),
        ("select id from Nothing where id is not null", "INVALID_MODULE"),
        ("select id from Contacts where id is not null limit 2001", "LIMIT_EXCEEDED"),
        ("select id from Contacts where id is not null limit 100000, 1", "LIMIT_EXCEEDED"),
        ("select Email, Email from Contacts where id is not null", "DUPLICATE_DATA"),
    ],
)
def test_refusals(zoho, query, code):
    answer = zoho.coql(query)
    assert (answer.status_code, answer.json()["code"]) == (400, code)


def test_a_missing_query_is_a_missing_field(zoho):
    assert zoho.crm("POST", "/coql", {}).json()["code"] == "MANDATORY_NOT_FOUND"


def test_meta_of_the_columns(zoho, people):
    del people
    body = {
        "select_query": "select Email from Contacts where id is not null limit 1",
        "include_meta": ["fields"],
    }
    answer = zoho.crm("POST", "/coql", body).json()
    assert answer["fields"]["Email"]["data_type"] == "email"


def test_the_tree_of_a_query():
    query = parse("SELECT A, B.C FROM M WHERE (A = 'it''s' AND (B not in (1, 2) or C is null))")
    inner = Pair("or", Condition("B", "not in", ["1", "2"]), Condition("C", "is null", []))
    assert query.where == Pair("and", Condition("A", "=", ["it's"]), inner)
    assert [column.path for column in query.columns] == ["A", "B.C"]


def test_at_most_25_conditions():
    text = "A = '1'"
    for _ in range(25):
        text = f"(A = '1' and {text})"
    with pytest.raises(ApiError, match="LIMIT_EXCEEDED"):
        parse(f"select id from M where {text}")


@pytest.mark.parametrize(
    ("where", "floor"),
    [
        ("Modified_Time > '1970-01-01T00:01:00Z'", 60),
        ("(Modified_Time > '1970-01-01T00:01:00Z' or A = '1')", None),
        ("(Modified_Time > '1970-01-01T00:01:00Z' and A = '1')", 60),
        (
            (
                "(Modified_Time > '1970-01-01T00:01:00Z' or "
                "(Modified_Time = '1970-01-01T00:00:30Z' and id > '5'))"
            ),
            30,
        ),
        ("Modified_Time < '1970-01-01T00:01:00Z'", None),
    ],
)
def test_the_floor_never_cuts_a_match(where, floor):
    assert modified_floor(parse(f"select id from M where {where}").where) == floor
