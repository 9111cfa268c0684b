"""One module per step of the data path."""
