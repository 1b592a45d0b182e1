"""Train any causal model on a dataset of this project with TRL's own trainer and shifted sparse attention.

    python examples/train_with_trl.py data/models/smollm2-135m/base data/mix data/own-model

The one line that matters is `attn_implementation="s2"`, which `import longalpaca` makes known to transformers.
Training attends within groups of `s2_group_size` tokens; the saved model attends in full, as any other.
"""

import argparse
from pathlib import Path

import torch
from datasets import load_dataset
from peft import LoraConfig
from transformers import AutoConfig, AutoModelForCausalLM, AutoTokenizer
from trl import SFTConfig, SFTTrainer

import longalpaca  # noqa: F401 (registers the attention "s2")


def main() -> None:
    """Load, train, save."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", help="a folder, or the name of a model on the Hub")
    parser.add_argument("dataset", type=Path, help="a folder with train-*.parquet, as the stage mix writes it")
    parser.add_argument("out", type=Path)
    parser.add_argument("--max-length", type=int, default=8_192)
    parser.add_argument("--group-size", type=int, default=2_048, help="tokens that attend to each other")
    parser.add_argument("--max-steps", type=int, default=100)
    options = parser.parse_args()

    config = AutoConfig.from_pretrained(options.model)
    config.s2_group_size = options.group_size
    model = AutoModelForCausalLM.from_pretrained(options.model, config=config, attn_implementation="s2")
    rows = load_dataset("parquet", data_files=f"{options.dataset}/train-*.parquet", split="train")
    rows = rows.map(
        lambda row: {
            "prompt": [{"role": "user", "content": row["instruction"]}],
            "completion": [{"role": "assistant", "content": row["output"]}],
        },
        remove_columns=rows.column_names,
    )
    settings = SFTConfig(
        output_dir=str(options.out),
        max_length=options.max_length,
        max_steps=options.max_steps,
        per_device_train_batch_size=1,
        gradient_checkpointing=True,
        learning_rate=2e-4,
        bf16=torch.cuda.is_available(),
        logging_steps=1,
        report_to="none",
        seed=2023,
    )
    trainer = SFTTrainer(
        model=model,
        args=settings,
        train_dataset=rows,
        processing_class=AutoTokenizer.from_pretrained(options.model),
        peft_config=LoraConfig(target_modules=["q_proj", "k_proj", "v_proj", "o_proj"]),
    )
    trainer.train()
    merged = trainer.model.merge_and_unload()
    merged.set_attn_implementation("sdpa")
    merged.save_pretrained(options.out / "merged")
    trainer.processing_class.save_pretrained(options.out / "merged")


if __name__ == "__main__":
    main()
