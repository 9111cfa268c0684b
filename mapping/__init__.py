"""Canonical customer model and translation between it and native records; pure."""
