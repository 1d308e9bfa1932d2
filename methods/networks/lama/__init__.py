"""LaMa and ReLaMa: one convolutional generator whose residual blocks see the whole picture."""
