"""What of a mask picture is hole."""

import io

import numpy as np
import pytest
from PIL import Image, ImageDraw

from bench.errors import InputError
from masks.files import MaskFile, Rules, read

HOLE = np.zeros((40, 60), bool)
HOLE[8:24, 10:30] = True
OTHER = np.zeros((40, 60), bool)
OTHER[28:38, 35:55] = True
OUTLINE = np.zeros((40, 60), bool)
OUTLINE[6:26, 8:32] = True
OUTLINE &= ~HOLE


def save(path, array, **options):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(array).save(path, **options)
    return path


def palette(indices, colours):
    picture = Image.frombytes("P", indices.shape[::-1], indices.astype(np.uint8).tobytes())
    picture.putpalette(np.asarray(colours, np.uint8).tobytes())
    return picture


def painted(*areas, ground=(0, 0, 0)):
    array = np.full((*HOLE.shape, 3), ground, np.uint8)
    for where, colour in areas:
        array[where] = colour
    return array


def levels(*areas, dtype=np.uint8):
    array = np.zeros(HOLE.shape, dtype)
    for where, level in areas:
        array[where] = level
    return array


def soft_disc():
    """A disc with soft edges, ``(60, 60)``, 0 to 1."""
    picture = Image.new("L", (240, 240))
    ImageDraw.Draw(picture).ellipse((50, 60, 170, 180), fill=255)
    return np.asarray(picture.resize((60, 60), Image.Resampling.BOX)) / 255


def of(path, **rules):
    return read(MaskFile(path), Rules(**rules))


# Transparency


@pytest.mark.parametrize("colour", [(0, 0, 0), (255, 255, 255), (255, 204, 0)])
@pytest.mark.parametrize("opaque", [255, 187])
def test_transparency_is_the_mask_where_nothing_else_varies(tmp_path, colour, opaque):
    array = np.dstack((painted(ground=colour), HOLE.astype(np.uint8) * opaque))
    mask, note = of(save(tmp_path / "m.png", array))
    np.testing.assert_array_equal(mask, HOLE)
    assert "what is opaque is hole" in note
    assert "--invert-masks" in note
    mask, note = of(tmp_path / "m.png", invert=True)
    np.testing.assert_array_equal(mask, ~HOLE)
    assert note.endswith("then inverted")


def test_transparency_that_says_the_same_as_the_colours_is_not_mentioned(tmp_path):
    white = HOLE.astype(np.uint8) * 255
    agrees = save(tmp_path / "a.png", np.dstack([white] * 4))
    contradicts = save(tmp_path / "b.png", np.dstack([white] * 3 + [255 - white]))
    assert of(agrees) == (pytest.approx(HOLE), "")
    mask, note = of(contradicts)
    np.testing.assert_array_equal(mask, HOLE)
    assert note == "its transparency left aside"


@pytest.mark.parametrize("under", [(0, 0, 0), (255, 255, 255)])
@pytest.mark.parametrize("strength", [1, 0.3])
def test_a_layer_with_a_brush_of_one_colour_is_hole_where_it_is_opaque(tmp_path, under, strength):
    """As a canvas saves it: colours were stored times opacity, and are a little off."""
    alpha = np.rint(soft_disc() * strength * 255)[..., None]
    stored = np.rint(alpha / 255 * (255, 204, 7))
    seen = np.floor(stored * 255 / np.maximum(alpha, 1)).clip(0, 255)
    array = np.dstack((np.where(alpha > 0, seen, under), alpha)).astype(np.uint8)
    assert len(np.unique(array[..., 2])) > 2
    mask, note = of(save(tmp_path / "m.png", array))
    certain = np.abs(soft_disc() - 0.5) > 0.02
    np.testing.assert_array_equal(mask[certain], (soft_disc() > 0.5)[certain])
    assert "what is opaque is hole" in note


def test_of_a_photo_with_a_part_erased_transparency_is_named(tmp_path):
    photo = np.random.default_rng(0).integers(0, 256, (*HOLE.shape, 3), dtype=np.uint8)
    path = save(tmp_path / "m.png", np.dstack((photo, np.where(HOLE, 0, 255).astype(np.uint8))))
    with pytest.raises(InputError, match="if its transparency is the mask, save that alone"):
        of(path)


