"""HiFill: a small picture filled by a network, its details taken from the photo at full size.

Yi, Tang, Azizi, Jang, Xu, Contextual Residual Aggregation for Ultra High-Resolution Image
Inpainting, CVPR 2020. The method is `method.HiFill`; bringing a small filled picture to the size of
the photo, `aggregation.aggregate`, is of use without it.
"""
