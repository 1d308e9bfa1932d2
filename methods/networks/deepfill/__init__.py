"""DeepFill v1: a coarse fill, refined beside contextual attention.

Yu, Lin, Yang, Shen, Lu, Huang, Generative Image Inpainting with Contextual Attention, CVPR 2018.

Three published code bases compute three functions with the same 84 tensors: the official one
(``tf``), a PyTorch port (``torch``), whose names of tensors are used here, and MMagic's
(``mmagic``). Weights belong to the function that they were trained with.
"""
