"""A run as one file to be handed on: values, hashes and provenance, no pictures."""
