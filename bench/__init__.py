"""Benchmarks: one module each, and floors measured in the same run."""
