"""How far a network looks: its effective receptive field."""
