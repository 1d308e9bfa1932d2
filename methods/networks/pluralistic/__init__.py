"""Pluralistic image completion (PICNet): many fills of one hole, from a conditional prior.

Zheng, Cham, Cai, Pluralistic Image Completion, CVPR 2019.
"""
