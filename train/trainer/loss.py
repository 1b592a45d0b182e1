"""The loss of next tokens, with logits only where there is a label and only a chunk of them at a time.

Shape suffixes: B rows, T tokens of a row, M model width, N tokens with a label.
"""
# ruff: noqa: N803, N806 - shape suffixes on tensors

from typing import Any, Literal

import datasets
import torch
from peft import PeftModel
from torch import Tensor
from torch.nn.functional import cross_entropy, pad
from torch.utils.checkpoint import checkpoint
from torch.utils.data import Sampler
from trl import SFTTrainer

from train.attention.context_parallel import SharedSampler, join_sequence_group
from train.data.token_cache import IGNORED
from train.recipe import TrainingParams
from train.trainer.lora import classify_parameter

LossWeighting = Literal["token", "example"]
LOSS_CHUNK = 512  # tokens whose logits are in memory at once: 100 MB in float32 for a vocabulary of 49,152


class LongTrainer(SFTTrainer):  # type: ignore[misc]
    """TRL's trainer with a loss that may weigh examples alike, and is fast where it runs on one CPU.

    TRL's own avoids full logits too, but without a GPU it projects every token of the prompt, in many small steps; with
    an answer behind a document that is more than half of the time.
    """

    def __init__(self, *, params: TrainingParams, loss_weighting: LossWeighting, **arguments: Any) -> None:
        """Take TRL's arguments, the recipe's, and whether tokens or examples count alike."""
        self.params = params
        self.loss_weighting = loss_weighting
        self.sequence_group = join_sequence_group(params.sequence_parallel)
        super().__init__(**arguments)

    def create_optimizer(self, model: torch.nn.Module | None = None) -> torch.optim.Optimizer:
        """Return the optimizer, in which an embedding that is trained whole may have a rate of its own.

        Each of its entries moves by the rate at a step, and so does a low-rank factor's; but those of a factor are few
        and their product is small. What suits the factors can undo the embedding.
        """
        optimizer: torch.optim.Optimizer = super().create_optimizer(model)
        if self.params.embedding_learning_rate is not None:
            named = (self.model if model is None else model).named_parameters()
            embeddings = {parameter for name, parameter in named if classify_parameter(name) == "embedding"}
            set_learning_rate(optimizer, embeddings, self.params.embedding_learning_rate)
        return optimizer

    def compute_loss(
        self,
        model: torch.nn.Module,
        inputs: dict[str, Any],
        return_outputs: bool = False,
        num_items_in_batch: Tensor | int | None = None,
    ) -> Any:
        """Return the mean loss of the labelled tokens, or of the examples, of all batches of a step together."""
        labels_BT, position_ids_BT = inputs["labels"], inputs.get("position_ids")
        sharing = self.sequence_group if model.training else None
        if sharing is not None:
            inputs = sharing.share(inputs)
            inputs["shift_labels"] = sharing.own_chunk(shift_left(labels_BT, IGNORED), IGNORED)
        is_alone_on_cpu = self.is_alone_on_cpu(labels_BT)
        if not is_alone_on_cpu and self.loss_weighting == "token":
            return super().compute_loss(model, inputs, return_outputs, num_items_in_batch)
        weights_BT = weigh_tokens(labels_BT, position_ids_BT, self.loss_weighting)
        weights_BT = weights_BT[:, 1:] if sharing is None else sharing.own_chunk(shift_left(weights_BT, 0.0), 0.0)
        if num_items_in_batch is None:
            num_items_in_batch = self.num_items(labels_BT, position_ids_BT)
            num_averaged = 1
        else:
            num_averaged = self.accelerator.num_processes  # whose gradients are averaged
        if is_alone_on_cpu:
            inputs.pop("labels")
            with self.accelerator.autocast():
                loss, _ = sum_token_losses(model, inputs, labels_BT, weights_BT)
        else:
            outputs = model(**inputs, use_cache=False, fused_lm_head=True)
            loss = -(outputs.log_probs * weights_BT).sum() * num_averaged
        loss = loss / num_items_in_batch
        return (loss, {}) if return_outputs else loss

    def is_alone_on_cpu(self, tensor: Tensor) -> bool:
        """Tell whether one process computes, without a GPU."""
        return self.accelerator.num_processes == 1 and tensor.device.type == "cpu"

    def num_items(self, labels_BT: Tensor, position_ids_BT: Tensor | None) -> Tensor:
        """Count what the loss is the mean of: labelled tokens, or examples with one."""
        if self.loss_weighting == "token":
            return make_loss_mask(labels_BT).sum()
        return count_examples(labels_BT, position_ids_BT)

    def _get_num_items_in_batch(self, batch_samples: list[dict[str, Any]], device: torch.device) -> Any:
        """Count what the loss of a step is the mean of, in all its batches and processes."""
        numbers = [self.num_items(batch["labels"], batch.get("position_ids")) for batch in batch_samples]
        total = torch.stack(numbers).sum().to(device)
        if self.args.world_size == 1:
            return total
        return self.accelerator.gather(total).sum() // self.params.sequence_parallel

    def _get_train_sampler(self, train_dataset: datasets.Dataset | None = None) -> Sampler[int] | None:
        """Return the order of the rows, in which all processes that share one get it."""
        if self.sequence_group is None:
            sampler: Sampler[int] | None = super()._get_train_sampler(train_dataset)
            return sampler
        rows = self.train_dataset if train_dataset is None else train_dataset
        return SharedSampler(rows, self.params.batch_size, self.sequence_group.size, self.params.seed)


