"""Connecting systems, planning, applying, keeping in sync: without a running hub."""

from pathlib import Path

from connectors import memory


def test_plan_shows_what_apply_then_does(kehub):
    for name in ("erp", "crm"):
        kehub.add(name)
    kehub.world("erp").create("customers", name="晨星仪器有限公司", stage="customer")
    plan = kehub.json("plan")
    assert plan["state"] == "ready"
    assert plan["taken_in"]["erp"]["customers"]["new"] == 1
    assert plan["writes"]["crm"]["objects"]["customers"]["create"] == 1
    assert kehub.world("crm").all("customers") == []
    kehub("apply")
    assert [row["name"] for row in kehub.world("crm").all("customers")] == ["晨星仪器有限公司"]


def test_sync_wait_brings_an_edit_over_and_is_quiet_then(two):
    crm = two.world("crm")
    row = next(r for r in crm.all("customers") if r["name"] == "Marlund Foods")
    crm.edit("customers", row["id"], phone="+31302999999")
    rest = two.json("sync", "--wait")
    assert rest["inbox"] == rest["dirty"] == rest["polls"] == {}
    assert "+31302999999" in {r["phone"] for r in two.world("erp").all("customers")}
    before = two.json("status")["writes"]
    assert two.json("reconcile")["writes"] == 0
    assert two.json("status")["writes"] == before


def test_reconcile_dry_run_writes_nothing(two):
    row = two.world("erp").all("customers")[0]
    two.world("erp").edit("customers", row["id"], name="改名有限公司")
    plan = two.json("reconcile", "--dry-run")
    assert sum(part["calls"] for part in plan["writes"].values()) >= 1
    assert "改名有限公司" not in {r["name"] for r in two.world("crm").all("customers")}


def test_status_counts_what_there_is(two):
    found = two.json("status")
    assert found["customers"] == 2
    assert [system["name"] for system in found["systems"]] == ["erp", "crm"]
    assert set(found["systems"][0]) == {
        "name", "kind", "state", "url", "lag_seconds", "waiting", "calls"
    }  # fmt: skip
    assert found["systems"][0]["calls"]["read"] > 0
    assert found["writes"] == 2


def test_wrong_credentials_are_a_sentence_and_leave_nothing_behind(kehub):
    kehub.world("erp")
    said = kehub(
        *("system", "add", "erp", "memory", "--set", f"world={kehub.prefix}-erp"),
        *("--secret", "password=wrong"),
        expect=1,
    ).stderr
    assert "password" in said.lower()
    assert "Traceback" not in said
    assert kehub.json("system", "list") == []


def test_settings_come_as_json_on_stdin(kehub):
    kehub.world("erp")
    text = f'{{"world": "{kehub.prefix}-erp", "password": "memory"}}'
    kehub("system", "add", "erp", "memory", "--stdin", text=text)
    assert [view["name"] for view in kehub.json("system", "list")] == ["erp"]
    assert "memory" not in str(kehub.json("system", "list")[0]["settings"].values())


def test_unknown_names_say_what_there_is(kehub):
    assert "memory" in kehub("system", "add", "x", "salesforce", expect=1).stderr
    assert "world" in kehub("system", "add", "x", "memory", "--set", "colour=red", expect=1).stderr
    assert "system list" in kehub("system", "test", "nobody", expect=2).stderr
    assert "system list" in kehub("sync", "nobody", expect=2).stderr


def test_a_refusal_is_said_in_chinese_when_asked(kehub):
    assert (
        "没有名为“nobody”的系统"
        in kehub("--lang", "zh", "system", "pause", "nobody", expect=2).stderr
    )


def test_pause_keeps_and_resume_goes_on(two):
    two("system", "pause", "crm")
    two.world("erp").create("customers", name="新客户有限公司", stage="customer")
    assert two.json("sync", "--wait", expect=3)["blocked"]
    assert "新客户有限公司" not in {r["name"] for r in two.world("crm").all("customers")}
    two("system", "resume", "crm")
    two("sync", "--wait")
    assert "新客户有限公司" in {r["name"] for r in two.world("crm").all("customers")}


def test_a_broken_system_is_named_and_goes_on_after_a_test(two):
    two.world("crm").change_password("changed")
    two.world("erp").create("customers", name="新客户有限公司", stage="customer")
    said = two("sync", "--wait", expect=3).stderr
    assert "crm stands still" in said
    assert "all systems agree" not in said
    two.world("crm").change_password("memory")
    two("system", "test", "crm")
    two("sync", "--wait")
    assert "新客户有限公司" in {r["name"] for r in two.world("crm").all("customers")}


