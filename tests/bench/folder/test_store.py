import json
import re
import resource

import numpy as np
import pandas as pd
import pytest

from bench.errors import InputError, StoreError
from bench.folder import kept
from bench.folder.store import FORMAT, RunFolder


def row(case: int) -> dict:
    return {"case": case, "method": "m", "sample": 0, "status": "ok"}


def test_fragments_come_back_as_rows(tmp_path):
    store = RunFolder(tmp_path)
    store.write_fragment("a-0", [row(0), row(1)])
    store.write_fragment("b-0", [row(2)])
    assert store.read_fragments()["case"].tolist() == [0, 1, 2]


def test_damaged_fragments_go_to_quarantine(tmp_path):
    store = RunFolder(tmp_path)
    store.write_fragment("a", [row(0)])
    store.write_fragment("b", [row(1)])
    path = store.file("fragments/a.parquet")
    path.write_bytes(path.read_bytes()[:50])
    assert store.read_fragments()["case"].tolist() == [1]
    assert store.file("quarantine/fragments/a.parquet").exists()
    assert not path.exists()


def test_what_could_not_be_read_for_want_of_handles_counts_as_whole(tmp_path):
    store = RunFolder(tmp_path)
    store.write_json("run.json", {"format": 1})
    store.write_fragment("a", [row(0)])
    store.write_picture("a.png", np.zeros((4, 4, 3), np.uint8))
    rows = pd.DataFrame({"output": ["a.png"], "written": [0]})
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (0, hard))
    try:
        for read in (
            store.read_json,
            store.read_fragments,
            lambda: store.read_table("fragments/a.parquet"),
            lambda: kept.damaged(store, rows, str),
            lambda: kept.not_whole(store, ["a.png"]),
        ):
            with pytest.raises(OSError, match="Too many open files"):
                read()
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    assert not store.aside
    assert len(store.read_fragments()) == 1


def test_a_failed_write_leaves_the_old_file_and_no_temporary_one(tmp_path):
    store = RunFolder(tmp_path)
    store.write_json("run.json", {"format": 1})
    with pytest.raises(TypeError):
        store.write_json("run.json", {("not", "a key"): 1})
    assert store.read_json() == {"format": 1}
    assert [path.name for path in tmp_path.iterdir()] == ["run.json"]


def test_a_folder_that_cannot_be_written_is_named(tmp_path):
    (tmp_path / "fragments").touch()
    with pytest.raises(StoreError, match="fragments"):
        RunFolder(tmp_path).write_fragment("a", [row(0)])


def test_a_newer_format_is_refused_with_advice(tmp_path):
    (tmp_path / "run.json").write_text(json.dumps({"format": FORMAT + 1}))
    with pytest.raises(InputError, match="update inpaint-bench"):
        RunFolder(tmp_path).read_json()


def test_a_changed_digit_is_noticed_until_the_checksum_is_taken_out(tmp_path):
    store, path = RunFolder(tmp_path), tmp_path / "verdict.json"
    store.write_json(path.name, {"format": 1, "b": [0.25, None, float("nan")], "a": {"é": "\n"}})
    whole = path.read_text("utf-8")
    store.read_json(path.name)
    path.write_text(whole.replace("0.25", "0.75"), "utf-8")
    with pytest.raises(InputError, match=r"verdict\.json: damaged: its checksum"):
        store.read_json(path.name)
    path.write_text(re.sub(',\n "checksum": .*', "", path.read_text("utf-8")), "utf-8")
    assert store.read_json(path.name)["b"][0] == 0.75


@pytest.mark.parametrize("text", ["[]", '{"format": "1"}', "{}", "{", ""])
def test_a_damaged_run_json_is_an_error_that_names_it(tmp_path, text):
    (tmp_path / "run.json").write_text(text)
    with pytest.raises(InputError, match=r"run\.json"):
        RunFolder(tmp_path).read_json()


def test_no_run_is_an_error_that_says_what_was_expected(tmp_path):
    with pytest.raises(InputError, match=r"expected a run folder's run\.json"):
        RunFolder(tmp_path).read_json()


def test_pictures_and_masks_come_back_bit_for_bit(tmp_path):
    store = RunFolder(tmp_path)
    pixels = np.random.default_rng(0).integers(0, 256, (5, 7, 3), dtype=np.uint8)
    store.write_picture("été 画像.png", pixels)
    store.write_picture("mask.png", pixels[..., 0] > 99)
    assert (store.read_picture("été 画像.png") == pixels).all()
    assert (store.read_picture("mask.png") == (pixels[..., 0] > 99)).all()


def test_features_come_back_by_picture_and_damaged_ones_count_as_absent(tmp_path):
    store = RunFolder(tmp_path)
    vector = np.arange(4, dtype=np.float32)
    store.write_features("a", {"sha-1": {"net": vector}, "sha-2": {"net": -vector}})
    store.write_features("b", {"sha-3": {"net": vector}})
    store.file("features/net/b.npz").write_bytes(b"PK nonsense")
    features = store.read_features("net")
    assert features.keys() == {"sha-1", "sha-2"}
    assert (features["sha-2"] == -vector).all()


def test_a_picture_may_lack_the_features_of_a_network(tmp_path):
    store, vector = RunFolder(tmp_path), np.arange(4, dtype=np.float32)
    store.write_features("a", {"sha-1": {"net": vector}, "sha-2": {"net": vector, "more": -vector}})
    assert store.read_features("net").keys() == {"sha-1", "sha-2"}
    assert store.read_features("more").keys() == {"sha-2"}
    store.write_features("b", {"sha-3": {}})
    assert not list(tmp_path.glob("features/*/b.npz"))


def test_features_of_some_pictures_pass_over_the_files_of_others(tmp_path):
    store = RunFolder(tmp_path)
    vector = np.arange(4, dtype=np.float32)
    store.write_features("a", {"sha-1": {"net": vector}, "sha-2": {"net": -vector}})
    store.write_features("b", {"sha-3": {"net": vector}})
    assert store.read_features("net", {"sha-2", "sha-4"}).keys() == {"sha-1", "sha-2"}
    assert store.read_features("net").keys() == {"sha-1", "sha-2", "sha-3"}
    assert not store.aside


def test_tables_of_mixed_fragments_have_all_columns(tmp_path):
    store = RunFolder(tmp_path)
    store.write_fragment("a", [{**row(0), "psnr_db": np.inf}])
    store.write_fragment("b", [row(1)])
    table = store.read_fragments()
    assert table["psnr_db"].tolist()[0] == np.inf
    assert pd.isna(table["psnr_db"].tolist()[1])
