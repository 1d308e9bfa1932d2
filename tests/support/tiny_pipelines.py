"""Pipelines of diffusers with tiny random components, saved to disk; they fill with noise."""

from pathlib import Path

import torch


def _clip(projection: bool = False, seed: int = 0):
    from transformers import CLIPTextConfig, CLIPTextModel, CLIPTextModelWithProjection

    torch.manual_seed(seed)
    config = CLIPTextConfig(
        vocab_size=len(_vocabulary()), hidden_size=32, intermediate_size=37, projection_dim=32,
        num_attention_heads=4, num_hidden_layers=2, bos_token_id=0, eos_token_id=1, pad_token_id=1,
    )  # fmt: skip
    return (CLIPTextModelWithProjection if projection else CLIPTextModel)(config).eval()


def _vocabulary() -> dict[str, int]:
    letters = "abcdefghijklmnopqrstuvwxyz"
    words = ["<|startoftext|>", "<|endoftext|>", *letters, *(f"{each}</w>" for each in letters)]
    return {word: number for number, word in enumerate(words)}


def _clip_tokenizer():
    from transformers import CLIPTokenizer

    return CLIPTokenizer(vocab=_vocabulary(), merges=[], model_max_length=77)


def _t5():
    from transformers import T5Config, T5EncoderModel, T5Tokenizer

    torch.manual_seed(5)
    pieces = ["<pad>", "</s>", "<unk>", "\u2581", *"abcdefghijklmnopqrstuvwxyz"]
    tokenizer = T5Tokenizer(vocab=[(each, -float(n)) for n, each in enumerate(pieces)], extra_ids=0)
    config = T5Config(
        vocab_size=len(pieces), d_model=32, d_kv=8, d_ff=37, num_layers=2, num_heads=4
    )
    return T5EncoderModel(config).eval(), tokenizer


def _vae(latents: int = 4, factor: int = 8):
    from diffusers import AutoencoderKL

    torch.manual_seed(1)
    levels = factor.bit_length()
    return AutoencoderKL(
        in_channels=3, out_channels=3, latent_channels=latents, norm_num_groups=2,
        block_out_channels=[4] * levels, layers_per_block=1,
        down_block_types=["DownEncoderBlock2D"] * levels,
        up_block_types=["UpDecoderBlock2D"] * levels,
        shift_factor=0.1, scaling_factor=0.3,
    ).eval()  # fmt: skip


def _unet(channels: int, **more):
    from diffusers import UNet2DConditionModel

    torch.manual_seed(2)
    return UNet2DConditionModel(
        in_channels=channels, out_channels=4, sample_size=16, layers_per_block=1,
        block_out_channels=(8, 16), norm_num_groups=4,
        down_block_types=("DownBlock2D", "CrossAttnDownBlock2D"),
        up_block_types=("CrossAttnUpBlock2D", "UpBlock2D"),
        **{"attention_head_dim": 4, "cross_attention_dim": 32, **more},
    ).eval()  # fmt: skip


def _scheduler():
    from diffusers import DDIMScheduler

    return DDIMScheduler(beta_start=0.00085, beta_end=0.012, clip_sample=False, steps_offset=1)


def stable_diffusion(channels: int = 9, kind: str = "StableDiffusionInpaintPipeline"):
    import diffusers

    return getattr(diffusers, kind)(
        vae=_vae(), text_encoder=_clip(), tokenizer=_clip_tokenizer(), unet=_unet(channels),
        scheduler=_scheduler(), safety_checker=None, feature_extractor=None,
        requires_safety_checker=False,
    )  # fmt: skip


def text_to_image():
    return stable_diffusion(4, "StableDiffusionPipeline")


def blending():
    return stable_diffusion(4)


def stable_diffusion_xl():
    from diffusers import StableDiffusionXLInpaintPipeline

    unet = _unet(
        9, attention_head_dim=(2, 4), addition_embed_type="text_time",
        addition_time_embed_dim=8, transformer_layers_per_block=(1, 2),
        projection_class_embeddings_input_dim=32 + 6 * 8, use_linear_projection=True,
        cross_attention_dim=64,
    )  # fmt: skip
    return StableDiffusionXLInpaintPipeline(
        vae=_vae(), text_encoder=_clip(), tokenizer=_clip_tokenizer(),
        text_encoder_2=_clip(projection=True, seed=3), tokenizer_2=_clip_tokenizer(), unet=unet,
        scheduler=_scheduler(),
    )  # fmt: skip


def _flux(inputs: int):
    from diffusers import FluxTransformer2DModel

    torch.manual_seed(4)
    return FluxTransformer2DModel(
        patch_size=1, in_channels=inputs, out_channels=16, num_layers=1, num_single_layers=1,
        attention_head_dim=16, num_attention_heads=2, joint_attention_dim=32,
        pooled_projection_dim=32, axes_dims_rope=[4, 4, 8], guidance_embeds=True,
    ).eval()  # fmt: skip


def flux(kind: str = "FluxFillPipeline"):
    import diffusers

    encoder, tokenizer = _t5()
    # Packed latents, those of the masked picture, and the hole by the pixel.
    inputs = 16 + 16 + 4 * 64 if kind == "FluxFillPipeline" else 16
    return getattr(diffusers, kind)(
        scheduler=diffusers.FlowMatchEulerDiscreteScheduler(), vae=_vae(4), text_encoder=_clip(),
        tokenizer=_clip_tokenizer(), text_encoder_2=encoder, tokenizer_2=tokenizer,
        transformer=_flux(inputs),
    )  # fmt: skip


def black():
    """One whose decoder makes black pictures, as a checker of safety does."""
    pipeline = stable_diffusion()
    torch.nn.init.zeros_(pipeline.vae.decoder.conv_out.weight)
    torch.nn.init.constant_(pipeline.vae.decoder.conv_out.bias, -100)
    return pipeline


def save(pipeline, folder: Path) -> Path:
    pipeline.save_pretrained(folder)
    return folder
