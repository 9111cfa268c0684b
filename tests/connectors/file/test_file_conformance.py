"""What can be asked of a source that is only read: the suite's rules for listings and fetching."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from connectors.file import FileConnector
from connectors.file.connector import FileConfig
from connectors.file.rows import Rows
from connectors.testing.conformance import ConnectorConformance, Target
from connectors.testing.plain import plain_http


class FileTarget(Target):
    object_name = "customers"

    def __init__(self, path: Path) -> None:
        self.rows = Rows(path)
        self.rows.put(self.object_name, [])

    def sample(self, number):
        return {"name": f"客户 {number}", "phone": f"0755-8800{number:04d}"}

    def wrong(self):
        raise NotImplementedError

    def seed(self, count):
        ids = [f"h:{number:04d}" for number in range(count)]
        for number, row_id in enumerate(ids):
            self.rows.put(self.object_name, [(row_id, self.sample(number))])
        return ids

    def edit(self, remote_id, text):
        data = dict(self.rows.get(self.object_name, [remote_id])[remote_id].data)
        self.rows.put(self.object_name, [(remote_id, {**data, "name": text})])

    def remove(self, remote_id):
        with closing(sqlite3.connect(self.rows.path)) as connection, connection:
            connection.execute("DELETE FROM row WHERE id = ?", (remote_id,))

    def text(self, remote_id):
        return self.rows.get(self.object_name, [remote_id])[remote_id].data["name"]

    def count(self, hub_key):
        return 0


class TestFile(ConnectorConformance):
    @pytest.fixture
    def target(self, tmp_path):
        return FileTarget(tmp_path / "rows.db")

    @pytest.fixture
    def connector(self, tmp_path, target):
        return FileConnector(FileConfig(path=str(tmp_path / "rows.db"), page_size=2), plain_http())

    @pytest.fixture
    def impostor(self, tmp_path):
        return FileConnector(FileConfig(path=str(tmp_path / "none.db")), plain_http())
