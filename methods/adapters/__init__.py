"""Methods that exist elsewhere, brought in without code."""
