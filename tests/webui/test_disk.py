"""A full disk, on the screens: a sentence, nothing lost, and it goes on."""

import shutil

import pytest
from sqlalchemy import event

from sync.store import disk


@pytest.fixture
def full(fresh):
    """Takes the space away from the database, and gives it back."""
    engine = fresh.hub.database.engine
    limit = {"pages": 1}

    def cap(connection, *_):
        connection.execute(f"PRAGMA max_page_count = {limit['pages']}")  # never below its size

    event.listen(engine, "checkout", cap)

    def give_back():
        limit["pages"] = 1_000_000

    yield give_back
    event.remove(engine, "checkout", cap)


@pytest.mark.parametrize(
    ("language", "words"), [("en", "The disk is full"), ("zh", "磁盘已满，本次更改未能保存")]
)
def test_an_edit_is_refused_with_a_sentence_and_goes_through_later(
    fresh, browse, full, language, words
):
    golden = fresh.goldens()[0]
    steward = browse("steward", language)
    path = f"/records/{golden.id}/fields/notes"
    before = dict(golden.values)
    answer = steward.post(path, value="x" * 200_000)
    assert answer.status_code == 507
    assert words in answer.text
    assert str(fresh.hub.settings.home.absolute()) in answer.text
    assert fresh.goldens()[0].values == before
    full()
    assert steward.post(path, value="x" * 9_000).status_code == 303
    assert fresh.goldens()[0].values["notes"] == "x" * 9_000


def test_the_api_says_it_with_a_code(fresh, script, full):
    golden = fresh.goldens()[0]
    body = {"values": {"notes": "x" * 200_000}}
    answer = script("steward").patch(f"/customers/{golden.id}", body, status=507)
    assert answer["error"] == "disk_full"
    assert "disk" in answer["hint"]


def test_every_page_warns_before_it_is_too_late(browse, monkeypatch, tmp_path):
    viewer = browse("viewer")
    assert "The disk is full, or nearly" not in viewer.text("/")
    usage = shutil.disk_usage(tmp_path)
    monkeypatch.setattr(disk.shutil, "disk_usage", lambda _path: usage._replace(free=5_000_000))
    for path in ("/", "/customers", "/systems"):
        assert "The disk is full, or nearly" in viewer.text(path)
    assert "磁盘已满或即将用完" in browse("viewer", "zh").text("/")
