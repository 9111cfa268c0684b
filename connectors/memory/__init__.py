"""The reference connector: a small CRM in this process, with every oddity as a switch."""

from connectors.memory.connector import Memory
from connectors.memory.oddities import Oddities, Trouble
from connectors.memory.world import MemoryWorld, world

CONNECTOR = Memory

__all__ = ["CONNECTOR", "Memory", "MemoryWorld", "Oddities", "Trouble", "world"]
