"""Customers that came in a file: a table that a person imported, read like any other system."""

from connectors.file.connector import FileConnector

CONNECTOR = FileConnector
