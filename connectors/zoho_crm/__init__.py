"""Zoho CRM (API v8): accounts, contacts, leads; the ERP's orders and invoices."""

from connectors.zoho_crm.connector import ZohoCrm

CONNECTOR = ZohoCrm
