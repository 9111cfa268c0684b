"""One SQLite file: a table of documents per module, and the small tables around them.

Writers take turns under one lock and one connection; readers use their own connections and never
wait (write-ahead log). A killed process loses nothing that was answered.
"""

import json
import queue
import sqlite3
import threading
import unicodedata
from contextlib import contextmanager
from dataclasses import dataclass, field

FIRST_ID = 5_725_767_000_000_002_000

TABLES = """
CREATE TABLE IF NOT EXISTS meta (key TEXT PRIMARY KEY, value TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS uniq (
  module TEXT, field TEXT, value TEXT, id INTEGER NOT NULL,
  PRIMARY KEY (module, field, value)) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS uniq_by_record ON uniq (module, id);
CREATE TABLE IF NOT EXISTS trash (
  id INTEGER PRIMARY KEY, module TEXT NOT NULL, kind TEXT NOT NULL, name TEXT,
  deleted INTEGER NOT NULL, deleted_by INTEGER, created_by INTEGER,
  created INTEGER, modified INTEGER, doc TEXT);
CREATE INDEX IF NOT EXISTS trash_by_time ON trash (module, deleted);
CREATE TABLE IF NOT EXISTS fields (
  module TEXT, api_name TEXT, position INTEGER NOT NULL, doc TEXT NOT NULL,
  PRIMARY KEY (module, api_name));
CREATE TABLE IF NOT EXISTS users (id INTEGER PRIMARY KEY, doc TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS refresh_tokens (
  token TEXT PRIMARY KEY, scope TEXT NOT NULL, user_id INTEGER NOT NULL,
  revoked INTEGER NOT NULL DEFAULT 0, created INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS access_tokens (
  token TEXT PRIMARY KEY, refresh TEXT NOT NULL, issued REAL NOT NULL,
  expires REAL NOT NULL, alive INTEGER NOT NULL DEFAULT 1);
CREATE INDEX IF NOT EXISTS access_by_refresh ON access_tokens (refresh, issued);
CREATE TABLE IF NOT EXISTS grants (
  code TEXT PRIMARY KEY, scope TEXT NOT NULL, redirect_uri TEXT, expires REAL NOT NULL,
  used INTEGER NOT NULL DEFAULT 0);
CREATE TABLE IF NOT EXISTS channels (channel_id TEXT PRIMARY KEY, doc TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS outbox (
  seq INTEGER PRIMARY KEY AUTOINCREMENT, channel_id TEXT NOT NULL, url TEXT NOT NULL,
  body TEXT NOT NULL, due REAL NOT NULL);
CREATE TABLE IF NOT EXISTS jobs (id INTEGER PRIMARY KEY, doc TEXT NOT NULL);
"""


@dataclass
class Record:
    """A stored record. Lookups are ids, date-times are epoch seconds, empty fields are absent."""

    id: int
    created: int
    modified: int
    doc: dict = field(default_factory=dict)


def squash(value):
    """Text as the search index sees it: lower case, punctuation and spaces gone."""
    if value is None:
        return None
    text = unicodedata.normalize("NFKC", str(value)).casefold()
    return "".join(char for char in text if char.isalnum())


def dump(value):
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    try:
        text.encode()
    except UnicodeEncodeError:  # half of a surrogate pair, kept as it came
        return json.dumps(value, separators=(",", ":"))
    return text


