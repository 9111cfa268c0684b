"""`kehub backup` and `kehub restore`."""

import json

import pytest

from sync.service import sentences


@pytest.fixture
def saved(two, home):
    """A backup, and an edit that came after it."""
    two("backup", "--out", str(home.parent / "today.backup"))
    row = two.world("crm").all("customers")[0]
    two.world("crm").edit("customers", row["id"], notes="newer than the backup")
    two("sync", "--wait")
    return home.parent / "today.backup"


def notes(two, name):
    return {row["notes"] or "" for row in two.world(name).all("customers")}


def test_a_backup_goes_to_its_folder_and_is_proven(two, home):
    made = two.json("backup")
    assert made["rows"]["golden"] == 2
    assert (home / "backups").is_dir()
    assert [each["size"] for each in two.json("backup", "--list")] == [made["size"]]
    assert made["path"].endswith(".backup")
    proven = two.json("backup", "--verify", made["path"])
    assert proven["ok"] is True
    assert "is whole" in two("backup", "--verify", made["path"]).stdout


def test_a_damaged_backup_is_refused_and_nothing_is_touched(two, saved):
    content = bytearray(saved.read_bytes())
    content[len(content) // 2] ^= 1
    saved.write_bytes(content)
    assert "damaged" in two("backup", "--verify", str(saved), expect=1).stderr
    assert "damaged" in two("restore", str(saved), expect=1).stderr
    assert two.json("restore") == {"waits": False}


def test_a_restored_hub_compares_and_goes_on_once_approved(two, saved):
    done = two.json("restore", str(saved))
    assert done["waits"] is True
    assert done["saved"].endswith(".backup")
    assert two.json("status")["restore"]["epoch"] == 1
    assert "only compares" in two("status").stdout
    assert "only compares" in two("restore", expect=3).stdout
    assert "--compare" in two("restore", "--approve", expect=3).stderr
    writes = two.json("status")["writes"]
    plan = two.json("restore", "--compare")
    assert plan["relearned"] == {"erp": {"changed": 1}, "crm": {"changed": 1}}
    assert two.json("restore")["plan"] == plan["plan"]
    assert two.json("status")["writes"] == writes
    assert two.json("restore", "--approve")["approved"] is True
    assert "restore" not in two.json("status")
    assert notes(two, "erp") == notes(two, "crm") == {"", "newer than the backup"}
    assert two.json("reconcile")["writes"] == 0


def test_the_comparison_is_shown_to_people_with_the_next_step(two, saved):
    two("restore", str(saved))
    said = two("restore", "--compare").stdout
    assert "CHANGED" in said
    assert "kehub restore --approve" in said
    said = two("--lang", "zh", "restore", "--compare").stdout
    assert "有变更" in said
    assert "确认" in two("--lang", "zh", "restore", "--approve").stdout


def test_a_restore_can_be_taken_back_with_what_was_saved(two, saved):
    before = two.json("restore", str(saved))["saved"]
    two("restore", before, "--no-copy")
    two("restore", "--compare")
    two("restore", "--approve")
    assert notes(two, "erp") == {"", "newer than the backup"}


def test_a_passphrase_of_ones_own_opens_it_elsewhere(two, home, monkeypatch, tmp_path):
    key = tmp_path / "key"
    key.write_text("correct horse battery staple\n")
    path = str(tmp_path / "own.backup")
    two("backup", "--out", path, "--passphrase-file", str(key))
    assert "another key" in two("backup", "--verify", path, expect=1).stderr
    monkeypatch.setenv("KEHUB_HOME", str(tmp_path / "elsewhere"))
    done = two.json("restore", path, "--passphrase-file", str(key))
    assert (done["saved"], done["waits"]) == (None, True)
    assert two.json("status")["customers"] == 2


def test_nothing_waits_where_nothing_was_restored(two):
    assert "No restore waits" in two("restore").stdout
    assert "No restore waits" in two("restore", "--approve", expect=2).stderr
    assert "No restore waits" in two("restore", "--compare", expect=1).stderr
    assert "没有等待确认的恢复" in two("--lang", "zh", "restore", "--compare", expect=1).stderr


def test_a_running_hub_is_not_restored_over(two, saved, home):
    import os  # noqa: PLC0415

    (home / "run.json").write_text(json.dumps({"supervisor": os.getpid(), "port": 1}))
    assert "already runs" in two("restore", str(saved), expect=1).stderr


def test_sentences_in_json_are_in_the_language_of_the_command(two, saved):
    two("restore", str(saved))
    english = two.json("system", "list")[0]["reason"]
    chinese = json.loads(two("--lang", "zh", "system", "list", "--json").stdout)[0]["reason"]
    assert english == "Restored from a backup: compare first, then approve."
    assert chinese == sentences.in_language(english, "zh") != english