def test_a_transparent_palette_entry_changes_no_class(tmp_path):
    picture = palette(HOLE * 1, [[0, 0, 0], [0, 0, 128]])
    picture.save(tmp_path / "m.png", transparency=bytes([255, 0]))
    np.testing.assert_array_equal(of(tmp_path / "m.png").mask, HOLE)


# Classes


@pytest.mark.parametrize("colour", [(128, 0, 0), (0, 0, 128), (64, 0, 128), (1, 0, 0)])
@pytest.mark.parametrize("form", ["palette", "rgb", "gif", "bmp"])
def test_one_class_on_black_is_hole_however_dark(tmp_path, colour, form):
    if form == "rgb":
        path = save(tmp_path / "m.png", painted((HOLE, colour)))
    else:
        path = tmp_path / f"m.{form.replace('palette', 'png')}"
        palette(HOLE * 1, [(0, 0, 0), colour]).save(path)
    mask, note = of(path)
    np.testing.assert_array_equal(mask, HOLE)
    assert "classes" in note


def test_the_background_of_a_palette_is_its_black_wherever_it_stands(tmp_path):
    palette(~HOLE * 1, [(128, 0, 0), (0, 0, 0)]).save(tmp_path / "m.png")
    np.testing.assert_array_equal(of(tmp_path / "m.png").mask, HOLE)
    # Unnamed indices are black too: then the first is the background.
    palette(HOLE * 9, [(0, 0, 0)]).save(tmp_path / "unnamed.png")
    np.testing.assert_array_equal(of(tmp_path / "unnamed.png").mask, HOLE)


def test_a_palette_of_greys_is_grey(tmp_path):
    """As in GIF, whose first colour may well be white."""
    palette(~HOLE * 1, [(255, 255, 255), (0, 0, 0)]).save(tmp_path / "m.gif")
    np.testing.assert_array_equal(of(tmp_path / "m.gif").mask, HOLE)


@pytest.mark.parametrize("form", ["palette", "grey", "16 bit"])
def test_the_outline_of_an_object_is_hole_with_it(tmp_path, form):
    classes = levels((HOLE, 15), (OUTLINE, 255))
    if form == "palette":
        colours = np.random.default_rng(0).integers(1, 255, (256, 3))
        colours[0] = 0
        palette(classes, colours).save(tmp_path / "m.png")
    else:
        save(tmp_path / "m.png", classes.astype(np.uint8 if form == "grey" else np.uint16))
    mask, note = of(tmp_path / "m.png")
    np.testing.assert_array_equal(mask, HOLE | OUTLINE)
    assert "hole is 15 and 255, not 0" in note
    np.testing.assert_array_equal(of(tmp_path / "m.png", labels=("15",)).mask, HOLE)


@pytest.mark.parametrize(
    ("array", "named"),
    [
        (painted((HOLE, (192, 128, 128)), (OTHER, (64, 0, 128))), ["#c08080", "#400080"]),
        (painted((HOLE, (128, 0, 0)), (OTHER, (64, 0, 0))), ["#800000", "#400000"]),
        (painted((HOLE, (255, 0, 0)), ground=(255, 255, 255)), ["#ff0000", "#ffffff"]),
        (levels((HOLE, 76), (OTHER, 150)), ["76", "150"]),
        (levels((HOLE, 60), (OTHER, 250)), ["60", "250"]),
        (levels((HOLE, 150), (OTHER, 23)) + np.uint8(9), ["159", "32"]),
        (levels((HOLE, 1), (OTHER, 2)), ["1", "2"]),
        (levels((HOLE, 1001), (OTHER, 24000), dtype=np.uint16), ["1001", "24000"]),
    ],
    ids=[
        "colours",
        "of one hue",
        "on white",
        "grey",
        "nearly white",
        "no black",
        "small numbers",
        "16 bit",
    ],
)
def test_several_classes_are_refused_by_name_until_chosen(tmp_path, array, named):
    path = save(tmp_path / "m.png", array)
    with pytest.raises(InputError) as caught:
        of(path)
    said = str(caught.value)
    assert all(f"{name} (" in said for name in named)
    assert "13.3%" in said  # the share of the hole
    assert "--mask-labels" in said
    np.testing.assert_array_equal(of(path, labels=(named[0].upper(),)).mask, HOLE)
    both = HOLE | (~HOLE if "#ffffff" in named else OTHER)
    np.testing.assert_array_equal(of(path, labels=(*named, "absent")).mask, both)
    with pytest.raises(InputError, match=r"no class 7,dog; it has .*%\)"):
        of(path, labels=("7", "dog"))


