"""What every connector is tested with."""
