"""The migrations make just the tables that the code uses."""

from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext

from sync.store import schema
from sync.store.session import Database
from sync.store.tables import Base, new_id


def test_the_migrations_make_the_tables_of_the_code(tmp_path):
    database = Database(f"sqlite:///{tmp_path / 'kehub.db'}")
    schema.upgrade(database)
    with database.engine.connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), Base.metadata) == []
    database.engine.dispose()


def test_ids_sort_in_the_order_in_which_they_were_made():
    made = [new_id() for _ in range(5000)]  # many in each millisecond
    assert made == sorted(set(made))
    assert {len(each) for each in made} == {26}
