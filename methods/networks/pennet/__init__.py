"""PEN-Net: a pyramid of features, filled coarse to fine by attention across levels."""
