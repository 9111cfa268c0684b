"""What every connector is built from."""
