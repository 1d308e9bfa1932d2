"""Context Encoder: windows, the adapter, the size of the published file."""

import numpy as np
import pytest
import torch

import methods
from bench.errors import BenchError, Declined
from methods import harness, weights
from methods.layers import windows
from methods.layers.windows import Form
from methods.networks.context_encoder.method import ContextEncoder
from methods.verification import CannotRebuild
from methods.verification.networks import context_encoder
from tests.support.published_files import context_encoder as as_published
from tests.support.published_files import saved
from tests.support.published_networks import PUBLISHED

FORM = Form(128, 36, 92)


class Flat(ContextEncoder):
    """With a network that keeps what it saw and answers with one colour."""

    def load(self):
        self.seen = []

    def network(self, squares):
        self.seen.append(squares.clone())
        return torch.full((len(squares), 3, 64, 64), 0.5)


def holes(height, width, *boxes):
    hole = np.zeros((height, width), bool)
    for top, left, tall, wide in boxes:
        hole[top : top + tall, left : left + wide] = True
    return hole


def photo(height, width, seed=0):
    return np.random.default_rng(seed).integers(1, 256, (height, width, 3), np.uint8)


def test_unknown_words_for_an_input_are_refused():
    with pytest.raises(CannotRebuild, match="upside down"):
        context_encoder.derive("upside down", {})


def blanked_of(window):
    """First and last row and column that the network predicts, in pixels of the picture."""
    low, high = (window.side * edge / FORM.side for edge in (FORM.first, FORM.stop))
    return window.top + low, window.top + high, window.left + low, window.left + high


@pytest.mark.parametrize("seed", range(20))
def test_every_hole_pixel_lies_in_the_blanked_centre_of_its_one_window(seed):
    rng = np.random.default_rng(seed)
    height, width = rng.integers(128, 400, 2)
    tops, lefts = rng.integers(0, height - 61, 3), rng.integers(0, width - 61, 3)
    sizes = rng.integers(33, 61, (3, 2))
    boxes = list(zip(tops, lefts, *sizes.T, strict=True))
    hole = holes(height, width, *boxes)
    try:
        placed = windows.place(hole, FORM)
    except Declined:
        return
    covered = np.zeros(hole.shape, int)
    for window in placed:
        covered[window.box] += window.hole
        top, bottom, left, right = blanked_of(window)
        rows, columns = window.box
        assert top <= rows.start < rows.stop <= bottom
        assert left <= columns.start < columns.stop <= right
        assert window.side >= 128
    assert np.array_equal(covered, hole.astype(int))


def test_a_small_hole_gets_a_window_of_the_network_s_size_around_it():
    (window,) = windows.place(holes(300, 300, (130, 140, 40, 30)), FORM)
    assert (window.top, window.left, window.side) == (86, 91, 128)


def test_a_window_moves_inside_where_the_hole_stays_in_its_centre():
    (window,) = windows.place(holes(300, 300, (38, 140, 36, 36)), FORM)
    assert window.top == 0
    assert window.side == 128
    (window,) = windows.place(holes(300, 300, (0, 140, 40, 40)), FORM)
    assert window.top < 0  # the hole would leave the centre


def test_holes_whose_windows_nearly_coincide_share_one_and_far_ones_do_not():
    near = windows.place(holes(300, 300, (100, 100, 40, 20), (100, 130, 40, 20)), FORM)
    assert len(near) == 1
    far = windows.place(holes(300, 400, (100, 60, 40, 40), (100, 300, 40, 40)), FORM)
    assert len(far) == 2


def test_holes_too_thin_for_a_window_are_declined():
    with pytest.raises(Declined, match=r"would blank 5\d\.\d times the hole in 1 windows"):
        windows.place(holes(256, 256, (100, 20, 4, 200)), FORM)


def test_cut_and_paste_at_the_network_s_size_is_exact():
    image = torch.rand(3, 160, 170)
    hole = holes(160, 170, (0, 0, 40, 40), (110, 120, 50, 50))
    mask = torch.from_numpy(hole)[None].float()
    placed = windows.place(hole, FORM)
    squares = windows.cut(image * (1 - mask), mask, placed, FORM)
    marked = torch.arange(1, len(placed) + 1)[:, None, None, None] / 10 * torch.ones_like(squares)
    result = windows.paste(marked, image, placed)
    assert torch.equal(result[:, ~hole], image[:, ~hole])
    assert torch.allclose(result[0, :40, :40], torch.tensor(0.1))
    assert torch.allclose(result[0, 110:, 120:], torch.tensor(0.2))


def test_windows_beyond_the_picture_are_reflected():
    image = torch.arange(200.0)[None, None].expand(3, 200, 200) / 200
    hole = holes(200, 200, (80, 0, 50, 50))
    (window,) = windows.place(hole, FORM)
    mask = torch.zeros(1, 200, 200)
    (square,) = windows.cut(image, mask, [window], FORM)
    assert window.left == -39
    assert torch.equal(square[0, 0, :39], image[0, 0, 1:40].flip(0))
    assert torch.equal(square[0, 0, 39:], image[0, 0, :89])


def test_the_network_sees_the_constants_in_its_centre_and_the_photo_around():
    method = Flat("context_encoder")
    method.load()
    picture, hole = photo(128, 128), holes(128, 128, (36, 36, 56, 56))
    result = harness.fill(method, picture, hole, 0)
    ((seen,),) = method.seen
    expected = torch.from_numpy(picture).permute(2, 0, 1).float() / 127.5 - 1
    for channel, value in enumerate((117, 104, 123)):
        expected[channel, 36:92, 36:92] = 2 * value / 255 - 1
    assert torch.allclose(seen, expected, atol=1e-6)
    assert np.allclose(result.raw[hole], 0.75)
    assert np.allclose(result.raw[~hole], (picture / 255)[~hole], atol=1e-6)
    assert result.counts == {"windows": 1, "largest_scale": 1, "blanked_per_hole": 1}


def test_wide_holes_are_filled_by_an_enlarged_window():
    method = Flat("context_encoder")
    method.load()
    hole = holes(301, 323, (60, 70, 150, 131))
    result = harness.fill(method, photo(301, 323), hole, 0)
    assert result.counts["largest_scale"] > 2.6
    assert np.allclose(result.raw[hole], 0.75, atol=1e-5)
    assert method.seen[0].shape == (1, 3, 128, 128)


@pytest.mark.slow
def test_a_file_of_the_published_size_is_read(folder):
    (published,) = [each for each in PUBLISHED if each.file == "context_encoder"]
    state = {
        name: torch.full(shape, 0.5) if shape else torch.tensor(0)
        for name, shape in published.shapes.items()
    }
    saved("netG_streetview.pth", as_published, zipped=False)(folder, state)
    method = methods.get("context_encoder")
    method.load()
    assert method.network.state_dict()["main.20.weight"].unique().tolist() == [0.5]


def test_a_file_of_another_size_is_refused(tmp_path):
    path = tmp_path / "netG_streetview.pth"
    path.write_bytes(b"short")
    with pytest.raises(BenchError, match="expected about 284,600,000 bytes"):
        weights.verify(path, ContextEncoder.card.checkpoints[0])
