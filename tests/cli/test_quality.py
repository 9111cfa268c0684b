"""`kehub quality`."""


def test_the_figures_and_the_records_to_mend(two):
    found = two.json("quality")
    assert (found["entity"], found["records"]) == ("customer", 2)
    assert 0 < found["completeness"] < 100
    assert {row["name"] for row in found["records_to_mend"]} == {
        "晨星仪器有限公司",
        "Marlund Foods",
    }
    assert [day["records"] for day in found["days"]] == [2]
    only = two.json("quality", "--issue", "no_phone")["records_to_mend"]
    assert [row["name"] for row in only] == ["晨星仪器有限公司"]
    assert two.json("quality", "--contacts")["records"] == 0


def test_people_read_it_in_their_language(two):
    assert "2 records:" in two("quality").stdout
    assert "no_mail: no mail" in two("quality").stdout
    assert "Nothing to mend" in two("quality", "--issue", "stale").stdout
    assert "no issue" in two("quality", "--issue", "x", expect=1).stderr
    said = two("--lang", "zh", "quality").stdout
    assert "2 条记录" in said
    assert "no_mail: 缺少邮箱" in said
