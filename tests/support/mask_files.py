"""Masks of files, for tests that care for the hole alone."""

from masks.files import MaskFile, Rules, read


def read_mask(path, **rules):
    """The hole, without what was taken for granted."""
    return read(MaskFile(path), Rules(**rules)).mask
