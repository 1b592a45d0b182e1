"""Rows that several processes share: attention on stretches is attention on whole rows, with its gradients."""

import threading

import pytest
import torch
from transformers import LlamaConfig

from pipeline.errors import InputError
from tests.train.attention.s2_reference import dense_attention, row_mask
from train.attention.context_parallel import SharedRows, SharedSampler, check_sequence_parallel
from train.attention.registration import attend
from train.attention.segments import Segments

HEADS = [(2, 8, 8), (2, 8, 4), (2, 8, 2), (2, 4, 1), (3, 12, 6), (3, 12, 2), (4, 8, 8), (4, 16, 2), (1, 4, 4)]
GROUP = 6
SIZE = 4  # of a head


class Board:
    """Lets threads swap tensors as processes do by all-to-all; gradients flow back through it."""

    def __init__(self, num):
        self.barrier = threading.Barrier(num, timeout=30)
        self.parts = [None] * num

    def exchange(self, rank):
        def swap(parts):
            self.parts[rank] = parts
            self.barrier.wait()
            received = torch.stack([sent[rank] for sent in self.parts])
            self.barrier.wait()
            return received

        return swap


def by_threads(num, work):
    """Run `work(rank, exchange)` in threads and return what each returned."""
    board, results = Board(num), [None] * num

    def run(rank):
        results[rank] = work(rank, board.exchange(rank))

    threads = [threading.Thread(target=run, args=(rank,)) for rank in range(num)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return results


@pytest.mark.parametrize(("num", "heads", "kv_heads"), HEADS)
@pytest.mark.parametrize("packed", [False, True])
def test_stretches_together_are_whole_rows(num, heads, kv_heads, packed):
    torch.manual_seed(0)
    length = 12 * num
    ids = [0] * 7 + [1] * (length - 10) + [-1] * 3 if packed else [0] * length
    shapes = [(2, count, length, SIZE) for count in (heads, kv_heads, kv_heads)]
    whole = [torch.randn(shape, dtype=torch.float64, requires_grad=True) for shape in shapes]
    masks = row_mask(heads, GROUP, ids).expand(2, -1, -1, -1)
    wanted = dense_attention(*whole, masks).transpose(1, 2)
    weights = torch.randn_like(wanted)
    wanted_grads = torch.autograd.grad((wanted * weights).sum(), whole)
    ids_BT = torch.tensor([ids, ids]) if packed else None

    def work(rank, exchange):
        rows = SharedRows(num, exchange, ids_BT)
        own = [x.chunk(num, dim=2)[rank] for x in whole]

        def attend_whole(q, k, v):
            assert q.shape[1] == heads // num
            segments = rows.cached_segments(GROUP, q.shape[0], q.shape[2])
            return attend(q, k, v, segments, backend="sdpa")

        return rows.attend(*own, attend_whole)

    out = torch.cat(by_threads(num, work), dim=1)
    torch.testing.assert_close(out, wanted, rtol=0, atol=1e-12)
    for found, grad in zip(torch.autograd.grad((out * weights).sum(), whole), wanted_grads, strict=True):
        torch.testing.assert_close(found, grad, rtol=0, atol=1e-12)


def test_every_process_has_plain_and_shifted_heads_alike():
    rows = [SharedRows(2, exchange, None) for exchange in (torch.clone, torch.clone)]
    heads = torch.arange(8.0).view(1, 8, 1, 1)
    sent = torch.unflatten(
        rows[0].scatter_heads(heads).flatten(), 0, (4, 2)
    )  # clone: what both would get, side by side
    assert sent[:, 0].tolist() == [0, 1, 4, 5]
    assert sent[:, 1].tolist() == [2, 3, 6, 7]


def test_segments_are_cut_once_for_all_layers():
    rows = SharedRows(2, torch.clone, None)
    assert isinstance(rows.cached_segments(4, 1, 8), Segments)
    assert rows.cached_segments(4, 1, 8) is rows.cached_segments(4, 1, 8)


def test_batches_are_dealt_out_so_that_those_who_share_get_the_same():
    dataset = list(range(7))
    alone = list(SharedSampler(dataset, 2, 1, seed=5))
    shared = SharedSampler(dataset, 2, 3, seed=5)
    assert sorted(alone) == dataset
    assert len(shared) == 21
    assert list(shared) == [number for at in range(0, 7, 2) for number in alone[at : at + 2] * 3]
    assert list(shared) != [number for at in range(0, 7, 2) for number in alone[at : at + 2] * 3]  # the next epoch
    shared.set_epoch(0)
    assert list(shared)[:2] == alone[:2]


@pytest.mark.parametrize(
    ("world", "size", "heads", "what"),
    [
        ("2", 3, 12, r"found 3 processes to a row, 2 in all"),
        ("3", 3, 9, r"found 3 for a model of 9 heads; expected .*none does"),
        ("4", 4, 12, r"found 4 for a model of 12 heads; expected .*1, 2, 3, 6"),
        ("1", 0, 8, r"found 0 processes to a row"),
    ],
)
def test_a_number_that_does_not_divide_is_refused_in_one_line(monkeypatch, world, size, heads, what):
    monkeypatch.setenv("WORLD_SIZE", world)
    config = LlamaConfig(hidden_size=8 * heads, num_attention_heads=heads, num_key_value_heads=heads)
    with pytest.raises(InputError, match=what):
        check_sequence_parallel(size, config, "extend")
    check_sequence_parallel(1, config, "extend")
