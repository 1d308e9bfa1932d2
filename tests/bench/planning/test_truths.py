import re
import unicodedata
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from bench.errors import InputError
from bench.folder.store import RunFolder
from bench.planning import fingerprints, plan, truths
from bench.planning.images import content_hash
from bench.planning.protocol import Protocol


def write(folder: Path, *names: str, side: int = 64, grey: int = 100) -> Path:
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (side, side), (grey, grey, grey)).save(path)
    return folder


def test_a_truth_has_the_name_of_its_photo_or_else_its_stem(tmp_path):
    folder = write(tmp_path, "a.png", "a.jpg", "deep/b.bmp", "nobody.png")
    found, lacking, unused = truths.paired(["a.png", "deep/b.jpg", "b.jpg"], folder)
    assert found == {"a.png": folder / "a.png", "deep/b.jpg": folder / "deep/b.bmp"}
    assert list(lacking) == ["b.jpg"]
    assert unused == [folder / "a.jpg", folder / "nobody.png"]


def test_a_truth_of_one_photo_is_not_that_of_another_of_its_stem(tmp_path):
    folder = write(tmp_path, "a.png")
    found, lacking, _ = truths.paired(["a.png", "a.jpg"], folder)
    assert list(found) == ["a.png"]
    assert list(lacking) == ["a.jpg"]


def test_two_that_could_be_meant_are_refused_by_name(tmp_path):
    folder = write(tmp_path, "a.png", "a.bmp")
    found, lacking, unused = truths.paired(["a.jpg"], folder)
    assert found == {}
    assert lacking["a.jpg"].startswith("a.bmp and a.png in ")
    assert unused == []


def test_a_near_miss_is_suggested_but_never_one_that_another_photo_has(tmp_path):
    folder = write(tmp_path, "street_01_clean.png", "street_02.png")
    _, lacking, _ = truths.paired(["street_01.png", "street_02.png"], folder)
    assert lacking["street_01.png"].endswith("Did you mean street_01_clean.png?")


def test_forms_of_unicode_do_not_count(tmp_path):
    composed, apart = (unicodedata.normalize(form, "fa\xe7ade.png") for form in ("NFC", "NFD"))
    folder = write(tmp_path, apart)
    assert composed != apart
    assert list(truths.paired([composed], folder)[0]) == [composed]


def test_one_picture_is_the_truth_of_all(tmp_path):
    file = write(tmp_path, "clean.png") / "clean.png"
    assert truths.paired(["a.png", "b.png"], file) == ({"a.png": file, "b.png": file}, {}, [])


def planned(tmp_path: Path, **asked: object):
    protocol = Protocol(
        photos=str(tmp_path / "photos"), masks=str(tmp_path / "masks"),
        truth=str(tmp_path / "truth"), **asked,
    )  # fmt: skip
    return plan.make(protocol, RunFolder(tmp_path / "run"))


def with_masks(folder: Path, *names: str, side: int = 64) -> None:
    hole = np.zeros((side, side), np.uint8)
    hole[20:40, 20:40] = 255
    for name in names:
        (folder / "masks").mkdir(exist_ok=True)
        Image.fromarray(hole).save(folder / "masks" / name)


def test_every_file_has_a_row_and_what_has_no_partner_its_reason(tmp_path):
    write(tmp_path / "photos", "a.png", "b.png", "c.png", "d.png", "e.png")
    write(tmp_path / "truth", "a.png", "c.png", "d.png", "x.png", grey=50)
    write(tmp_path / "truth", "b.png", side=32)
    with_masks(tmp_path, "a.png", "b.png", "c.png", "e.png")
    (tmp_path / "truth" / "c.png").write_bytes(b"no picture")
    table, inputs = planned(tmp_path, size=None)
    assert table["photo"].tolist() == ["a.png"]
    rows = inputs.assign(name=[Path(path).name for path in inputs["path"]])
    refused = rows[rows["status"] == "refused"].groupby(["kind", "name"])["reason"].agg("; ".join)
    said = {
        ("mask", "b.png"): "its photo 'b.png' cannot be used",
        ("mask", "c.png"): "its photo 'c.png' cannot be used",
        ("mask", "e.png"): "its photo 'e.png' cannot be used",
        ("truth", "b.png"): "expected 64x64 as the photo b.png, found 32x32",
        ("truth", "c.png"): "not a picture of a known kind",
        ("truth", "d.png"): "its photo d.png is not used",
        ("truth", "x.png"): "no photo has the name of this truth",
        ("photo", "b.png"): "its truth cannot be used",
        ("photo", "c.png"): "its truth cannot be used",
        ("photo", "d.png"): "no mask",
        ("photo", "e.png"): "no truth in .* has its name",
    }
    assert refused.index.tolist() == sorted(said)
    for key, reason in said.items():
        assert re.search(reason, refused[key])
    kept = rows[rows["status"] == "ok"].groupby("kind")["name"].agg(list).to_dict()
    assert kept["photo"] == kept["truth"] == ["a.png"]


def test_truths_are_brought_to_the_size_of_their_photos_and_kept(tmp_path):
    rng = np.random.default_rng(0)
    for place in ("photos", "truth"):
        (tmp_path / place).mkdir()
        pixels = rng.integers(0, 256, (96, 128, 3), dtype=np.uint8)
        Image.fromarray(pixels).save(tmp_path / place / "a.png")
    hole = np.zeros((96, 128), np.uint8)
    hole[30:60, 50:80] = 255
    (tmp_path / "masks").mkdir()
    Image.fromarray(hole).save(tmp_path / "masks" / "a.png")
    table, _ = planned(tmp_path, size=48)
    kept = RunFolder(tmp_path / "run").read_picture(f"photos/{table['truth'][0]}.png")
    assert kept.shape == (48, 48, 3)
    assert content_hash(kept) == table["truth"][0]
    cut = Image.fromarray(pixels[:, 16:112]).resize((48, 48), Image.Resampling.LANCZOS)
    assert (kept == np.array(cut)).all()


def test_a_folder_of_truths_that_is_not_there_is_named_by_its_option(tmp_path):
    write(tmp_path / "photos", "a.png")
    with_masks(tmp_path, "a.png")
    with pytest.raises(InputError, match="--truth: expected a folder or a picture"):
        planned(tmp_path)


def test_a_truth_that_changes_makes_another_plan(tmp_path):
    write(tmp_path / "photos", "a.png")
    with_masks(tmp_path, "a.png")
    keys = []
    for grey in (10, 200):
        write(tmp_path / "truth", "a.png", grey=grey)
        protocol = Protocol(
            photos=str(tmp_path / "photos"), masks=str(tmp_path / "masks"),
            truth=str(tmp_path / "truth"),
        )  # fmt: skip
        table, _ = plan.make(protocol, RunFolder(tmp_path / "run"))
        keys.append(
            (fingerprints.inputs_key(protocol), fingerprints.fingerprint(table, protocol, []))
        )
    assert keys[0][0] != keys[1][0]
    assert keys[0][1] != keys[1][1]
    assert table["case_key"].nunique() == 1