def test_dead_letters_are_listed_retried_and_discarded(two):
    two.world("crm").switch(rules={"customers.industry": ("mining",)})
    two.world("erp").create("customers", name="新客户有限公司", stage="customer", industry="mining")
    two("sync", "--wait")
    letters = two.json("dead", "list")
    assert len(letters) == 1
    two.world("crm").switch(rules={})
    two("dead", "retry", str(letters[0]["id"]))
    assert two.json("dead", "list") == []
    assert "新客户有限公司" in {r["name"] for r in two.world("crm").all("customers")}
    assert "dead list" in two("dead", "discard", "999", expect=1).stderr


def test_a_mass_delete_waits_at_a_guard(two, monkeypatch):
    erp = two.world("erp")
    for number in range(30):
        erp.create("customers", name=f"客户{number}有限公司", stage="customer")
    two("sync", "--wait")
    for row in erp.all("customers")[:25]:
        erp.delete("customers", row["id"])
    assert two.json("sync", "--wait", expect=3)["blocked"]
    guards = two.json("guard", "list")
    assert len(guards) == 1
    said = two("guard", "list").stdout
    assert f"kehub guard allow {guards[0]['id']}    Allow: the deletes were meant" in said
    assert "Refuse: keep everything" in said
    two("guard", "allow", str(guards[0]["id"]))
    two("sync", "--wait")
    assert two.json("guard", "list") == []


def test_mappings_are_linted_and_previewed(two, tmp_path):
    assert two.json("mapping", "lint", "erp") == [] or all(
        one["level"] != "error" for one in two.json("mapping", "lint", "erp")
    )
    shown = two.json("mapping", "preview", "erp", "--object", "customers", "--count", "1")
    assert shown[0]["values"]["stage"] == "customer"
    broken = tmp_path / "customers.yaml"
    broken.write_text("version: 1\nentity: [customer\n")
    assert "customers.yaml:" in two("mapping", "lint", str(broken), expect=1).stderr
    unknown = tmp_path / "unknown.yaml"
    unknown.write_text(
        "version: 1\nentity: customer\nobject: customers\nid: id\nroute: none\n"
        "fields:\n  - {canonical: name, native: nmae, direction: in}\n"
    )
    found = two("mapping", "lint", str(unknown), "--system", "erp", expect=1).stdout
    assert "name" in found
    assert "nmae" in found


def test_users_and_tokens(kehub):
    made = kehub.json("user", "add", "li", "--role", "viewer")
    assert made["login"] == "li"
    assert len(made["password"]) >= 10
    changed = kehub.json("user", "password", "li")
    assert changed["password"] != made["password"]
    assert kehub.json("token", "create", "script", "--user", "li")["token"]
    assert "no user" in kehub("user", "password", "nobody", expect=2).stderr.lower()


def _site_mapping(home, old, new):
    """The site's own file for the memory connector's customers, with one thing changed."""
    shipped = Path(memory.__file__).parent / "mapping" / "customers.yaml"
    folder = home / "config" / "mappings" / "erp"
    folder.mkdir(parents=True, exist_ok=True)
    text = shipped.read_text(encoding="utf-8")
    assert old in text
    (folder / "customers.yaml").write_text(text.replace(old, new), encoding="utf-8")


def _add_erp(kehub, expect=0):
    kehub.world("erp")
    return kehub(
        *("system", "add", "erp", "memory", "--set", f"world={kehub.prefix}-erp"),
        *("--secret", "password=memory"),
        expect=expect,
    )


def test_a_mapping_that_cannot_be_read_is_named_with_file_and_line(kehub, home):
    _site_mapping(home, "canonical: blocked", "canonical: blockd")
    said = _add_erp(kehub, expect=1).stderr
    assert "customers.yaml:42" in said
    assert said.count("did you mean 'blocked'?") == 1
    assert kehub.json("system", "list") == []


def test_a_field_that_the_system_does_not_have_is_named_before_anything_runs(kehub, home):
    _site_mapping(home, "native: blocked", "native: no_such")
    assert "customers has no field no_such" in _add_erp(kehub).stdout
    assert kehub.json("plan")["misfits"][0]["message"] == "customers has no field no_such"
    assert "no_such" in kehub("plan").stdout
    assert "没有字段 no_such" in kehub("--lang", "zh", "system", "test", "erp").stdout
