"""How each network rebuilds its reference outputs: a module for each package of networks."""
