"""The records of networks' metrics where the truth is unknown, part of `bench.metrics.table`."""

from __future__ import annotations

from functools import partial
from importlib.metadata import version

from bench.metrics.networks import DINOV2_G, DINOV2_L, LAMA, REFILL, REFILL_UNTRAINED, checkpoint
from bench.metrics.perception_table import ALEX, ALEX_UNTRAINED, LPIPS_SIDE
from bench.metrics.record import NOT_NEGATIVE, Imported, NetworkMetric

RC_S_SIDE = 37  # smallest side of a picture, in pixels

_PROVE = "after PROVE's description; not compared with the authors' code"
_coherence = partial(
    NetworkMetric,
    version="1", direction="higher", region="hole", limits=(-1.0, 3.0), minimum_side=RC_S_SIDE,
    needs_truth=False, function=Imported("bench.metrics.coherence:rc_s_of"),
    reference="Li and others, PROVE: a perceptual removal coherence benchmark for visual media, "
    "ACM MM 2026",
)  # fmt: skip
_CROPS = (
    "crops twice as large as a part of the hole, at 518x518; windows of 9x9 patches, step 4; "
    "unbiased MMD, Gaussian kernel of median width"
)

_SUMMARIES = "after summaries of the paper, which state no size of the patches"
_SQUARES = "40 % of the squares, a 16th of the short side wide, that hold known pixels"
_consistency = partial(
    NetworkMetric,
    direction="lower", region="picture", limits=NOT_NEGATIVE, needs_truth=False,
    minimum_side=LPIPS_SIDE, version=f"1, lpips {version('lpips')}",
    function=Imported("bench.metrics.self_consistency:self_consistency_of"),
    reference="Chen, Zhang, Hong, Zhang and Zhang, Assessing image inpainting via re-inpainting "
    "self-consistency evaluation, ECCV 2024",
)  # fmt: skip

TRUTHLESS = (
    _coherence(
        name="rc_s", label="RC-S", network=DINOV2_G, weights=f"{DINOV2_G}, no SHA-256 published",
        implementation=f"DINOv2 ViT-g/14 by timm; {_CROPS}; {_PROVE}",
        definition="One minus the mean, over windows at the edge of the hole, of the squared "
        "maximum mean discrepancy between the DINOv2 features of the patches of the fill and of "
        "the known pixels; about 1 where nothing tells them apart.",
        note=f"{_PROVE}; prefers what repeats the surroundings, be it right or wrong, and sees no "
        "further into the hole than a window; compare fills of the same holes only",
    ),
    _coherence(
        name="rc_s_vitl", label="RC-S, ViT-L", network=DINOV2_L,
        weights=f"{DINOV2_L}, no SHA-256 published",
        implementation=f"DINOv2 ViT-L/14 by timm; {_CROPS}; {_PROVE}",
        definition="As RC-S, by the network of a quarter of the size.",
        note="another network than RC-S's, so values are not comparable with it; otherwise as RC-S",
    ),
    _consistency(
        name="self_consistency", label="Self-consistency", network=REFILL,
        weights=f"{checkpoint(LAMA).sha256}+{ALEX[0].weights}",
        implementation=f"10 second fills by lama:big-lama of {_SQUARES}; LPIPS, AlexNet",
        definition="Mean LPIPS between a fill and second fills, by another method, of patches of "
        "what the first one left known: how well the fill explains its surroundings.",
        note=f"{_SUMMARIES}; favours fills that the second method, LaMa, understands, its own "
        "among them; can prefer noise; compare fills of the same holes only",
    ),
    _consistency(
        name="self_consistency_untrained", label="Self-consistency, untrained",
        network=REFILL_UNTRAINED, weights=ALEX_UNTRAINED[0].weights,
        implementation=f"10 second fills by telea of {_SQUARES}; LPIPS, untrained AlexNet",
        definition="As self-consistency, by Telea's method and an AlexNet of random weights.",
        note="untrained features, and no network that fills: not the published measure; can "
        "prefer noise; compare fills of the same holes only",
    ),
)  # fmt: skip
