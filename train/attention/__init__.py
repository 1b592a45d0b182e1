"""S2-Attn, the shifted sparse attention of LongLoRA; importing this package makes `"s2"` known to transformers."""

from train.attention.registration import s2_attention

__all__ = ["s2_attention"]
