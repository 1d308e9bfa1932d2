import contextlib
import unicodedata

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from bench.errors import BenchError, InputError
from bench.folder.store import RunFolder
from bench.planning import fingerprints, plan
from bench.planning.pairing import Inputs, read_photos
from bench.planning.pairs import COLUMNS, read_pairs
from bench.planning.protocol import Protocol

COMPOSED, APART = (unicodedata.normalize(form, "é.png") for form in ("NFC", "NFD"))


def lay(folder, *names, size=(64, 64)):
    """Files of which no two are alike."""
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        seed = sum(map(ord, path.as_posix()))
        rng = np.random.default_rng(seed)
        hole = rng.integers(0, 2, size).astype(np.uint8) * 255
        Image.fromarray(hole).convert("RGB").save(path)


@pytest.fixture
def here(tmp_path):
    lay(tmp_path, "photos/a.png", "photos/b.png", "photos/film/1.png", "photos/film/2.png")
    lay(tmp_path, "masks/x.png", "masks/y.png", "truth/a.png", "truth/b.png")
    return tmp_path


def write(folder, text, name="pairs.csv", encoding="utf-8"):
    path = folder / name
    path.write_bytes(text.encode(encoding))
    return path


def asked(folder, text, images="photos", masks=None, **more):
    encoding = more.pop("encoding", "utf-8")
    return Protocol.asked(
        str(folder / images) if images else "bundled",
        None if masks is None else str(folder / masks),
        pairs=str(write(folder, text, encoding=encoding)),
        size="native",
        **more,
    )


def photos(protocol):
    inputs = Inputs()
    found = list(read_photos(protocol, inputs))
    reasons = [(row["path"], row["kind"], row["reason"]) for row in inputs.rows if row["reason"]]
    return found, reasons


def files(photo):
    return None if photo.masks is None else [file.path.name for file in photo.masks]


@pytest.mark.parametrize(
    "text",
    [
        "photo,mask,group\na.png,x.png,cats\nb.png,y.png,dogs\n",
        "Photo ; MASK;group\r\na.png;x.png; cats\r\n;;\r\nb.png;y.png;dogs;\r\n\r\n",
        'group\tphoto\tmask\n"cats"\ta.png\tx.png\ndogs\tb.png\ty.png',
        "photo , mask, group, prompt\na.png , x.png, cats ,\nb.png, y.png, dogs\n",
        "photo,mask,group\n.\\a.png,..\\masks\\x.png,cats\nb.png,y.png,dogs\n",
    ],
    ids=["commas", "semicolons", "tabs", "spaces and an empty column", "backslashes"],
)
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig"])
def test_tables_as_programs_write_them(here, text, encoding):
    found, reasons = photos(asked(here, text, masks="masks", encoding=encoding))
    rows = [(each.photo.id, files(each), each.group, each.prompt) for each in found]
    assert rows == [("a.png", ["x.png"], "cats", ""), ("b.png", ["y.png"], "dogs", "")]
    assert reasons == []


def test_rows_of_a_photo_are_its_draws_in_their_order(here):
    text = "photo,mask\nb.png,y.png\na.png,y.png\nb.png,x.png\n"
    table, _ = plan.make(asked(here, text, masks="masks"), RunFolder(here / "run"))
    rows = table[["photo", "draw"]].assign(mask=[path[-5:] for path in table["mask_source"]])
    assert rows.values.tolist() == [
        ["b.png", 0, "y.png"], ["b.png", 1, "x.png"], ["a.png", 0, "y.png"],
    ]  # fmt: skip


def test_what_a_table_says_of_photos_is_in_the_plan(here):
    text = 'photo,cluster,prompt,group\nfilm/1.png,7,"a door, half open",doors\nfilm/2.png,,,\n'
    table, _ = plan.make(asked(here, text, tiers=["small"]), RunFolder(here / "run"))
    assert table[["photo", "cluster", "prompt", "group", "mask_source"]].values.tolist() == [
        ["film/1.png", "7", "a door, half open", "doors", "generated"],
        ["film/2.png", "film/2.png", "", "", "generated"],
    ]


