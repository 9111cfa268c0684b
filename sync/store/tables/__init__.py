"""All tables."""

from sync.store.tables.access import ApiToken, Audit, User
from sync.store.tables.base import Base, moment_of, new_id
from sync.store.tables.golden import Change, Golden, Link, MatchKey
from sync.store.tables.job import Job
from sync.store.tables.privacy import Erasure, ErasureReturn, ErasureStep
from sync.store.tables.quality import Quality, QualityDay
from sync.store.tables.review import Candidate, Conflict, Guard, Merge
from sync.store.tables.state import HubState
from sync.store.tables.system import Cursor, Mapping, Plan, Run, Staged, System
from sync.store.tables.work import BULK, INTERACTIVE, DeadLetter, Dirty, Inbox

__all__ = [
    "BULK",
    "INTERACTIVE",
    "ApiToken",
    "Audit",
    "Base",
    "Candidate",
    "Change",
    "Conflict",
    "Cursor",
    "DeadLetter",
    "Dirty",
    "Erasure",
    "ErasureReturn",
    "ErasureStep",
    "Golden",
    "Guard",
    "HubState",
    "Inbox",
    "Job",
    "Link",
    "Mapping",
    "MatchKey",
    "Merge",
    "Plan",
    "Quality",
    "QualityDay",
    "Run",
    "Staged",
    "System",
    "User",
    "moment_of",
    "new_id",
]
