import numpy as np
import pytest
from PIL import Image

from bench.errors import InputError, StoreError
from bench.folder import shown_cases
from bench.folder.store import RunFolder, records
from bench.planning import fingerprints, pictures, plan
from bench.planning.images import content_hash
from bench.planning.protocol import Protocol


@pytest.fixture
def store(tmp_path) -> RunFolder:
    return RunFolder(tmp_path / "run")


def test_holes_do_not_depend_on_other_photos_or_their_order(store, photos):
    whole, _ = plan.make(Protocol(photos=str(photos), size=64, draws=2), store)
    alone, _ = plan.make(Protocol(photos=str(photos / "b.png"), size=64, draws=2), store)
    columns = ["tier", "draw", "mask_sha", "hole_share", "photo_sha"]
    of_b = whole[whole["photo"] == "b.png"][columns].reset_index(drop=True)
    assert of_b.equals(alone[columns])
    assert whole["mask_sha"].nunique() == len(whole) == 3 * 3 * 2


def test_a_photo_keeps_its_holes_under_another_name(store, photos, tmp_path):
    (tmp_path / "moved").mkdir()
    (tmp_path / "moved" / "other.png").write_bytes((photos / "b.png").read_bytes())
    before, _ = plan.make(Protocol(photos=str(photos), size=64, draws=2), store)
    after, _ = plan.make(Protocol(photos=str(tmp_path / "moved"), size=64, draws=2), store)
    of_b = before[before["photo"] == "b.png"]
    assert after["mask_sha"].tolist() == of_b["mask_sha"].tolist()
    assert after["lost_share"].isna().all()


def test_all_tiers_can_be_asked_for_and_others_are_refused(store, photos):
    asked = Protocol(photos=str(photos), size=64, tiers=("object", "outside", "small"))
    table, _ = plan.make(asked, store)
    assert table["tier"].value_counts().to_dict() == dict.fromkeys(asked.tiers, 3)
    assert (table.loc[table["tier"] == "object", "hole_share"] <= 0.1).all()
    with pytest.raises(InputError, match=r"large, object, outside.*found huge"):
        Protocol(tiers=("huge",))


def test_the_hole_of_a_case_is_that_of_the_plan(store, photos):
    table, _ = plan.make(Protocol(photos=str(photos), size=64), store)
    for facts in records(table):
        hole = pictures.hole_of(facts["mask_sha"], store)
        assert hole.shape == (64, 64)
        assert hole.mean() == facts["hole_share"]


def test_a_hole_that_is_gone_or_changed_is_an_error(store, photos):
    table, _ = plan.make(Protocol(photos=str(photos), size=64), store)
    first, second, *_ = records(table)
    store.write_picture(pictures.mask_file(first["mask_sha"]), np.eye(64, dtype=bool))
    store.file(pictures.mask_file(second["mask_sha"])).unlink()
    with pytest.raises(StoreError, match="not what the plan says"):
        pictures.hole_of(first["mask_sha"], store)
    with pytest.raises(StoreError, match="cannot be read"):
        pictures.hole_of(second["mask_sha"], store)


def test_unreadable_photos_are_refused_with_a_reason_and_others_used(store, tmp_path):
    folder = tmp_path / "photos"
    folder.mkdir()
    (folder / "bad.png").write_text("not a picture")
    Image.new("RGB", (64, 64)).save(folder / "good.png")
    table, inputs = plan.make(Protocol(photos=str(folder), size=64), store)
    assert set(table["photo"]) == {"good.png"}
    refused = inputs[inputs["status"] == "refused"]
    assert refused["path"].tolist() == ["bad.png"]
    assert "cannot be read" in refused["reason"].iloc[0]


def test_no_usable_photo_at_all_is_an_error(store, tmp_path):
    (tmp_path / "photos").mkdir()
    (tmp_path / "photos" / "bad.png").touch()
    with pytest.raises(InputError, match="an empty file"):
        plan.make(Protocol(photos=str(tmp_path / "photos")), store)


def save_mask(path, hole: np.ndarray) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(hole.astype(np.uint8) * 255).save(path)


