"""A method as a user writes one, in a file that can be imported from anywhere."""

import inpaint_bench as ib


class Grey(ib.Inpainter):
    card = ib.Card("grey", "Grey", "other", summary="Fills each hole with grey.")
    loads = 0

    def load(self):
        self.loads += 1

    def infer(self, images, masks, generator):
        return images + 0.5 * masks
