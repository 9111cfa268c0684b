"""What the UI, the CLI and the API may ask."""