@pytest.mark.parametrize("folder", [None, "truth"])
def test_truths_of_a_table_are_what_fills_are_held_against(here, folder):
    below = "" if folder else "truth/"
    text = f"photo,truth,mask\nb.png,{below}a.png,x.png\na.png,{below}b.png,x.png\n"
    protocol = asked(here, text, masks="masks", truth=folder and str(here / folder))
    found, reasons = photos(protocol)
    assert reasons == []
    for each, name in zip(found, ("a.png", "b.png"), strict=True):
        np.testing.assert_array_equal(each.truth, np.array(Image.open(here / "truth" / name)))
    assert fingerprints.inputs_key(protocol) != fingerprints.inputs_key(
        asked(here, text, masks="masks", seed=1)
    )
    (here / "truth/b.png").unlink()
    assert [each.photo.id for each in photos(protocol)[0]] == ["b.png"]


def test_paths_are_relative_to_the_folder_of_the_table_without_others(here):
    found, _ = photos(asked(here, "photo,mask\nphotos/film/../a.png,masks/x.png\n", images=None))
    assert [(each.photo.id, files(each)) for each in found] == [("photos/a.png", ["x.png"])]


def test_photos_of_a_table_may_get_masks_by_name(here):
    lay(here, "named/a_mask.png", "named/b.png", "named/1.png")
    found, reasons = photos(asked(here, "photo,group\na.png,g\nfilm/1.png,h\n", masks="named"))
    assert [(each.photo.id, files(each), each.group) for each in found] == [
        ("a.png", ["a_mask.png"], "g")
    ]
    assert ("film/1.png", "photo") in [reason[:2] for reason in reasons]


@pytest.mark.parametrize(("said", "there"), [(COMPOSED, APART), (APART, COMPOSED)])
def test_letters_may_be_composed_otherwise_on_disk(here, said, there):
    lay(here, f"photos/{said}/{there}".replace(said, there))
    found, reasons = photos(asked(here, f"photo\n{said}/{said}\n"))
    assert [each.photo.id for each in found] == [f"{there}/{there}"]
    assert reasons == []


def test_files_that_are_not_there_are_refused_by_row_and_the_rest_is_used(here):
    text = "photo,mask\na.png,x.png\nc.png,x.png\na.png,z.png\nb.png,zz.png\n"
    found, reasons = photos(asked(here, text, masks="masks"))
    assert [(each.photo.id, files(each)) for each in found] == [("a.png", ["x.png"])]
    where = [(path.rpartition("/")[2], kind, why.partition(": ")) for path, kind, why in reasons]
    assert [(path, kind, why[0][-5:]) for path, kind, why in where] == [
        ("c.png", "photo", "row 3"),
        ("z.png", "mask", "row 4"),
        ("zz.png", "mask", "row 5"),
        ("b.png", "photo", "row 5"),
    ]
    assert where[0][2][2].startswith("there is no such file: ")
    assert "c.png. Did you mean" in where[0][2][2]
    assert where[3][2][2] == "its mask is not there"


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "expected a column 'photo' and a row"),
        ("photo,mask\n", "expected a column 'photo' and a row"),
        ("mask\nx.png\n", "expected a column 'photo' and a row"),
        ("photo,maks\na.png,x.png\n", r"found 'maks'\. Did you mean mask\?"),
        (
            "a.png,x.png\nb.png,y.png\n",
            "the first row names the columns, each once, of photo, mask",
        ),
        ("photo,photo\na.png,b.png\n", "each once, of .*; found 'photo'"),
        ("photo,mask\na.png,x.png\nb.png\n", "row 3: no mask; fill that column in every row"),
        ("photo,mask,truth\na.png,x.png,\nb.png,x.png,truth/b.png\n", "row 2: no truth"),
        ("photo,prompt\na.png,\n,b\n", "row 3: no photo"),
        ("photo,mask\na.png,x.png\n\na.png,x.png\n", "row 4: the photo and mask of row 2 again"),
        ("photo\na.png\nfilm/../a.png\n", "row 3: the photo and mask of row 2 again"),
        ("photo,mask,prompt\na.png,x.png,one\na.png,y.png,two\n", "row 3: another truth, cluster"),
        ("photo,prompt\na.png,a cat, a dog\n", "row 2: 3 cells, but the first row names 2 columns"),
        ('photo,prompt\na.png,"a cat\n', "is no CSV"),
        ("photo\n../masks/x.png\n", "row 2: photo .* is not below"),
        ("photo\na.png" + "x" * 5000 + "\n", "no such file"),
        ("photo\na\0.png\n", "no such file|is no CSV"),
    ],
)
def test_tables_that_are_none(here, text, reason):
    with pytest.raises(InputError, match=reason):
        plan.make(asked(here, text, masks="masks" if "mask" in text else None),
                  RunFolder(here / "run"))  # fmt: skip


