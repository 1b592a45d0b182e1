"""The loss of next tokens, with logits only where there is a label and only a chunk of them at a time.

Shape suffixes: B rows, T tokens of a row, M model width, N tokens with a label.
"""
# ruff: noqa: N803, N806 - shape suffixes on tensors

from typing import Any, Literal

import datasets
import torch
from torch import Tensor
from torch.nn.functional import cross_entropy, pad
from torch.utils.checkpoint import checkpoint
from torch.utils.data import Sampler
from trl import SFTTrainer

from train.attention.context_parallel import SharedSampler, join_sequence_group
from train.data.token_cache import IGNORED
from train.recipe import TrainingParams
from train.trainer.head import compute_hidden_states, predict_logits, unwrap_adapter
from train.trainer.lora import classify_parameter

LossWeighting = Literal["token", "example"]
LOSS_CHUNK = 512  # tokens whose logits are in memory at once: 100 MB in float32 for a vocabulary of 49,152


class LongTrainer(SFTTrainer):  # type: ignore[misc]
    """TRL's trainer with a loss that can give every example the same weight and is fast on a single CPU.

    TRL's own loss avoids full logits too, but without a GPU it projects every token of the prompt in many small steps.
    With a long document before a short answer that is more than half of the time.
    """

    def __init__(self, *, params: TrainingParams, loss_weighting: LossWeighting, **arguments: Any) -> None:
        """Take TRL's arguments, the recipe's section, and whether each token or each example has the same weight."""
        self.params = params
        self.loss_weighting = loss_weighting
        self.sequence_group = join_sequence_group(params.sequence_parallel)
        super().__init__(**arguments)

    def create_optimizer(self, model: torch.nn.Module | None = None) -> torch.optim.Optimizer:
        """Return the optimizer, with a learning rate of its own for the embedding if the recipe sets one.

        AdamW moves each entry by about the learning rate. LoRA's factors are small and so is their product, so a rate
        that suits them can be too high for an embedding.
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
        """Return the loss of a batch, scaled to the mean over tokens or examples of all batches of the step."""
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
        """Whether a single process trains, without a GPU."""
        return self.accelerator.num_processes == 1 and tensor.device.type == "cpu"

    def num_items(self, labels_BT: Tensor, position_ids_BT: Tensor | None) -> Tensor:
        """Count what the loss is averaged over: tokens with a label, or examples with such a token."""
        if self.loss_weighting == "token":
            return make_loss_mask(labels_BT).sum()
        return count_examples(labels_BT, position_ids_BT)

    def _get_num_items_in_batch(self, batch_samples: list[dict[str, Any]], device: torch.device) -> Any:
        """Count what the loss of a step is averaged over, in all its batches and processes."""
        numbers = [self.num_items(batch["labels"], batch.get("position_ids")) for batch in batch_samples]
        total = torch.stack(numbers).sum().to(device)
        if self.args.world_size == 1:
            return total
        return self.accelerator.gather(total).sum() // self.params.sequence_parallel

    def _get_train_sampler(self, train_dataset: datasets.Dataset | None = None) -> Sampler[int] | None:
        """Return the order of the rows, in which processes that share a row all get it."""
        if self.sequence_group is None:
            sampler: Sampler[int] | None = super()._get_train_sampler(train_dataset)
            return sampler
        rows = self.train_dataset if train_dataset is None else train_dataset
        return SharedSampler(rows, self.params.batch_size, self.sequence_group.size, self.params.seed)


def set_learning_rate(optimizer: torch.optim.Optimizer, parameters: set[torch.nn.Parameter], rate: float) -> None:
    """Set the learning rate of some parameters of an optimizer, before its first step."""
    for group in list(optimizer.param_groups):
        own = [parameter for parameter in group["params"] if parameter in parameters]
        if own:
            group["params"] = [parameter for parameter in group["params"] if parameter not in parameters]
            optimizer.add_param_group({**group, "params": own, "lr": rate})


def shift_left(x_BT: Tensor, filling: float) -> Tensor:
    """Return each token's next value: (1, 2, 3) becomes (2, 3, `filling`)."""
    return pad(x_BT[:, 1:], (0, 1), value=filling)


