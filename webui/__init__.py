"""Web UI, JSON API and command line."""
