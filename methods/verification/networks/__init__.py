"""How each network rebuilds its reference outputs: a module each."""
