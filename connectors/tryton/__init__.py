"""Tryton ERP over JSON-RPC: parties two-way, sales, invoices and payments read."""

from connectors.tryton.connector import Tryton

CONNECTOR = Tryton

__all__ = ["CONNECTOR", "Tryton"]
