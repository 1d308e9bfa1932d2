"""Context Encoder: a picture, or the centre of a square, predicted by an encoder and a decoder."""
