"""Backups on their page, and a restored hub that waits for its approval."""

from datetime import UTC, datetime, timedelta

import pytest

from sync.service import backups, plans


@pytest.fixture
def restored(fresh):
    """The hub as of an hour ago: the CRM has a newer value, and a customer more."""
    made = backups.backup(fresh.hub)
    record = fresh.world("crm").all("customers")[0]
    fresh.world("crm").edit("customers", record["id"], notes="newer")
    fresh.world("crm").create("customers", name="Birke GmbH")
    fresh.sync()
    fresh.clock.at = datetime.now(UTC) + timedelta(minutes=1)  # as the keys of what was made
    backups.restore(fresh.hub, made.path, actor="li")
    return fresh


def test_an_admin_makes_proves_and_fetches_a_backup(fresh, browse):
    admin = browse("admin")
    assert "No backup yet" in admin.text("/backups")
    answer = admin.post("/backups")
    assert answer.location == "/backups"
    assert backups.list_backups(fresh.hub) == []
    assert "Making a backup" in admin.text("/backups")
    assert "Back up now" not in admin.text("/backups")
    fresh.do_jobs()
    name = backups.list_backups(fresh.hub)[0].name
    assert name in admin.text("/backups")
    assert "not proven yet" in admin.text("/backups")
    admin.post(f"/backups/{name}/verify")
    assert "being proven" in admin.text("/backups")
    fresh.do_jobs()
    assert "tables were restored and compared" in admin.text("/backups")
    fetched = admin.get(f"/backups/{name}/file")
    assert fetched.status_code == 200
    assert fetched.data[:8] == b"Salted__"
    assert "attachment" in fetched.headers["Content-Disposition"]
    fetched.close()


def test_a_damaged_backup_is_told_as_a_sentence(fresh, browse):
    path = backups.backup(fresh.hub).path
    path.write_bytes(path.read_bytes()[:-40])
    admin = browse("admin", "zh")
    admin.post(f"/backups/{path.name}/verify")
    fresh.do_jobs()
    assert "未通过验证" in admin.text("/backups")
    assert "密钥不符，或文件已损坏" in admin.text("/backups")


def test_two_who_ask_for_a_backup_at_once_get_one(fresh, browse):
    for _ in range(2):
        assert browse("admin").post("/backups").status_code == 303
    fresh.do_jobs()
    fresh.do_jobs()
    assert len(backups.list_backups(fresh.hub)) == 1


def test_a_backup_that_cannot_be_written_is_told_with_its_reason(fresh, browse):
    backups.folder(fresh.hub).write_text("a file where the folder should be")
    browse("admin").post("/backups")
    fresh.do_jobs()
    for language, words in (("en", "The last backup failed"), ("zh", "最近一次备份失败")):
        assert words in browse("admin", language).text("/backups")


@pytest.mark.parametrize("name", ["..%2Fsecret.key", "..", "secret.key", "nothing.backup"])
def test_only_listed_backups_are_fetched(fresh, browse, name):
    backups.backup(fresh.hub)
    assert browse("admin").get(f"/backups/{name}/file").status_code in {404, 405, 308}


@pytest.mark.parametrize("role", ["viewer", "steward"])
def test_only_an_admin_fetches_a_backup(fresh, browse, role):
    name = backups.backup(fresh.hub).path.name
    person = browse(role)
    assert person.get(f"/backups/{name}/file").status_code == 403
    assert f"/backups/{name}/file" not in person.text("/backups")


def test_every_page_says_that_the_hub_only_compares(restored, browse):
    for language, words in (("en", "only compares"), ("zh", "目前只做核对")):
        person = browse("viewer", language)
        for path in ("/", "/customers", "/systems", "/systems/crm", "/runs", "/backups", "/plans"):
            assert words in person.text(path), path


def test_a_hub_that_was_not_restored_says_nothing_of_it(browse):
    assert "restore-banner" not in browse("viewer").text("/")


def test_the_comparison_is_shown_and_approved_in_a_worker(restored, browse):
    admin = browse("admin")
    assert "Compare with the systems" in admin.text("/backups")
    answer = admin.post("/backups/compare")
    plan_id = int(answer.location.rpartition("/")[2])
    plans.make_plan(restored.hub, plan_id)
    text = admin.text(f"/plans/{plan_id}")
    assert "What was re-learned" in text
    assert f"/backups/approve/{plan_id}" in text
    assert f"/plans/{plan_id}/apply" not in text
    assert f"/backups/approve/{plan_id}" not in browse("steward").text(f"/plans/{plan_id}")
    writes = {name: restored.world(name).calls("write") for name in restored.names}
    admin.post(f"/backups/approve/{plan_id}")
    assert "Taking in what the systems hold" in admin.text("/backups")
    restored.do_jobs()
    restored.sync()
    assert "restore-banner" not in admin.text("/")
    assert {name: restored.world(name).calls("write") for name in restored.names} == writes
    assert {row["notes"] or "" for row in restored.world("erp").all("customers")} == {"newer", ""}


def test_a_comparison_that_was_not_made_cannot_be_approved(restored, browse):
    admin = browse("admin", "zh")
    plan_id = int(admin.post("/backups/compare").location.rpartition("/")[2])
    admin.post(f"/backups/approve/{plan_id}")
    assert "不是已完成的恢复后核对" in admin.text("/backups")
    assert backups.pending_restore(restored.hub) is not None


def test_the_status_of_the_api_names_the_restore(restored, script):
    found = script("viewer").get("/status")
    assert found["restore"]["epoch"] == 1
    assert {system["state"] for system in found["systems"]} == {"paused"}
