"""Reads what was imported. Nothing is ever written to it: a file has no back channel."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import ClassVar

from pydantic import Field

from connectors.file.rows import Row, Rows
from connectors.file.shapes import SHAPES
from connectors.sdk.config import ConnectorConfig
from connectors.sdk.contract import (
    Change,
    Connector,
    Cursor,
    DescribesSchema,
    ErasesRecords,
    Page,
    ReadsChanges,
)
from connectors.sdk.errors import SetupError
from mapping.schema import ObjectSchema


class FileConfig(ConnectorConfig):
    """Where the imported rows are kept."""

    path: str = Field(
        min_length=1,
        title="File",
        description="SQLite file with the imported rows; `kehub import` makes it.",
        json_schema_extra={
            "zh": {
                "title": "文件",
                "description": "保存导入数据的 SQLite 文件，由 kehub import 创建。",
            }
        },
    )
    page_size: int = Field(
        500,
        ge=1,
        le=5000,
        title="Page size",
        description="Rows that are read at once.",
        json_schema_extra={"zh": {"title": "每页条数", "description": "一次读取的行数。"}},
    )


class FileConnector(Connector[FileConfig], ReadsChanges, ErasesRecords, DescribesSchema):
    """Customers and contacts from imported files."""

    name: ClassVar[str] = "file"
    label: ClassVar[str] = "Imported file"
    config_model: ClassVar[type[ConnectorConfig]] = FileConfig

    @property
    def rows(self) -> Rows:
        return Rows(Path(self.config.path), self.config.page_size)

    def check(self) -> None:
        if not Path(self.config.path).is_file():
            raise SetupError(
                f"There is no file {self.config.path}.",
                hint="Import a file first: `kehub import FILE`.",
                remote_code="missing",
            )

    def objects(self) -> Sequence[str]:
        return tuple(SHAPES)

    def changes(self, object_name: str, since: Cursor | None) -> Iterator[Page]:
        """In the order of import; the cursor is the number of the last change."""
        self._known(object_name)
        seq = int((since or {}).get("seq", 0))
        for rows in self.rows.after(object_name, seq):
            seq = rows[-1].seq
            yield Page([_change(object_name, row) for row in rows], {"seq": seq})
        yield Page((), {"seq": seq})

    def fetch(self, object_name: str, ids: Sequence[str]) -> Iterator[Change]:
        self._known(object_name)
        distinct = list(dict.fromkeys(ids))
        found = self.rows.get(object_name, distinct)
        for row_id in distinct:
            row = found.get(row_id)
            yield _change(object_name, row) if row else Change(object_name, row_id, None)

    def erase(self, object_name: str, ids: Sequence[str]) -> None:
        self._known(object_name)
        self.rows.erase(object_name, ids)

    def schema(self, object_name: str) -> ObjectSchema:
        return self._known(object_name)

    def _known(self, object_name: str) -> ObjectSchema:
        if object_name not in SHAPES:
            raise SetupError(
                f"An imported file has no {object_name!r}.", hint=f"Known are: {', '.join(SHAPES)}."
            )
        return SHAPES[object_name]


def _change(object_name: str, row: Row) -> Change:
    data = {**dict.fromkeys(SHAPES[object_name].fields), **row.data, "id": row.id}
    return Change(object_name, row.id, data, str(row.seq), row.changed_at)
