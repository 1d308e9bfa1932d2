"""PEN-Net: a pyramid of features, filled coarse to fine by attention across levels.

Zeng, Fu, Chao, Guo, Learning Pyramid-Context Encoder Network for High-Quality Image Inpainting,
CVPR 2019, in the form of the authors' PyTorch version.
"""
