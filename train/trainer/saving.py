"""Save what was trained, from a model that may be sharded over processes, and turn it into a plain model.

Under FSDP and ZeRO-3 each process holds a shard of every weight. All processes gather them here, and the first one
writes the adapter, or the whole model if every weight was trained.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import torch
from peft import PeftModel
from transformers import AutoModelForCausalLM, PretrainedConfig, PreTrainedModel
from transformers.integrations.deepspeed import unset_hf_deepspeed_config

from pipeline.files import replacing, write_json
from train.recipe import TrainingParams
from train.trainer.lora import cast_parameters, merge_adapter
from train.trainer.loss import LongTrainer


def save_trained(trainer: LongTrainer, folder: Path) -> None:
    """Write the adapter, or the whole model if every weight was trained; all processes call this, the first writes."""
    trainer.save_model(str(folder))
    trainer.accelerator.wait_for_everyone()


def write_training_settings(params: TrainingParams, folder: Path) -> None:
    """Write training.json: the keys of the recipe that `extend` and `sft` share, as given, for the report."""
    write_json(folder / "training.json", params.model_dump(mode="json", include=set(TrainingParams.model_fields)))


@contextmanager
def replacing_on_main(trainer: LongTrainer, path: Path) -> Iterator[Path]:
    """Yield a temporary folder that the first process renames to `path`; the others get `path` and must not use it."""
    if not trainer.accelerator.is_main_process:
        yield path
        return
    with replacing(path) as beside:
        yield beside


def load_plain_model(base: Path, trained: Path, config: PretrainedConfig, dtype: torch.dtype) -> PreTrainedModel:
    """Load what `save_trained` wrote as a plain model: the adapter is merged into BASE, which is loaded again.

    An adapter trained on 4-bit weights is merged into the weights that were quantised.
    """
    if hasattr(config, "s2_group_size"):
        del config.s2_group_size  # of the training that has ended
    config.use_cache = True  # the trainer switches it off to recompute activations
    unset_hf_deepspeed_config()  # with it, ZeRO-3 would shard this model too, over processes that do not load it
    is_adapter = (trained / "adapter_config.json").is_file()
    model: PreTrainedModel = AutoModelForCausalLM.from_pretrained(
        base if is_adapter else trained, config=config, dtype=dtype, use_safetensors=True
    )
    if is_adapter:
        return merge_adapter(PeftModel.from_pretrained(model, trained), dtype)
    cast_parameters(model, dtype)
    return model
