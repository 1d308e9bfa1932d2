"""That what the small weights were trained on is in no set that methods are compared on."""

import csv
import io
import tarfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from bench.planning.bundled import BUNDLED
from bench.planning.bundled import folder as bundled_folder

NEAR = 8  # bits of 64 in which two pictures of one scene may differ


def rows(path: Path) -> list[dict[str, str]]:
    if not path.is_file():
        pytest.skip(f"no {path}")
    with path.open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream))


def difference_hash(picture: Image.Image) -> np.ndarray:
    """Which of the 64 places are brighter than the one to the left, of the centre square."""
    side = min(picture.size)
    left, top = ((length - side) // 2 for length in picture.size)
    square = picture.crop((left, top, left + side, top + side)).convert("L")
    grey = np.asarray(square.resize((9, 8), Image.Resampling.LANCZOS))
    return (grey[:, 1:] > grey[:, :-1]).ravel()


@pytest.fixture(scope="module")
def trained(shared_data: Path) -> dict[str, np.ndarray]:
    archives = sorted((shared_data / "train").glob("*.tar"))
    hashes = {}
    for archive in archives:
        with tarfile.open(archive) as pictures:
            for member in pictures:
                data = pictures.extractfile(member).read()
                hashes[member.name] = difference_hash(Image.open(io.BytesIO(data)))
    if not hashes:
        pytest.skip(f"no archives in {shared_data / 'train'}")
    return hashes


def test_the_index_shares_no_source_and_no_file_with_the_photos_of_comparisons(shared_data):
    index = rows(shared_data / "train" / "index.csv")
    others = rows(shared_data / "images.csv")
    bundled = rows(bundled_folder(BUNDLED).parent / "photos.csv")

    def sources(table):
        return {(row["source_repository"], row["source_path"]) for row in table}

    assert len(index) > 3000
    assert len(others) > 100
    assert sources(index).isdisjoint(sources(others))
    repositories = {row["source_repository"] for row in index}
    assert repositories.isdisjoint(row["source"].partition("@")[0] for row in bundled)
    hashes = {row["sha256"] for row in others}
    hashes |= {row[of] for row in bundled for of in ("sha256_256", "sha256_512")}
    assert hashes.isdisjoint(row["sha256"] for row in index)


@pytest.mark.parametrize("folder", ["eval", "eval_512", BUNDLED])
def test_no_photo_of_comparisons_looks_like_one_that_was_trained_on(shared_data, trained, folder):
    known = np.array(list(trained.values()))
    home = bundled_folder(folder) if folder == BUNDLED else shared_data / folder
    photos = sorted(home.rglob("*.png"))
    if not photos:
        pytest.skip(f"no photos in {home}")
    for photo in photos:
        distance = (known != difference_hash(Image.open(photo))).sum(axis=1)
        assert distance.min() > NEAR, (photo.name, list(trained)[distance.argmin()])


def test_a_reduced_copy_of_another_format_would_be_seen(shared_data):
    for photo in sorted((shared_data / "eval").rglob("*.png"))[::20]:
        whole, copy = Image.open(photo), io.BytesIO()
        whole.resize((160, 160), Image.Resampling.BICUBIC).save(copy, "JPEG", quality=70)
        found = difference_hash(Image.open(copy))
        assert (found != difference_hash(whole)).sum() <= NEAR
