"""A full disk is recognised whoever says it."""

import errno
import shutil
import sqlite3

import pytest
from sqlalchemy import create_engine, text
from sqlalchemy.exc import OperationalError

from sync.store import disk


def test_sqlite_says_it_in_earnest(tmp_path):
    engine = create_engine(f"sqlite:///{tmp_path / 'small.db'}")
    with engine.connect() as connection:
        connection.execute(text("PRAGMA max_page_count = 3"))
        connection.execute(text("CREATE TABLE t (a TEXT)"))
        with pytest.raises(OperationalError) as refused:
            connection.execute(text("INSERT INTO t VALUES (:a)"), {"a": "x" * 100_000})
    engine.dispose()
    assert disk.is_full(refused.value, tmp_path)


@pytest.mark.parametrize(
    ("error", "full"),
    [
        (OSError(errno.ENOSPC, "No space left on device"), True),
        (OSError(errno.EDQUOT, "Disk quota exceeded"), True),
        (RuntimeError("could not extend file: No space left on device"), True),
        (OSError(errno.ENOENT, "No such file"), False),
        (ValueError("A name is needed."), False),
    ],
)
def test_others_say_it_in_their_words(error, full, tmp_path):
    assert disk.is_full(error, tmp_path) is full


def test_the_cause_of_an_error_counts(tmp_path):
    error = RuntimeError("The backup failed.")
    assert not disk.is_full(error, tmp_path)
    error.__cause__ = OSError(errno.ENOSPC, "No space left on device")
    assert disk.is_full(error, tmp_path)


def test_an_io_error_is_a_full_disk_only_where_no_space_is_left(tmp_path, monkeypatch):
    error = sqlite3.OperationalError("disk I/O error")
    assert not disk.is_full(error, tmp_path)
    usage = shutil.disk_usage(tmp_path)
    monkeypatch.setattr(disk.shutil, "disk_usage", lambda _path: usage._replace(free=4096))
    assert disk.is_full(error, tmp_path)
    assert disk.is_low(tmp_path)


def test_a_folder_that_is_away_is_not_low(tmp_path):
    assert not disk.is_low(tmp_path / "nowhere")
