"""Run a stage under `accelerate launch` with FSDP on CPUs, where accelerate itself would leave FSDP out.

All else is what a user runs: the same launcher, configuration, stages and torch's FSDP2 over gloo.
"""

import os
import sys

import torch
from accelerate.state import AcceleratorState, DistributedType, PartialState

from pipeline.cli import main

initialise = AcceleratorState.__init__


def initialise_with_fsdp(self, *args, fsdp_plugin=None, **kwargs):
    """Let several processes on CPUs share a model as several GPUs do."""
    initialise(self, *args, fsdp_plugin=fsdp_plugin, **kwargs)
    if fsdp_plugin is not None and self.distributed_type == DistributedType.MULTI_CPU:
        self.distributed_type = DistributedType.FSDP
        self.fsdp_plugin = fsdp_plugin
        PartialState._shared_state["distributed_type"] = DistributedType.FSDP


if __name__ == "__main__":
    assert os.environ["ACCELERATE_USE_FSDP"] == "true"
    AcceleratorState.__init__ = initialise_with_fsdp
    torch.Tensor.pin_memory = lambda tensor: tensor  # to copy it faster, which only a GPU can
    main(sys.argv[1:])
