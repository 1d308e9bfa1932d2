"""What a user would write instead of a run: fill, score, save; pictures as PNG, numbers as CSV.

    python -m tests.speed.users_script CASES METHOD OUT

CASES is a CSV file of ``photo,mask`` paths, white being the hole. The loop is plain and the metrics
are their packages' own: PSNR and SSIM by torchmetrics, MS-SSIM by piq, LPIPS (untrained, as its
published weights must be fetched) by lpips, L1 by torch. Over the hole PSNR, SSIM's map and L1 are
taken at its pixels; LPIPS is of its bounding box, grown to 64 pixels, as users do.
"""

import csv
import sys
import warnings
from pathlib import Path

import lpips
import numpy as np
import piq
import torch
from PIL import Image
from torchmetrics.functional.image import (
    peak_signal_noise_ratio,
    structural_similarity_index_measure,
)

import inpaint_bench

SMALLEST = 64  # side of a crop that AlexNet can take
BORDER = 5  # of SSIM's map, made of mirrored pixels, which published values leave out


def planes(picture):
    return torch.from_numpy(picture).permute(2, 0, 1)[None].float() / 255


def filled(method, photo, hole):
    """As the paper has it: the hole blanked, filled, rounded, known pixels pasted back."""
    masks = torch.from_numpy(hole)[None, None].float()
    images = planes(photo) * (1 - masks)
    result = method.infer(*method.prepare(images, masks), torch.Generator().manual_seed(0))
    levels = (result[0].clamp(0, 1) * 255).round().byte().permute(1, 2, 0).numpy()
    return np.where(hole[..., None], levels, photo)


def around(hole):
    """The bounding box of the hole, at least as large as a network needs."""
    box = []
    for places, side in zip(np.nonzero(hole), hole.shape, strict=True):
        low, high = int(places.min()), int(places.max()) + 1
        low = max(0, min(low, (low + high - SMALLEST) // 2, side - SMALLEST))
        box.append(slice(low, max(high, low + SMALLEST)))
    return tuple(box)


def scores(network, output, photo, hole):
    mine, truth = planes(output), planes(photo)
    of_hole = torch.from_numpy(hole)[None, None].expand_as(mine)
    near = (..., *around(hole))
    cropped = mine[near], truth[near]
    apart = (mine - truth).abs()
    _, ssim = structural_similarity_index_measure(
        mine, truth, data_range=1.0, return_full_image=True
    )
    return {
        "psnr_db": peak_signal_noise_ratio(mine, truth, data_range=1.0),
        "psnr_hole_db": peak_signal_noise_ratio(mine[of_hole], truth[of_hole], data_range=1.0),
        "ssim": ssim[..., BORDER:-BORDER, BORDER:-BORDER].mean(),
        "ssim_hole": ssim[of_hole].mean(),
        "l1": apart.mean(),
        "l1_hole": apart[of_hole].mean(),
        "ms_ssim": piq.multi_scale_ssim(mine, truth),
        "lpips_untrained": network(mine, truth, normalize=True),
        "lpips_box": network(*cropped, normalize=True),
    }


def main(cases, name, out):
    torch.set_num_threads(1)
    torch.manual_seed(0)
    warnings.filterwarnings("ignore", category=UserWarning, module="torchvision")
    network = lpips.LPIPS(net="alex", pnet_rand=True, verbose=False)
    method = inpaint_bench.load(name)
    out = Path(out)
    out.mkdir(parents=True)
    with Path(cases).open(newline="") as file:
        listed = list(csv.DictReader(file))
    rows = []
    with torch.inference_mode():
        for number, case in enumerate(listed):
            photo = np.array(Image.open(case["photo"]).convert("RGB"))
            hole = np.array(Image.open(case["mask"]).convert("L")) > 127
            output = filled(method, photo, hole)
            Image.fromarray(output).save(out / f"{number:04}.png", compress_level=1)
            found = scores(network, output, photo, hole)
            rows.append({**case, **{key: float(value) for key, value in found.items()}})
    with (out / "scores.csv").open("w", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)


if __name__ == "__main__":
    main(*sys.argv[1:])
