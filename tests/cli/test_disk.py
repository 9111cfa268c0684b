"""A full disk in earnest: a small file system as the data folder."""

import os
import subprocess

import pytest

ROWS = 900


@pytest.fixture
def small(tmp_path, monkeypatch):
    """Mounts a tmpfs of 2 MB; call it with a size to make it larger."""
    folder = tmp_path / "small"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", str(folder)]
    if os.geteuid() != 0 or subprocess.run(mount, check=False, capture_output=True).returncode:
        pytest.skip("only root may mount a small file system, and not in every container")
    monkeypatch.setenv("KEHUB_HOME", str(folder))
    monkeypatch.setenv("KEHUB_LEASE", "2")  # what died in the middle is taken over soon

    def resize(size):
        remount = ["mount", "-o", f"remount,size={size}", str(folder)]
        subprocess.run(remount, check=True, capture_output=True)

    yield resize
    subprocess.run(["umount", "-l", str(folder)], check=True)


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "customers.csv"
    rows = (
        f"客户{number * 7919:06d}号精密机械有限公司,021-5{number:07d},a{number}@c{number}.example\n"
        for number in range(ROWS)
    )
    path.write_text("name,phone,email\n" + "".join(rows), encoding="utf-8")
    return path


@pytest.mark.timeout(1200)
def test_an_import_on_a_full_disk_says_so_and_goes_on_once_there_is_space(bare, small, file):
    bare("init", "--password", "a long password")
    said = bare("import", str(file), expect=1).stderr
    assert "The disk is full" in said
    assert "Free some space" in said
    assert "Traceback" not in said
    assert "or nearly" in bare("status").stdout
    small("80m")
    assert "or nearly" not in bare("status").stdout
    bare("import", str(file))
    assert bare.json("status")["customers"] == ROWS
    assert bare.json("import", str(file))["unchanged"] == ROWS


@pytest.mark.timeout(1200)
def test_a_backup_on_a_full_disk_leaves_nothing_half_done(bare, small, file, tmp_path):
    small("80m")
    bare("init", "--password", "a long password")
    bare("import", str(file))
    made = bare.json("backup")
    filler = tmp_path / "small" / "filler"
    with pytest.raises(OSError, match="No space"):
        filler.write_bytes(b"x" * 80_000_000)
    assert "磁盘已满" in bare("--lang", "zh", "backup", expect=1).stderr
    filler.unlink()
    os.environ["KEHUB_LANG"] = "en"
    assert [each["size"] for each in bare.json("backup", "--list")] == [made["size"]]
    assert bare.json("backup", "--verify", made["path"])["ok"] is True