def test_classes_of_a_palette_are_chosen_by_number_or_colour(tmp_path):
    palette(HOLE * 1 + OTHER * 2, [(0, 0, 0), (128, 0, 0), (0, 128, 0)]).save(tmp_path / "m.png")
    with pytest.raises(InputError, match=r"several classes: 0 .*'1,2'"):
        of(tmp_path / "m.png")
    np.testing.assert_array_equal(of(tmp_path / "m.png", labels=("2",)).mask, OTHER)
    np.testing.assert_array_equal(of(tmp_path / "m.png", labels=("#800000",)).mask, HOLE)
    np.testing.assert_array_equal(of(tmp_path / "m.png", labels=("0",)).mask, ~HOLE & ~OTHER)


# Soft masks


@pytest.mark.parametrize("options", [{}, {"quality": 30}, {"quality": 95}])
@pytest.mark.parametrize("suffix", ["jpg", "webp", "avif", "jp2"])
@pytest.mark.parametrize("mode", ["L", "RGB"])
def test_what_lossy_formats_make_of_black_and_white_stays_a_mask(tmp_path, suffix, mode, options):
    picture = Image.fromarray(HOLE.astype(np.uint8) * 255).convert(mode)
    picture.save(tmp_path / f"m.{suffix}", **options)
    mask, note = of(tmp_path / f"m.{suffix}")
    assert (mask != HOLE).mean() < 0.01
    assert note == ""


@pytest.mark.parametrize("colour", [(255, 255, 255), (200, 200, 200), (255, 0, 0), (0, 90, 200)])
def test_soft_edges_are_cut_in_the_middle_and_are_no_classes(tmp_path, colour):
    soft = soft_disc()
    array = np.rint(soft[..., None] * colour).astype(np.uint8)
    mask, _ = of(save(tmp_path / "m.png", array))
    assert 0.1 < mask.mean() < 0.4
    middle = 128 / colour[0] if colour[0] == colour[1] else 0.5  # grey is held against 128
    certain = np.abs(soft - middle) > 0.01
    np.testing.assert_array_equal(mask[certain], (soft > middle)[certain])
    # The same from JPEG, which changes colours at edges.
    save(tmp_path / "m.jpg", array, quality=90)
    assert (of(tmp_path / "m.jpg").mask != mask).mean() < 0.02


def test_thin_grey_strokes_are_no_classes(tmp_path):
    picture = Image.new("L", (240, 240))
    ImageDraw.Draw(picture).line((5, 9, 230, 141), fill=255, width=3)
    soft = np.asarray(picture.resize((60, 60), Image.Resampling.BOX))
    assert len(np.unique(soft)) < 20
    np.testing.assert_array_equal(of(save(tmp_path / "m.png", soft)).mask, soft >= 128)


def test_a_stated_threshold_says_that_greys_are_levels(tmp_path):
    path = save(tmp_path / "m.png", levels((HOLE, 90), (OTHER, 60)))
    np.testing.assert_array_equal(of(path, threshold=50).mask, HOLE | OTHER)
    np.testing.assert_array_equal(of(path, threshold=80).mask, HOLE)
    with pytest.raises(InputError, match=r"nothing from 100 up.*greatest value is 90"):
        of(path, threshold=100)


def test_a_photo_given_as_a_mask_is_refused_with_what_it_holds(tmp_path):
    noise = np.random.default_rng(0).integers(0, 256, (40, 60, 3), dtype=np.uint8)
    with pytest.raises(InputError, match=r"holds 2,\d\d\d colours: #.*expected grey, or one"):
        of(save(tmp_path / "m.png", noise))


