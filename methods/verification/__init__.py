"""Reference outputs: files of arrays that an implementation must reproduce.

A file holds cases; each says how weights and inputs are made by rule, what is computed from them,
and how close every stored array must be met. So a network is checked without its checkpoint.

Each network has a module in `networks`, a method of one's own the module of its class, that makes
this possible with ``verify_case(case, parts, inputs)``, which gives named tensors; where inputs
follow from others in words, also ``derive(words, inputs)``.
"""

from methods.verification.case import CannotRebuild, Case, Part
from methods.verification.trace import traced

__all__ = ["CannotRebuild", "Case", "Part", "traced"]
