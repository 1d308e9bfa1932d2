"""Published protocols by name: what others evaluate on, as data (``catalogue/*.toml``)."""