def number_examples(labels_BT: Tensor, position_ids_BT: Tensor | None) -> Tensor:
    """Return each token's example, numbered from 0 over the batch: a row, or one of the examples packed into it."""
    starts_BT = torch.zeros_like(labels_BT)
    starts_BT[:, 0] = 1
    if position_ids_BT is not None:
        starts_BT |= (position_ids_BT == 0).long()
    return starts_BT.flatten().cumsum(0).view_as(labels_BT) - 1


def make_loss_mask(labels_BT: Tensor) -> Tensor:
    """Return the loss mask (B, T); a row's first token has no context to predict it."""
    mask_BT: Tensor = labels_BT != IGNORED
    mask_BT[:, 0] = False
    return mask_BT


def count_examples(labels_BT: Tensor, position_ids_BT: Tensor | None) -> Tensor:
    """Count the examples with a token that counts in the loss."""
    return torch.tensor(len(torch.unique(number_examples(labels_BT, position_ids_BT)[make_loss_mask(labels_BT)])))


def weigh_tokens(labels_BT: Tensor, position_ids_BT: Tensor | None, weighting: LossWeighting) -> Tensor:
    """Return the weight of each token's loss: 1, or such that the weights of an example sum to 1.

    Source: LongAlign (arXiv 2401.18058), section 3.2: in a packed row, a mean over tokens drowns short answers.
    """
    mask_BT = make_loss_mask(labels_BT)
    if weighting == "token":
        return mask_BT.float()
    example_BT = number_examples(labels_BT, position_ids_BT)
    num_E = torch.bincount(example_BT[mask_BT], minlength=int(example_BT.max()) + 1)
    return mask_BT / num_E.clamp(min=1)[example_BT].float()


def sum_token_losses(
    model: torch.nn.Module, inputs: dict[str, Any], labels_BT: Tensor, weights_BT: Tensor | None = None
) -> tuple[Tensor, int]:
    """Return the weighted sum of the losses of all tokens with a label, and the number of these tokens.

    Weights have the shape (B, T - 1): that of a token is at the position that predicts it, one before the token.
    """
    base = unwrap_adapter(model)
    hidden_BTM = compute_hidden_states(base, **inputs)
    is_labelled_BT = make_loss_mask(labels_BT)[:, 1:]
    hidden_NM = hidden_BTM[:, :-1][is_labelled_BT]
    labels_N = labels_BT[:, 1:][is_labelled_BT]
    weights_N = torch.ones(len(labels_N), device=labels_N.device)
    if weights_BT is not None:
        weights_N = weights_BT[is_labelled_BT]
    return sum_losses_in_chunks(base, hidden_NM, labels_N, weights_N), len(labels_N)


def sum_losses_in_chunks(model: Any, hidden_NM: Tensor, labels_N: Tensor, weights_N: Tensor) -> Tensor:
    """Return the weighted sum of tokens' losses, with the logits of one chunk in memory at a time."""
    chunks = (torch.split(part, LOSS_CHUNK) for part in (hidden_NM, labels_N, weights_N))
    parts = [checkpoint(sum_chunk_losses, model, *chunk, use_reentrant=False) for chunk in zip(*chunks, strict=True)]
    return torch.stack(parts).sum()


def sum_chunk_losses(model: Any, hidden_NM: Tensor, labels_N: Tensor, weights_N: Tensor) -> Tensor:
    """Return the weighted sum of the losses of one chunk of tokens."""
    logits_NV = predict_logits(model, hidden_NM).float()
    return (cross_entropy(logits_NV, labels_N, reduction="none") * weights_N).sum()