CELLS = st.sampled_from(
    [
        *COLUMNS,
        "a.png",
        "film",
        ".",
        "..",
        "/",
        "\0",
        '"',
        "'",
        ",",
        ";",
        "\t",
        "\n",
        "\r\n",
        "é",
        " ",
    ]
)


@given(st.one_of(st.binary(max_size=80), st.lists(CELLS, max_size=30).map("".join).map(str.encode)))
@settings(max_examples=300, deadline=None)
def test_no_bytes_make_another_error(tmp_path_factory, content):
    folder = tmp_path_factory.getbasetemp() / "bytes"
    if not folder.is_dir():
        lay(folder, "a.png", "film/1.png")
    table = folder / "pairs.csv"
    table.write_bytes(b"photo,prompt\n" + content if content[:1] in (b"a", b".") else content)
    with contextlib.suppress(InputError):
        found = read_pairs(Protocol.asked(str(folder), None, pairs=str(table)))
        assert found.photos or found.lost


def test_what_is_no_text_or_not_there_is_refused(here):
    with pytest.raises(InputError, match="no text in UTF-8; save it as 'CSV UTF-8'"):
        photos(asked(here, "photo\na.png\n", encoding="utf-16"))
    with pytest.raises(InputError, match=r"--pairs: expected .*gone\.csv"):
        photos(Protocol.asked(str(here / "photos"), None, pairs=str(here / "gone.csv")))


@pytest.mark.parametrize(
    ("text", "more", "reason"),
    [
        ("photo,mask\na.png,x.png\n", {"masks": "masks", "pairing": "pool"}, "--pairing: .*'mask'"),
        ("photo,mask\na.png,x.png\n", {"tiers": ["small"]}, "--tiers: .* has a column 'mask'"),
        ("photo,mask\na.png,x.png\n", {"draws": 2}, "--draws: .* has a column 'mask'"),
        ("photo,mask\na.png,x.png\n", {"masks": "masks/x.png"}, "--masks: expected the folder"),
        ("photo,cluster\na.png,1\n", {"clusters": "folder"}, "--clusters: .* a column 'cluster'"),
        ("photo,truth\na.png,truth/a.png\n", {}, "a column 'mask' or --masks too"),
        ("photo\na.png\n", {"truth": "unknown"}, "a column 'mask' or --masks too"),
        ("photo,mask,truth\na.png,masks/x.png,truth/a.png\n", {"truth": "unknown"}, "--truth: "),
        ("photo\na.png\n", {"images": "photos/a.png"}, "--images: expected the folder"),
        ("photo\na.png\n", {"pairing": "order"}, "--pairing order: give the folder of masks too"),
        ("photo\na.png\n", {"pairing": "pol"}, r"'pol'\. Did you mean pool"),
        ("photo,group\na.png,1\n", {"groups": "folder"}, "--groups: .* a column 'group'"),
        ("photo\na.png\n", {"groups": "films"}, "--groups: expected one of none, folder"),
        ("photo\na.png\n", {"clusters": "films"}, "--clusters: expected one of photo, folder"),
    ],
)
def test_options_that_would_change_nothing_are_refused(here, text, more, reason):
    with pytest.raises(BenchError, match=reason):
        photos(asked(here, text, **more))


def test_a_plan_holds_while_the_table_and_its_files_are_the_same(here):
    protocol = asked(here, "photo,mask\na.png,masks/x.png\n")
    key = fingerprints.inputs_key(protocol)
    lay(here, "photos/other.png")
    assert fingerprints.inputs_key(protocol) == key
    lay(here, "masks/x.png", size=(65, 64))
    changed = fingerprints.inputs_key(protocol)
    write(here, "photo,mask,group\na.png,masks/x.png,g\n")
    assert len({key, changed, fingerprints.inputs_key(protocol)}) == 3


