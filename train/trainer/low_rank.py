"""Split an adapter into what a server of adapters takes, and the rest.

vLLM serves low-rank updates of linear layers alone. LongLoRA trains embeddings and norms too, which PEFT keeps in
`modules_to_save`: here they are merged into a base model of their own, and the low-rank updates stay beside it.
"""

from dataclasses import replace

import torch
from peft import LoraConfig, PeftModel, get_peft_model, get_peft_model_state_dict, set_peft_model_state_dict
from peft.tuners.lora import Linear
from torch import Tensor
from transformers import PreTrainedModel

from pipeline.errors import InputError
from train.trainer.lora import merge_adapter

LOW_RANK = (".lora_A.weight", ".lora_B.weight")  # of linear layers; those of an embedding have other names
BASE = "../base"  # from the folder of the adapter


def split_adapter(model: PreTrainedModel | PeftModel, where: str) -> PeftModel:
    """Merge everything but the low-rank updates of linear layers, and return these as an adapter of the result.

    Its base model is `get_base_model()`. The given model is used up.

    Raises:
        InputError: There are no such updates, or DoRA changes more than they do.
    """
    config = model.peft_config["default"] if isinstance(model, PeftModel) else None
    state = get_peft_model_state_dict(model, save_embedding_layers=False) if isinstance(model, PeftModel) else {}
    low_rank: dict[str, Tensor] = {name: tensor.clone() for name, tensor in state.items() if name.endswith(LOW_RANK)}
    if not isinstance(model, PeftModel) or not isinstance(config, LoraConfig) or config.use_dora or not low_rank:
        raise InputError(
            where,
            found="DoRA" if isinstance(config, LoraConfig) and config.use_dora else "no low-rank update",
            expected="plain low-rank updates of linear layers",
            fix="Merge it without --low-rank.",
        )
    for module in model.modules():
        if isinstance(module, Linear):
            for second in module.lora_B.values():
                second.weight.data.zero_()
    base = merge_adapter(model, torch.float32)
    names = sorted({name.split(".")[-3] for name in low_rank})
    plain = replace(
        config, target_modules=names, modules_to_save=None, ensure_weight_tying=False, base_model_name_or_path=BASE
    )
    base.name_or_path = BASE
    adapted = get_peft_model(base, plain)
    set_peft_model_state_dict(adapted, low_rank)
    return adapted.eval()
