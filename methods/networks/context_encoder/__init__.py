"""Context Encoder: a picture, or the centre of a square, predicted by an encoder and a decoder.

Pathak, Krähenbühl, Donahue, Darrell, Efros, Context Encoders: Feature Learning by Inpainting,
CVPR 2016, in two forms.
"""
