"""Contextual attention: fill a hole with patches of features that lie outside of it.

Yu, Lin, Yang, Shen, Lu, Huang, Generative Image Inpainting with Contextual Attention, CVPR 2018,
section 4. `attention` is the function, `matching` and `pasting` its two halves, `flow` the picture
of where it copied from.
"""

from methods.layers.contextual.attention import VARIANTS, Settings, attend, contextual_attention
from methods.layers.contextual.flow import enlarge, flow_to_image, offsets

__all__ = [
    "VARIANTS",
    "Settings",
    "attend",
    "contextual_attention",
    "enlarge",
    "flow_to_image",
    "offsets",
]