def test_photos_and_masks_in_order(here):
    lay(here, "many/m10.png", "many/m9.png", "many/m8.png", "many/m11.png")
    protocol = Protocol.asked(str(here / "photos"), str(here / "many"), pairing="order")
    found, _ = photos(protocol)
    assert {each.photo.id: files(each) for each in found} == {
        "a.png": ["m8.png"], "b.png": ["m9.png"],
        "film/1.png": ["m10.png"], "film/2.png": ["m11.png"],
    }  # fmt: skip
    (here / "many/m8.png").unlink()
    with pytest.raises(InputError, match=r"found 4 photos in .* and 3 masks in"):
        photos(protocol)


def masks_of(photos, masks, store, **more):
    protocol = Protocol.asked(str(photos), str(masks), pairing="pool", **more)
    table, inputs = plan.make(protocol, RunFolder(store))
    return table.groupby("photo_sha")["mask_sha"].apply(list).to_dict(), inputs


def test_a_pool_is_drawn_from_by_content_and_seed(here, tmp_path):
    lay(here, *(f"pool/{number}.png" for number in range(9)), size=(80, 96))
    first, inputs = masks_of(here / "photos", here / "pool", tmp_path / "1", draws=3, size=48)
    assert all(len(set(drawn)) == 3 for drawn in first.values())
    (here / "moved/deep").mkdir(parents=True)
    for number, path in enumerate(sorted((here / "photos").rglob("*.png"))):
        path.rename(here / "moved/deep" / f"{9 - number}.png")
    (here / "pool").rename(here / "pool2")
    moved, _ = masks_of(here / "moved", here / "pool2", tmp_path / "2", draws=3, size=48)
    assert moved == first
    other, _ = masks_of(here / "moved", here / "pool2", tmp_path / "3", draws=3, size=48, seed=1)
    assert other != first
    notes = inputs.loc[inputs["kind"] == "mask", "note"]
    assert notes.str.startswith("of a pool: brought from 96x80 to 48x48").all()


def test_a_pool_has_more_masks_than_draws_and_no_tiers(here):
    folders = str(here / "photos"), str(here / "masks")
    with pytest.raises(InputError, match="--draws 3: the pool has 2 masks"):
        photos(Protocol.asked(*folders, pairing="pool", draws=3))
    with pytest.raises(BenchError, match=r"--tiers and --draws: .*but for --draws masks of a pool"):
        Protocol.asked(*folders, pairing="pool", tiers=["small"])
    with pytest.raises(BenchError, match=r"for generated holes only, not with --masks$"):
        Protocol.asked(*folders, draws=2)


def test_folders_are_clusters_where_that_is_asked_for(here):
    protocol = Protocol.asked(str(here / "photos"), None, clusters="folder")
    found, _ = photos(protocol)
    assert [each.photo.cluster for each in found] == [".", ".", "film", "film"]
    with pytest.raises(InputError, match="not for the bundled photos"):
        Protocol.asked("bundled", None, clusters="folder")


def test_folders_are_kinds_where_that_is_asked_for(here):
    asked = Protocol.asked(str(here / "photos"), None, groups="folder")
    found, _ = photos(asked)
    assert [each.group for each in found] == ["", "", "film", "film"]
    plain = Protocol.asked(str(here / "photos"), None)
    assert {each.group for each in photos(plain)[0]} == {""}
    assert "groups" not in plain.key_text()
    with pytest.raises(InputError, match="not for the bundled photos"):
        Protocol.asked("bundled", None, groups="folder")


def test_no_mask_by_name_at_all_tells_the_rule_and_the_other_ways(here):
    with pytest.raises(InputError) as raised:
        photos(Protocol.asked(str(here / "photos"), str(here / "masks")))
    for part in ("'a.png', 'a_mask.png'", "--pairing order", "--pairing pool", "--pairs FILE.csv"):
        assert part in str(raised.value)
