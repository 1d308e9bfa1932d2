"""ICT: colour tokens drawn one by one by a transformer, then a network that draws the details.

Wan, Zhang, Chen, Liao, High-Fidelity Pluralistic Image Completion with Transformers, ICCV 2021.
"""
