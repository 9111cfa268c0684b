"""The sync engine: inbox, golden records, dirty, dispatch."""