def test_a_grey_photo_given_as_a_mask_is_noted(tmp_path):
    grey = np.random.default_rng(0).integers(40, 216, HOLE.shape).astype(np.uint8)
    grey[HOLE] = 255
    assert "as of a photo" in of(save(tmp_path / "m.png", grey)).note


def test_a_palette_without_black_has_no_background(tmp_path):
    palette(HOLE * 1, [(255, 0, 0), (255, 255, 255)]).save(tmp_path / "m.png")
    with pytest.raises(InputError, match=r"several classes.*--mask-labels '1'"):
        of(tmp_path / "m.png")


@pytest.mark.parametrize("form", ["grey", "palette", "rgb"])
def test_black_is_no_hole(tmp_path, form):
    picture = Image.new("L", (9, 7)) if form != "rgb" else Image.new("RGB", (9, 7))
    if form == "palette":
        picture = palette(np.zeros((7, 9)), [(0, 0, 0), (128, 0, 0)])
    picture.save(tmp_path / "m.png")
    assert not of(tmp_path / "m.png").mask.any()


# Arrays


@pytest.mark.parametrize(
    "array",
    [
        HOLE,
        HOLE.astype(np.uint8),
        HOLE.astype(np.uint8) * 255,
        HOLE.astype(np.uint16) * 65535,
        HOLE.astype(np.float32),
        HOLE.astype(">f8") * 0.75,
        HOLE[..., None].astype(np.uint8),
        HOLE.astype(np.int64),
        HOLE[None, None].astype(np.int32) * 255,
        np.dstack([HOLE.astype(np.uint8) * 255] * 3),
        np.asfortranarray(HOLE.astype(np.uint8)),
    ],
    ids=[
        "bool",
        "0 and 1",
        "8 bit",
        "16 bit",
        "float",
        "big endian",
        "HW1",
        "int64",
        "batch",
        "HW3",
        "fortran",
    ],
)
def test_arrays_are_masks(tmp_path, array):
    np.save(tmp_path / "m.npy", array)
    np.testing.assert_array_equal(of(tmp_path / "m.npy").mask, HOLE)


@pytest.mark.parametrize(
    ("array", "reason"),
    [
        (np.zeros((3, 4, 5)), r"\(3, 4, 5\); expected \(H, W\)"),
        (np.zeros((2, 3, 4, 3), np.uint8), "expected"),
        (np.full((4, 5), -1), "int64 from -1 to -1; expected integers from 0"),
        (np.zeros((0, 5), np.uint8), "announces 5x0"),
        (np.full((4, 5), 255.0), "float64 from 255 to 255; expected floats from 0 to 1"),
        (np.full((4, 5), np.nan), "from nan"),
        (np.array([[{}]]), "object.*expected"),
        (np.zeros((4, 5), "M8[s]"), "expected"),
    ],
    ids=["channels first", "batch", "below 0", "empty", "0 to 255", "nan", "pickle", "dates"],
)
def test_other_arrays_are_refused_with_what_is_expected(tmp_path, array, reason):
    np.save(tmp_path / "m.npy", array)
    with pytest.raises(InputError, match=reason):
        of(tmp_path / "m.npy")


def test_an_array_that_announces_too_much_is_refused_before_memory_is_taken(tmp_path):
    stream = io.BytesIO()
    header = {"descr": "|u1", "fortran_order": False, "shape": (10**6, 10**6)}
    np.lib.format.write_array_header_1_0(stream, header)
    (tmp_path / "m.npy").write_bytes(stream.getvalue())
    with pytest.raises(InputError, match="announces 1000000x1000000"):
        of(tmp_path / "m.npy")
    header["shape"] = (1000, 1000)
    stream = io.BytesIO()
    np.lib.format.write_array_header_1_0(stream, header)
    (tmp_path / "m.npy").write_bytes(stream.getvalue())
    with pytest.raises(InputError, match="damaged"):
        of(tmp_path / "m.npy")
