"""`kehub thresholds`: of the hub's customers, and of a file."""


def test_of_the_hubs_own_customers(two):
    found = two.json("thresholds")
    assert found["records"] == 2
    assert [row["at"] for row in found["rows"]] == sorted(row["at"] for row in found["rows"])
    assert {row["customers"] for row in found["rows"]} == {2}
    assert found["candidate_at"] < found["link_at"]
    assert "2 customers compared" in two("thresholds").stdout
    assert "已比较 2 个客户" in two("--lang", "zh", "thresholds").stdout


def test_of_a_file_before_it_is_imported(two, tmp_path):
    file = tmp_path / "customers.csv"
    file.write_text(
        "id,name,phone,email\n"
        "1,晨星仪器有限公司,021-55550101,office@morning.example\n"
        "2,晨星仪器,02155550101,office@morning.example\n"
        "3,Marlund Foods,,\n"
    )
    rows = two.json("thresholds", str(file))["rows"]
    assert rows[0]["links"] == 1
    assert (
        "2 = 1" in two("thresholds", str(file)).stdout
        or "1 = 2" in two("thresholds", str(file)).stdout
    )
    assert two.json("status")["customers"] == 2


def test_an_empty_hub_says_so(kehub):
    assert "no customers" in kehub("thresholds").stdout