def test_mask_files_follow_their_photos_geometry_and_get_a_tier_by_share(store, photos, tmp_path):
    hole = np.zeros((128, 128), bool)
    hole[32:96, 32:96] = True
    save_mask(tmp_path / "masks" / "a.png", hole)
    save_mask(tmp_path / "masks" / "b_mask000.png", hole)
    save_mask(tmp_path / "masks" / "b_mask001.png", ~hole)
    save_mask(tmp_path / "masks" / "nested" / "c.png", hole[:64, :64])  # wrong size, but the
    save_mask(tmp_path / "masks" / "nobody.png", hole)  # evaluated one is taken as it is
    protocol = Protocol(photos=str(photos), masks=str(tmp_path / "masks"), size=64)
    table, inputs = plan.make(protocol, store)
    got = table[["photo", "tier", "draw", "hole_share"]].values.tolist()
    assert got == [
        ["a.png", "region", 0, 0.25],
        ["b.png", "region", 0, 0.25],
        ["b.png", "large", 0, 0.75],
        ["nested/c.png", "region", 0, 0.25],
    ]
    facts = records(table)[0]
    assert pictures.hole_of(facts["mask_sha"], store)[16:48, 16:48].all()
    refused = inputs[inputs["status"] == "refused"]
    assert refused["reason"].tolist() == ["no photo has the name of this mask"]


def test_a_mask_of_another_size_is_refused_not_stretched(store, photos, tmp_path):
    save_mask(tmp_path / "masks" / "a.png", np.ones((50, 70), bool))
    save_mask(tmp_path / "masks" / "b.png", np.eye(128, dtype=bool))
    protocol = Protocol(photos=str(photos), masks=str(tmp_path / "masks"), size=64)
    table, inputs = plan.make(protocol, store)
    assert set(table["photo"]) == {"b.png"}
    reasons = inputs[inputs["status"] == "refused"].set_index("path")["reason"]
    assert "70x50" in reasons[str(tmp_path / "masks" / "a.png")]
    assert reasons["a.png"] == "none of its holes can be used"
    assert "no mask" in reasons["nested/c.png"]
    used = inputs[inputs["status"] == "ok"]
    assert set(used[used["kind"] == "photo"]["path"]) == set(table["photo"])


def watermarks(folder, boxes):
    """Photos of 200 x 100, each with a mask that is a box of rows and columns."""
    for name, (rows, columns) in boxes.items():
        (folder / "photos").mkdir(exist_ok=True)
        Image.new("RGB", (200, 100)).save(folder / "photos" / f"{name}.png")
        hole = np.zeros((100, 200), bool)
        hole[rows, columns] = True
        save_mask(folder / "masks" / f"{name}.png", hole)
    return {"photos": str(folder / "photos"), "masks": str(folder / "masks")}


def test_a_hole_in_a_corner_is_cut_off_and_that_is_said(store, tmp_path):
    boxes = {
        "gone": (slice(80, 100), slice(160, 200)),
        "half": (slice(80, 100), slice(130, 170)),
        "none": (slice(0), slice(0)),
        "whole": (slice(80, 100), slice(60, 100)),
    }
    given = watermarks(tmp_path, boxes)
    table, inputs = plan.make(Protocol(**given, size=100), store)
    assert table[["photo", "tier", "lost_share"]].values.tolist() == [
        ["half.png", "small", 0.5], ["none.png", "no-hole", 0], ["whole.png", "small", 0],
    ]  # fmt: skip
    rows = inputs[inputs["kind"] == "mask"].assign(name=[*boxes]).set_index("name")
    assert "--size native or fit:100 keeps it" in rows.loc["gone", "reason"]
    assert "cut off: 50.0% lies outside" in rows.loc["half", "note"]
    assert rows["note"][["none", "whole"]].tolist() == ["no hole", ""]
    for size in (None, "fit:50"):
        table, _ = plan.make(Protocol(**given, size=size), store)
        assert len(table) == 4
        assert (table["lost_share"] == 0).all()


def test_nothing_but_holes_that_are_cut_off_is_an_error(store, tmp_path):
    given = watermarks(tmp_path, {"gone": (slice(80, 100), slice(160, 200))})
    with pytest.raises(InputError, match=r"the whole hole is cut off: .* --size native"):
        plan.make(Protocol(**given, size=64), store)


