"""The networks: a package each, its class in ``method.py``."""
