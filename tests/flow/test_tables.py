"""The migrations make just the tables that the code uses."""

from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext

from sync.store import schema
from sync.store.session import Database
from sync.store.tables import Base


def test_the_migrations_make_the_tables_of_the_code(tmp_path):
    database = Database(f"sqlite:///{tmp_path / 'kehub.db'}")
    schema.upgrade(database)
    with database.engine.connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), Base.metadata) == []
    database.engine.dispose()
