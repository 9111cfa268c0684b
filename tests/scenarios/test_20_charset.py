"""Rare characters, emoji, full-width forms, mislabelled bytes, normal forms, limits in bytes."""

import unicodedata

import pytest

from sync.flow import take_in
from sync.service import exchange
from sync.store.tables import Change, DeadLetter
from tests.scenarios.story import everywhere, only, rows

MAIL = {"email": "office@acme.example"}
NAMES = [
    "镕基与陶喆贸易有限公司",
    "𠮷野家（上海）餐饮",  # outside the basic plane
    "㐀䶵龥科技",  # the edges of two blocks of Han
    "Panda 🐼👩🏽‍💻 GmbH",  # joined by a zero-width joiner
    "ＡＢＣ１２３株式会社",  # full-width, as it was typed
    "Café Ängström Straße",
    "ราคา ٣٤ ﷽",
]


@pytest.mark.parametrize("name", NAMES)
def test_what_is_typed_arrives_byte_by_byte_everywhere(outside, name):
    outside.erp.create("customers", name=name, **MAIL)
    outside.sync()
    assert outside.accounts()[0]["Account_Name"] == name
    assert outside.living()[0]["name"] == name
    note = f"{name} — 备注"
    outside.edit_fx(outside.living()[0]["_id"], remark=note)
    outside.sync()
    assert outside.erp.all("customers")[0]["notes"] == note
    assert outside.accounts()[0]["Description"] == note
    assert outside.rows(DeadLetter) == []


def test_the_same_text_in_two_normal_forms_is_one_text(outside):
    typed = unicodedata.normalize("NFD", "Café Ängström")
    outside.erp.create(
        "customers", name=f"  {typed} \u3000", phone="０２１－５５５５０１０１", **MAIL
    )
    outside.sync()
    (account,) = outside.accounts()
    assert account["Account_Name"] == "Café Ängström"
    assert account["Phone"] == "+862155550101"
    outside.zoho.edit("Accounts", account["id"], Account_Name=typed)  # composed or not: the same
    outside.sync()
    assert not outside.rows(Change, Change.path.in_(("name", "phones[work]")))
    assert len(outside.goldens()) == 1


def test_bytes_that_claim_to_be_gb2312(outside, tmp_path):
    """镕 and 喆 are not in GB2312, 𠮷 is four bytes of GB18030; the superset reads them all."""
    names = NAMES[:3]
    lines = ["客户名称,电子邮箱", *(f"{name},p{n}@gb.example" for n, name in enumerate(names))]
    path = tmp_path / "客户.csv"
    path.write_bytes("\r\n".join(lines).encode("gb18030"))
    running = exchange.start_import(outside.hub, path)
    take_in.drain(outside.hub, running.system_id)
    assert exchange.finished(outside.hub, running).new == 3
    outside.sync()
    assert sorted(account["Account_Name"] for account in outside.accounts()) == sorted(names)


def test_bytes_of_no_charset_are_refused_and_nothing_is_guessed(outside, tmp_path):
    path = tmp_path / "broken.csv"
    path.write_bytes("客户名称\r\n镕基".encode("gb18030")[:-1] + b"\xff\r\n")
    with pytest.raises(exchange.ServiceError, match="UTF-8"):
        exchange.start_import(outside.hub, path)
    assert outside.goldens() == []


def test_a_limit_in_bytes_on_one_side_and_in_characters_on_the_other(fixture):
    """What a system cuts silently is accepted there once; everywhere else the text stays whole."""
    name = "镕喆科技" * 8  # 32 characters, 96 bytes
    fixture.world("crm").switch(cut={"name": 50}, cut_in="bytes")
    fixture.world("sales").switch(cut={"name": 30})
    fixture.world("erp").create("customers", name=name, **MAIL)
    fixture.sync()
    assert everywhere(fixture, "name") == [name, name[:16], name[:30]]
    before = fixture.writes()
    fixture.world("crm").edit("customers", only(fixture, "crm")["id"], notes="typed there")
    fixture.sync()
    assert everywhere(fixture, "name") == [name, name[:16], name[:30]]
    assert everywhere(fixture, "notes") == ["typed there"] * 3
    assert fixture.writes() == before + 2


def test_truncation_only_by_declared_rule_otherwise_a_refusal(outside):
    """Zoho's mapping cuts a name at 200 characters; of the legal name nobody says so."""
    rule = "{canonical: legal_name, native: Legal_Name, in: [trim]"
    outside.remap("zoho", "Accounts", f"{rule}, out: [{{cut: 200}}]}}", f"{rule}}}")
    long = "镕" * 230
    outside.erp.create("customers", name=long, **MAIL)
    outside.erp.create("customers", name="Birch", legal_name=long, email="b@birch.example")
    outside.sync()
    (account,) = outside.accounts()
    assert account["Account_Name"] == long[:200]
    (letter,) = outside.rows(DeadLetter, DeadLetter.state == "open")
    assert (letter.direction, letter.field) == ("out", "Legal_Name")
    assert "200" in letter.message
    values = {golden.name[:5]: golden.values for golden in outside.goldens()}
    assert values[long[:5]]["name"] == long
    assert values["Birch"]["legal_name"] == long
    assert {row["name"] for row in outside.living()} == {long, "Birch"}


def test_a_sign_that_no_database_keeps_is_refused_and_shown(fixture):
    """NUL; the neighbours go on, and what is mended comes in."""
    crm = fixture.world("crm")
    crm.create("customers", name="Half \0 Sign", email="half@quarry.example")
    crm.create("customers", name="Whole Sign", email="whole@sign.example")
    fixture.sync()
    assert [golden.name for golden in fixture.goldens()] == ["Whole Sign"]
    (letter,) = rows(fixture, DeadLetter)
    assert (letter.kind, letter.field, letter.value) == ("unmappable", "name", "Half \\x00 Sign")
    assert only(fixture, "erp")["name"] == "Whole Sign"
    bad = next(r["id"] for r in crm.all("customers") if r["name"] != "Whole Sign")
    crm.edit("customers", bad, name="镕喆矿业")
    fixture.sync()
    assert sorted(golden.name for golden in fixture.goldens()) == ["Whole Sign", "镕喆矿业"]
    assert [row.state for row in rows(fixture, DeadLetter)] == ["retried"]


def test_half_of_a_surrogate_pair_stops_neither_the_poll_nor_its_neighbours(outside):
    ids = outside.zoho.seed("Accounts", [{"Account_Name": "Half"}, {"Account_Name": "Whole"}])
    outside.sync()
    outside.zoho.edit("Accounts", ids[0], Description="cut in two \ud83d")
    outside.zoho.edit("Accounts", ids[1], Description="🐼")
    outside.sync()
    notes = {golden.name: golden.values.get("notes") for golden in outside.goldens()}
    assert notes == {"Half": None, "Whole": "🐼"}
    (letter,) = outside.rows(DeadLetter)
    assert (letter.kind, letter.field) == ("unmappable", "Description")
    assert letter.value == "cut in two \\ud83d"
