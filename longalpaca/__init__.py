"""LongLoRA's shifted sparse attention for any decoder of transformers, in two lines.

    import longalpaca
    model = AutoModelForCausalLM.from_pretrained(name, attn_implementation="s2")

Importing this package loads neither torch nor transformers. The attention registers itself when transformers loads its
models, at once if it has loaded them already. It works beside a `train.py`, `eval.py` or `pipeline.py` of yours.
"""

from importlib.metadata import version
from typing import TYPE_CHECKING, Any

from longalpaca.own_packages import call_after_import, import_own

if TYPE_CHECKING:
    from train.attention import s2_attention

__all__ = ["__version__", "register", "s2_attention"]
__version__ = version("longalpaca")


def register() -> None:
    """Make `attn_implementation="s2"` known to transformers now; loads torch and transformers."""
    import_own("train.attention")


def __getattr__(name: str) -> Any:
    """Load `s2_attention`, the attention on plain tensors, when it is first asked for."""
    if name == "s2_attention":
        return import_own("train.attention").s2_attention
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


call_after_import("transformers.modeling_utils", register)