class Store:
    def __init__(self, folder):
        folder.mkdir(parents=True, exist_ok=True)
        self.path = folder / "zoho_crm.sqlite3"
        self._lock = threading.RLock()
        self._idle = queue.LifoQueue()
        self._writer = self._connect()
        self._writer.execute("PRAGMA journal_mode=WAL")
        self._writer.executescript(TABLES)
        self._last_id = int(self.meta("last_id") or FIRST_ID)
        self._saved_id = self._last_id

    def _connect(self):
        conn = sqlite3.connect(self.path, isolation_level=None, check_same_thread=False)
        conn.execute("PRAGMA busy_timeout=30000")
        conn.execute("PRAGMA synchronous=NORMAL")
        conn.execute("PRAGMA cache_size=-16000")
        conn.create_function("squash", 1, squash, deterministic=True)
        return conn

    @contextmanager
    def read(self):
        """A connection for one reader; what it sees is at least the last finished write."""
        try:
            conn = self._idle.get_nowait()
        except queue.Empty:
            conn = self._connect()
        try:
            yield conn
        finally:
            self._idle.put(conn)

    @contextmanager
    def write(self):
        """One transaction; it stands when the block ends and is undone when the block raises."""
        with self._lock:
            self._writer.execute("BEGIN IMMEDIATE")
            try:
                yield self._writer
                if self._last_id != self._saved_id:
                    self._put_meta(self._writer, "last_id", str(self._last_id))
                self._writer.execute("COMMIT")
                self._saved_id = self._last_id
            except BaseException:
                self._writer.execute("ROLLBACK")
                raise

    def close(self):
        with self._lock:
            while not self._idle.empty():
                self._idle.get_nowait().close()
            self._writer.execute("PRAGMA wal_checkpoint(TRUNCATE)")
            self._writer.close()

    def next_id(self):
        """Only inside a write. An id is used once in the organisation, whatever the module."""
        self._last_id += 1
        return self._last_id

    def meta(self, key):
        with self.read() as conn:
            row = conn.execute("SELECT value FROM meta WHERE key = ?", (key,)).fetchone()
        return row[0] if row else None

    def set_meta(self, key, value):
        with self.write() as conn:
            self._put_meta(conn, key, value)

    @staticmethod
    def _put_meta(conn, key, value):
        conn.execute("INSERT OR REPLACE INTO meta VALUES (?, ?)", (key, value))

    def ensure_module(self, conn, module):
        table = f"rec_{module}"
        conn.execute(
            f"CREATE TABLE IF NOT EXISTS {table} (id INTEGER PRIMARY KEY, "
            "created INTEGER NOT NULL, modified INTEGER NOT NULL, doc TEXT NOT NULL)"
        )
        conn.execute(f"CREATE INDEX IF NOT EXISTS {table}_m ON {table} (modified, id)")
        conn.execute(f"CREATE INDEX IF NOT EXISTS {table}_c ON {table} (created, id)")

    def ensure_index(self, conn, module, api_name, *, text):
        expression = field_sql(api_name) + (" COLLATE NOCASE" if text else "")
        name = f"ix_{module}_{api_name}"
        conn.execute(f"CREATE INDEX IF NOT EXISTS {name} ON rec_{module} ({expression})")

    def drop_index(self, conn, module, api_name):
        conn.execute(f"DROP INDEX IF EXISTS ix_{module}_{api_name}")


def field_sql(api_name, alias=""):
    """The SQL expression of a field in a document; the same text as in its index."""
    return f"json_extract({alias}doc, '$.{api_name}')"


def to_record(row):
    return Record(row[0], row[1], row[2], json.loads(row[3]))


def fetch(conn, module, record_id):
    sql = f"SELECT id, created, modified, doc FROM rec_{module} WHERE id = ?"
    row = conn.execute(sql, (record_id,)).fetchone()
    return to_record(row) if row else None


def fetch_many(conn, module, ids):
    """Records in the order of `ids`; unknown ids are left out."""
    found = {}
    for start in range(0, len(ids), 500):
        part = ids[start : start + 500]
        marks = ",".join("?" * len(part))
        sql = f"SELECT id, created, modified, doc FROM rec_{module} WHERE id IN ({marks})"
        found.update((row[0], to_record(row)) for row in conn.execute(sql, part))
    return [found[record_id] for record_id in ids if record_id in found]


def select_records(conn, module, where, params, order, limit, offset=0):
    sql = (
        f"SELECT t.id, t.created, t.modified, t.doc FROM rec_{module} t "
        f"WHERE {where} ORDER BY {order} LIMIT ? OFFSET ?"
    )
    return [to_record(row) for row in conn.execute(sql, (*params, limit, offset))]


def by_unique(conn, module, api_name, value, *, case_sensitive=False):
    key = str(value) if case_sensitive else str(value).casefold()
    sql = "SELECT id FROM uniq WHERE module = ? AND field = ? AND value = ?"
    row = conn.execute(sql, (module, api_name, key)).fetchone()
    return row[0] if row else None
