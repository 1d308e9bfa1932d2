"""LaMa and ReLaMa: one convolutional generator whose residual blocks see the whole picture.

Suvorov et al., Resolution-robust Large Mask Inpainting with Fourier Convolutions, WACV 2022.
ReLaMa is a variant with attention in each residual block (te4p0t, January 2022; no paper).
"""