def set_learning_rate(optimizer: torch.optim.Optimizer, parameters: set[torch.nn.Parameter], rate: float) -> None:
    """Give some of an optimizer's parameters a rate of their own, before its first step."""
    for group in list(optimizer.param_groups):
        own = [parameter for parameter in group["params"] if parameter in parameters]
        if own:
            group["params"] = [parameter for parameter in group["params"] if parameter not in parameters]
            optimizer.add_param_group({**group, "params": own, "lr": rate})


def shift_left(x_BT: Tensor, filling: float) -> Tensor:
    """Return for each token what the next one has; the last one of a row has none."""
    return pad(x_BT[:, 1:], (0, 1), value=filling)


def number_examples(labels_BT: Tensor, position_ids_BT: Tensor | None) -> Tensor:
    """Number the examples of a batch, from 0: rows, or what a packed row is packed of."""
    starts_BT = torch.zeros_like(labels_BT)
    starts_BT[:, 0] = 1
    if position_ids_BT is not None:
        starts_BT |= (position_ids_BT == 0).long()
    return starts_BT.flatten().cumsum(0).view_as(labels_BT) - 1


def make_loss_mask(labels_BT: Tensor) -> Tensor:
    """Tell which tokens are learned; the first of a row has none before it to be foretold from."""
    learned_BT: Tensor = labels_BT != IGNORED
    learned_BT[:, 0] = False
    return learned_BT


def count_examples(labels_BT: Tensor, position_ids_BT: Tensor | None) -> Tensor:
    """Count the examples with a token that is learned."""
    return torch.tensor(len(torch.unique(number_examples(labels_BT, position_ids_BT)[make_loss_mask(labels_BT)])))


def weigh_tokens(labels_BT: Tensor, position_ids_BT: Tensor | None, weighting: LossWeighting) -> Tensor:
    """Return what each token's loss counts: 1, or such that those of an example sum to 1.

    Source: LongAlign (arXiv 2401.18058), section 3.2: in a packed row, a mean over tokens drowns short answers.
    """
    learned_BT = make_loss_mask(labels_BT)
    if weighting == "token":
        return learned_BT.float()
    example_BT = number_examples(labels_BT, position_ids_BT)
    num_E = torch.bincount(example_BT[learned_BT], minlength=int(example_BT.max()) + 1)
    return learned_BT / num_E.clamp(min=1)[example_BT].float()


def sum_token_losses(
    model: torch.nn.Module, inputs: dict[str, Any], labels_BT: Tensor, weights_BT: Tensor | None = None
) -> tuple[Tensor, int]:
    """Return the sum of the labelled tokens' losses, each times its weight, and how many there are.

    A weight stands where the token is foretold, one place before it: (B, T - 1).
    """
    base: Any = model.get_base_model() if isinstance(model, PeftModel) else model
    hidden_BTM = base.base_model(**inputs, use_cache=False).last_hidden_state
    is_labelled_BT = make_loss_mask(labels_BT)[:, 1:]
    hidden_NM = hidden_BTM[:, :-1][is_labelled_BT]
    labels_N = labels_BT[:, 1:][is_labelled_BT]
    weights_N = torch.ones(len(labels_N), device=labels_N.device)
    if weights_BT is not None:
        weights_N = weights_BT[is_labelled_BT]
    return sum_losses_in_chunks(base.get_output_embeddings(), hidden_NM, labels_N, weights_N), len(labels_N)


def sum_losses_in_chunks(head: torch.nn.Module, hidden_NM: Tensor, labels_N: Tensor, weights_N: Tensor) -> Tensor:
    """Return the sum of tokens' losses, each times its weight, with the logits of a chunk at a time."""
    chunks = (torch.split(part, LOSS_CHUNK) for part in (hidden_NM, labels_N, weights_N))
    parts = [checkpoint(sum_chunk_losses, head, *chunk, use_reentrant=False) for chunk in zip(*chunks, strict=True)]
    return torch.stack(parts).sum()


def sum_chunk_losses(head: torch.nn.Module, hidden_NM: Tensor, labels_N: Tensor, weights_N: Tensor) -> Tensor:
    """Return the sum of some tokens' losses, each times its weight."""
    return (cross_entropy(head(hidden_NM).float(), labels_N, reduction="none") * weights_N).sum()
