"""Pluralistic image completion (PICNet): many fills of one hole, from a conditional prior."""
