"""Vendor stand-ins that speak the real APIs over HTTP."""
