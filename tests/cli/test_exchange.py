"""Customers in and out of files."""

import csv

import pytest
from openpyxl import Workbook, load_workbook

HEAD = "客户名称,统一社会信用代码,电话,邮箱,省份,城市,联系人,联系人手机,信用额度"
ROWS = (
    '晨星仪器有限公司,91440300000001MA1A,0755-88000001,,广东,深圳市,,,"12,000"',
    "白榆物流有限公司,,0755-88000002,info2@b.example.cn,广东,深圳市,王芳,13900000002,",
    "坏电话有限公司,,abc,,,,,,",
    ",,0755-88000003,,,,,,",
)


@pytest.fixture
def table(tmp_path):
    path = tmp_path / "customers.csv"
    path.write_bytes("\n".join((HEAD, *ROWS)).encode("gb18030"))
    return path


def test_dry_run_counts_and_changes_nothing(kehub, table):
    found = kehub.json("import", str(table), "--dry-run", expect=3)
    assert (found["rows"], found["refused"], found["new"], found["contacts"]) == (4, 2, 2, 1)
    assert kehub.json("status")["customers"] == 0
    assert kehub.json("system", "list") == []
    assert any("Row 4" in problem["message"] for problem in found["problems"])


def test_import_brings_in_and_a_second_time_changes_nothing(kehub, table):
    first = kehub.json("import", str(table), expect=3)
    assert (first["new"], first["refused"]) == (2, 2)
    state = kehub.json("status")
    assert (state["customers"], state["contacts"]) == (2, 1)
    second = kehub.json("import", str(table), expect=3)
    assert (second["new"], second["linked"], second["changed"]) == (0, 0, 0)
    assert second["unchanged"] == second["good"]


def test_a_changed_cell_is_one_edit_and_reaches_the_systems(two, tmp_path):
    path = tmp_path / "c.csv"
    path.write_text("id,name,phone\n7,Halvik Textiles,+31302000077\n", encoding="utf-8")
    two("import", str(path))
    path.write_text("id,name,phone\n7,Halvik Textiles,+31302000078\n", encoding="utf-8")
    found = two.json("import", str(path))
    assert (found["new"], found["changed"]) == (0, 1)
    for name in ("erp", "crm"):
        rows = [r for r in two.world(name).all("customers") if r["name"] == "Halvik Textiles"]
        assert [r["phone"] for r in rows] == ["+31302000078"]


def test_a_known_customer_is_linked_not_doubled(two, tmp_path):
    path = tmp_path / "c.csv"
    path.write_text("Company;Phone;Website\nMarlund Foods;+31 30 2000001;https://m.example.com\n")
    dry = two.json("import", str(path), "--dry-run")
    assert (dry["new"], dry["linked"]) == (0, 1)
    two("import", str(path))
    assert two.json("status")["customers"] == 2
    assert "https://m.example.com" in {r["website"] for r in two.world("erp").all("customers")}


def test_excel_is_read_as_people_see_it(kehub, tmp_path):
    path = tmp_path / "c.xlsx"
    book = Workbook()
    book.active.append(["编号", "公司名称", "手机", "员工数"])
    book.active.append([1, "松屿照明有限公司", 13900000005, 40])
    book.save(path)
    found = kehub.json("import", str(path))
    assert (found["new"], found["refused"]) == (1, 0)


def test_headers_can_be_named_and_unknown_ones_are_told(kehub, tmp_path):
    path = tmp_path / "c.csv"
    path.write_text("Firma,Telefonnummer\nHalvik,+31302000077\n")
    assert "--map" in kehub("import", str(path), expect=1).stderr
    found = kehub.json("import", str(path), "--map", "Firma=name", "--dry-run")
    assert list(found["ignored"]) == ["Telefonnummer"]


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("none.csv", None, "none.csv"),
        ("bad.xlsx", b"not a workbook", ".xlsx"),
        ("bad.csv", b"name\n\xff\xff\xff\n", "GB18030"),
    ],
)
def test_unreadable_files_are_a_sentence(kehub, tmp_path, name, content, said):
    path = tmp_path / name
    if content is not None:
        path.write_bytes(content)
    result = kehub("import", str(path), "--dry-run", expect=1)
    assert said in result.stderr
    assert "Traceback" not in result.stderr


def test_an_export_can_be_imported_again(two, tmp_path):
    out = tmp_path / "out.csv"
    assert two.json("export", str(out))["count"] == 2
    with out.open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file))
    assert {row["name"] for row in rows} == {"晨星仪器有限公司", "Marlund Foods"}
    assert all("erp:" in row["systems"] for row in rows)
    found = two.json("import", str(out), "--dry-run")
    assert (found["new"], found["linked"], found["refused"]) == (0, 2, 0)


def test_what_looks_like_a_formula_is_text(two, tmp_path):
    row = two.world("erp").all("customers")[0]
    two.world("erp").edit("customers", row["id"], name="=1+1")
    two("sync", "--wait")
    for out in (tmp_path / "o.csv", tmp_path / "o.xlsx"):
        two("export", str(out))
    assert "'=1+1" in (tmp_path / "o.csv").read_text(encoding="utf-8-sig")
    sheet = load_workbook(tmp_path / "o.xlsx").active
    cells = [cell for line in sheet.iter_rows() for cell in line if cell.value == "=1+1"]
    assert [cell.data_type for cell in cells] == ["s"]
