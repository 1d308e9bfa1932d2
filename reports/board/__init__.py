"""A static site of bundles: what was claimed, measured and reproduced, protocol by protocol."""