def test_a_mask_of_the_evaluated_size_is_taken_and_said(store, tmp_path):
    Image.new("RGB", (200, 100)).save(tmp_path / "a.png")
    save_mask(tmp_path / "masks" / "a.png", np.eye(64, dtype=bool))
    asked = Protocol(photos=str(tmp_path / "a.png"), masks=str(tmp_path / "masks"), size=64)
    _, inputs = plan.make(asked, store)
    assert inputs["note"].tolist()[-1] == (
        "taken as drawn on the evaluated picture: 64x64, the photo is 200x100"
    )


def test_enlarging_is_said_with_how_much(store, tmp_path):
    Image.new("RGB", (96, 64)).save(tmp_path / "a.png")
    for size, times in ((96, "1.50"), ("fit:80", "1.25"), ("192x64", "2.00")):
        _, inputs = plan.make(Protocol(photos=str(tmp_path), size=size), store)
        assert inputs["note"].iloc[0] == f"enlarged, which flatters every method: {times} times"
    _, inputs = plan.make(Protocol(photos=str(tmp_path), size="fit:64"), store)
    assert inputs["note"].iloc[0] == ""


def test_a_photo_that_is_too_long_for_its_size_is_refused_and_others_used(store, tmp_path):
    Image.new("RGB", (2000, 1)).save(tmp_path / "line.png")
    Image.new("RGB", (96, 64)).save(tmp_path / "photo.png")
    table, inputs = plan.make(Protocol(photos=str(tmp_path), size="fit:512"), store)
    assert set(table["photo"]) == {"photo.png"}
    assert "--size 512 cuts its centre out" in inputs.set_index("path").loc["line.png", "reason"]


def test_photos_and_masks_may_share_a_folder(store, tmp_path):
    Image.new("RGB", (64, 64)).save(tmp_path / "a.jpg")
    Image.new("RGB", (64, 64)).save(tmp_path / "lonely.jpg")
    save_mask(tmp_path / "a_mask.png", np.eye(64, dtype=bool))
    protocol = Protocol(photos=str(tmp_path), masks=str(tmp_path), size=None)
    table, inputs = plan.make(protocol, store)
    assert table["photo"].tolist() == ["a.jpg"]
    refused = inputs[inputs["status"] == "refused"]
    assert refused["path"].tolist() == ["lonely.jpg"]


def test_the_fingerprint_tells_photos_masks_size_and_metrics_apart(store, photos):
    def line(metrics=("psnr 1",), **changes):
        protocol = Protocol(photos=str(photos), **{"size": 64, **changes})
        return fingerprints.fingerprint(plan.make(protocol, store)[0], protocol, metrics).split()

    base = line()
    differs = {
        "seed": [1],
        "draws": [1],
        "limit": [0, 1],
        "size": [0, 1, 2],
    }
    for change, parts in differs.items():
        value = 48 if change == "size" else 2
        other = line(**{change: value})
        assert [i for i in range(5) if other[i] != base[i]] == parts, change
    assert [i for i in range(5) if line(("psnr 2",))[i] != base[i]] == [4]
    assert line() == base


def test_the_request_is_known_again_only_while_its_files_are_the_same(tmp_path):
    Image.new("RGB", (64, 64)).save(tmp_path / "a.png")
    protocol = Protocol(photos=str(tmp_path))
    before = fingerprints.inputs_key(protocol)
    assert fingerprints.inputs_key(protocol) == before
    Image.new("RGB", (65, 64)).save(tmp_path / "b.png")
    assert fingerprints.inputs_key(protocol) != before


def test_equal_pixels_of_another_shape_are_another_content():
    flat = np.zeros((2, 8, 3), np.uint8)
    assert content_hash(flat) != content_hash(flat.reshape(4, 4, 3))


def test_beyond_the_limit_a_sample_of_fills_is_kept(monkeypatch, store, photos):
    monkeypatch.setattr(plan, "KEEP_ALL_UP_TO", 4)
    monkeypatch.setattr(shown_cases, "ALL_UP_TO", 2)
    monkeypatch.setattr(shown_cases, "AT_RANDOM", 1)
    table, _ = plan.make(Protocol(photos=str(photos), size=64), store)
    assert len(table) == 9
    certain = shown_cases.surely_shown(table)
    assert certain.groupby(table["tier"]).sum().tolist() == [1, 1, 1]
    assert table.loc[certain, "keep"].all()
    assert 4 <= table["keep"].sum() <= 6
