"""A backup can be proven and opened with standard tools; a restored hub compares, then goes on."""

import json
import shutil
import subprocess
import tarfile
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select, update

from sync.flow import decide
from sync.service import backups, plans, systems
from sync.service.errors import ServiceError
from sync.store.tables import Golden, System
from tests.infra.postgres import _packaged, _system

KEY = "correct horse battery staple"


@pytest.fixture
def hub(fixture):
    """The fixture with PostgreSQL's client programs of the server's version."""
    folder = None if fixture.hub.database.is_sqlite else _packaged() or _system()
    if folder is not None and not (folder / "pg_dump").exists():
        pytest.skip("no pg_dump of the server's version")
    settings = fixture.hub.settings.model_copy(update={"pg_bin": folder})
    object.__setattr__(fixture.hub, "settings", settings)
    return fixture


def archive(fixture):
    return fixture.hub.settings.home / "today.backup"


def saved(fixture):
    return backups.backup(fixture.hub, archive(fixture), passphrase=KEY)


def restored(fixture):
    """By the clock that the keys of what was made since were made by."""
    fixture.clock.at = max(fixture.clock.at, datetime.now(UTC) + timedelta(minutes=1))
    return backups.restore(fixture.hub, archive(fixture), passphrase=KEY, actor="li")


def rows(fixture, name, *fields):
    records = fixture.world(name).all("customers")
    return sorted((tuple(record[field] for field in fields) for record in records), key=str)


def states(fixture):
    with fixture.hub.database.read() as session:
        return set(session.scalars(select(System.state)))


def populate(fixture, *names):
    for number, name in enumerate(names):
        fixture.world("erp").create("customers", name=name, code=f"C{number}", notes="old")
    fixture.sync()


def test_a_backup_is_proven_by_restoring_it(hub):
    populate(hub, "Acme", "Birke")
    made = saved(hub)
    populate(hub, "Cobalt")
    proven = backups.verify(hub.hub, archive(hub), passphrase=KEY)
    assert proven.differing == ()
    assert proven.rows["golden"] == made.rows["golden"] == 2
    assert proven.rows["link"] == 6
    assert list(hub.hub.settings.home.glob("backup-*")) == []


