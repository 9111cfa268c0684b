"""Backups on their page, and a restored hub that waits for its approval."""

from datetime import UTC, datetime, timedelta

import pytest

from sync.flow import backup
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
    name = backups.list_backups(fresh.hub)[0].name
    assert name in admin.text("/backups")
    admin.post(f"/backups/{name}/verify")
    assert "is whole" in admin.text("/backups")
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
    assert "密钥不符，或文件已损坏" in admin.text("/backups")


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
    backup.go_on(restored.hub)
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


def test_an_approval_that_nobody_carried_out_is_found_by_the_sweep(restored, browse):
    admin = browse("admin")
    plan_id = int(admin.post("/backups/compare").location.rpartition("/")[2])
    plans.make_plan(restored.hub, plan_id)
    admin.post(f"/backups/approve/{plan_id}")
    with restored.hub.database.read() as session:
        assert not backup.is_stuck(session, restored.hub.now())
    restored.clock.pass_(3600)
    with restored.hub.database.read() as session:
        assert backup.is_stuck(session, restored.hub.now())
    backup.go_on(restored.hub)
    backup.go_on(restored.hub)
    assert backups.pending_restore(restored.hub) is None


def test_the_status_of_the_api_names_the_restore(restored, script):
    found = script("viewer").get("/status")
    assert found["restore"]["epoch"] == 1
    assert {system["state"] for system in found["systems"]} == {"paused"}
