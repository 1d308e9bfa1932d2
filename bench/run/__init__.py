"""A run, from request to tables."""