def test_a_damaged_backup_and_a_wrong_key_are_refused(hub):
    populate(hub, "Acme")
    saved(hub)
    with pytest.raises(ServiceError, match="another key"):
        backups.verify(hub.hub, archive(hub), passphrase="wrong")
    content = bytearray(archive(hub).read_bytes())
    content[len(content) // 2] ^= 1
    archive(hub).write_bytes(content)
    with pytest.raises(ServiceError, match="damaged"):
        restored(hub)
    assert states(hub) == {"live"}


def test_the_openssl_command_opens_a_backup(hub, tmp_path):
    openssl = shutil.which("openssl")
    if openssl is None:
        pytest.skip("no openssl command")
    populate(hub, "Acme")
    saved(hub)
    content = archive(hub).read_bytes()
    (tmp_path / "body").write_bytes(content[:-32])
    (tmp_path / "pass").write_text(KEY)
    command = [openssl, "enc", "-d", "-aes-256-ctr", "-pbkdf2", "-iter", "600000", "-md", "sha256"]
    command += ["-pass", f"file:{tmp_path / 'pass'}", "-in", tmp_path / "body"]
    subprocess.run([*command, "-out", tmp_path / "plain.tgz"], check=True, capture_output=True)
    with tarfile.open(tmp_path / "plain.tgz") as packed:
        manifest = json.loads(packed.extractfile("manifest.json").read())
    assert manifest["tables"]["golden"]["rows"] == 1
    kdf = [openssl, "kdf", "-keylen", "96", "-kdfopt", "digest:SHA256", "-kdfopt", f"pass:{KEY}"]
    kdf += ["-kdfopt", f"hexsalt:{content[8:16].hex()}", "-kdfopt", "iter:600000", "PBKDF2"]
    derived = subprocess.run(kdf, check=True, capture_output=True, text=True).stdout
    mac_key = derived.strip().replace(":", "")[128:]
    digest = [openssl, "dgst", "-sha256", "-mac", "HMAC", "-macopt", f"hexkey:{mac_key}"]
    out = subprocess.run(
        [*digest, tmp_path / "body"], check=True, capture_output=True, text=True
    ).stdout
    assert out.strip().endswith(content[-32:].hex())


def test_a_master_key_seals_what_no_passphrase_does(hub):
    populate(hub, "Acme")
    backups.backup(hub.hub, archive(hub))
    assert backups.verify(hub.hub, archive(hub)).differing == ()
    with pytest.raises(ServiceError):
        backups.verify(hub.hub, archive(hub), passphrase=KEY)


def test_a_restored_hub_only_compares_until_it_is_approved(hub):
    populate(hub, "Acme")
    saved(hub)
    record = hub.world("erp").all("customers")[0]
    hub.world("erp").edit("customers", record["id"], notes="newer")
    hub.sync()
    before = {name: hub.world(name).calls("write") for name in hub.names}
    restored(hub)
    assert states(hub) == {"paused"}
    assert backups.pending_restore(hub.hub)["epoch"] == 1
    with pytest.raises(ServiceError) as refused:
        systems.resume_system(hub.hub, "crm")
    assert refused.value.code == "restore_pending"
    hub.poll()
    hub.work()
    plan = backups.compare_restore(hub.hub)
    assert plan.summary["relearned"] == {name: {"changed": 1} for name in hub.names}
    with pytest.raises(ServiceError) as refused:
        plans.apply_plan(hub.hub, plan.id, inline=True)
    assert refused.value.code == "restore_plan"
    assert {name: hub.world(name).calls("write") for name in hub.names} == before
    assert hub.goldens()[0].values["notes"] == "old"
    backups.approve_restore(hub.hub, plan.id, actor="li")
    hub.sync()
    assert states(hub) == {"live"}
    assert hub.goldens()[0].values["notes"] == "newer"
    assert {name: hub.world(name).calls("write") for name in hub.names} == before


@pytest.mark.timeout(1200)  # a whole day on a busy machine
def test_the_drill_after_a_day_of_changes(hub):
    """Nothing is doubled, nothing deleted comes back, nothing newer is overwritten."""
    populate(hub, *(f"{chr(0x4E00 + 97 * n)}{chr(0x5100 + 61 * n)}科技" for n in range(10)))
    saved(hub)
    day_after(hub)
    left = {name: rows(hub, name, "name", "notes", "phone", "email") for name in hub.names}
    count = {name: len(hub.world(name).all("contacts")) for name in hub.names}
    goldens, writes = len(hub.goldens()), {n: hub.world(n).calls("write") for n in hub.names}
    restored(hub)
    plan = backups.compare_restore(hub.hub)
    assert plan.summary["relearned"]["crm"] == {"changed": 5, "missing": 2, "new": 4}
    assert all(not found["objects"] for found in plan.summary["writes"].values())
    backups.approve_restore(hub.hub, plan.id, actor="li")
    hub.sync()
    assert {n: rows(hub, n, "name", "notes", "phone", "email") for n in hub.names} == left
    assert {name: len(hub.world(name).all("contacts")) for name in hub.names} == count
    assert len(hub.goldens()) == goldens
    assert {n: hub.world(n).calls("write") for n in hub.names} == writes
    assert backups.pending_restore(hub.hub) is None
    record = hub.world("crm").all("customers")[-1]
    hub.world("crm").edit("customers", record["id"], notes="goes everywhere again")
    hub.sync()
    for name in hub.names:
        assert ("goes everywhere again",) in rows(hub, name, "notes")


def day_after(hub):
    """Creates in three ways, edits on every side, deletes."""
    erp, crm, sales = (hub.world(name) for name in hub.names)
    made = erp.create("customers", name="Zenith Optical", email="erp@new.example")
    erp.create("contacts", name="王伟", customer_id=made, email="wang@new.example")
    crm.create("customers", name="Quarry Foods", phone="021-55550199", email="crm@new.example")
    erp.create("customers", name="Harbour Lights")
    for number in range(4):
        target = (erp, crm, sales, erp)[number]
        target.edit("customers", coded(target, f"C{number}"), notes=f"day {number}")
    hub.sync()
    for world in (erp, crm, sales):
        for code in ("C8", "C9"):
            world.delete("customers", coded(world, code))
    hub.sync()
    golden = next(golden for golden in hub.goldens() if golden.values.get("number") == "C5")
    decide.edit(hub.hub, golden.id, {"phones[work]": "+8613800000000"}, "li")
    hub.sync()


def coded(world, code):
    return next(record["id"] for record in world.all("customers") if record["code"] == code)


def test_missing_client_programs_are_named(hub, tmp_path):
    if hub.hub.database.is_sqlite:
        pytest.skip("SQLite needs none")
    settings = hub.hub.settings.model_copy(update={"pg_bin": tmp_path})
    object.__setattr__(hub.hub, "settings", settings)
    with pytest.raises(ServiceError, match="postgresql-client"):
        saved(hub)


def test_the_epoch_counts_every_restore(hub):
    populate(hub, "Acme")
    saved(hub)
    for epoch in (1, 2):
        restored(hub)
        assert backups.pending_restore(hub.hub)["epoch"] == epoch
    with hub.hub.database.write() as tx:
        tx.execute(update(Golden).values(name="touched"))
    assert hub.goldens()[0].name == "touched"
