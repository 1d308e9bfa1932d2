"""A run judged against a baseline: same or better, regressed, not comparable, not measured."""
