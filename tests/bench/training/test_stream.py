"""The stream of pictures and holes."""

import pickle

import torch

from bench.training import photos
from bench.training.stream import Stream, batches
from masks.tiers import TIERS, tier_of
from tests.support.trainings import SIDE


def test_the_stream_is_a_pure_function_of_seed_and_place(archive):
    found = photos.read([archive], SIDE).train
    one, other = Stream(found, SIDE, 5), Stream(found, SIDE, 5)
    backwards = [one[index] for index in reversed(range(200))][::-1]
    for index in (0, 7, 150, 199):
        for a, b in zip(backwards[index], other[index], strict=True):
            assert torch.equal(a, b)
    assert not torch.equal(Stream(found, SIDE, 6)[0][0], one[0][0])


def test_each_round_shows_each_photo_once_and_all_tiers_come(archive):
    found = photos.read([archive], SIDE).train
    stream = Stream(found, SIDE, 0)
    assert sorted(stream._order(0)) == sorted(stream._order(1)) == list(range(len(found)))
    assert list(stream._order(0)) != list(stream._order(1))
    tiers = [tier_of(float(stream[i][1].float().mean())) for i in range(120)]
    assert all(tiers.count(tier.name) > 20 for tier in TIERS)


def test_batches_continue_where_they_were(archive):
    stream = Stream(photos.read([archive], SIDE).train, SIDE, 0)
    cpu = torch.device("cpu")
    whole = list(batches(stream, 0, 22, 4, cpu))
    rest = list(batches(stream, 12, 22, 4, cpu))
    assert [batch.start for batch in whole] == [0, 4, 8, 12, 16, 20]
    for a, b in zip(whole[3:], rest, strict=True):
        assert torch.equal(a.images, b.images)
        assert torch.equal(a.masks, b.masks)
        assert a.start == b.start
        assert torch.equal(
            torch.rand(3, generator=a.generator), torch.rand(3, generator=b.generator)
        )
    assert ((whole[0].blanked * whole[0].masks) == 0).all()


def test_pictures_can_be_read_ahead_by_processes(archive):
    stream = Stream(photos.read([archive], SIDE).train, SIDE, 0)
    cpu = torch.device("cpu")
    for a, b in zip(batches(stream, 0, 8, 4, cpu), batches(stream, 0, 8, 4, cpu, 1), strict=True):
        assert torch.equal(a.images, b.images)
    assert pickle.loads(pickle.dumps(stream))[3][0].shape == (3, SIDE, SIDE)
