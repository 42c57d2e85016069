"""Muon: momentum whose direction is orthogonalised, for the kernels of convolutions.

Keller Jordan et al., "Muon: An optimizer for hidden layers in neural networks" (2024): five steps of
a Newton-Schulz iteration turn the momentum of a weight matrix into a nearly orthogonal one. On
these small nets it halves the steps that AdamW needs (models/training/README.md has the figures).
"""

import torch


class Muon(torch.optim.Optimizer):
    def __init__(self, kernels, lr, momentum=0.95, weight_decay=0.01):
        super().__init__(kernels, {"lr": lr, "momentum": momentum, "weight_decay": weight_decay})

    @torch.no_grad()
    def step(self):
        for group in self.param_groups:
            for kernel in group["params"]:
                state = self.state[kernel]
                if "moving" not in state:
                    state["moving"] = torch.zeros_like(kernel)
                moving = state["moving"]
                moving.mul_(group["momentum"]).add_(kernel.grad)
                matrix = (kernel.grad + group["momentum"] * moving).flatten(1)
                tall = matrix.shape[0] > matrix.shape[1]
                matrix = orthogonal(matrix.T if tall else matrix)
                matrix = matrix.T if tall else matrix
                rate = group["lr"] * max(1, matrix.shape[0] / matrix.shape[1]) ** 0.5
                kernel.mul_(1 - group["lr"] * group["weight_decay"])
                kernel.add_(matrix.reshape(kernel.shape).float(), alpha=-rate)


def orthogonal(wide):
    wide = (wide / (wide.norm() + 1e-7)).bfloat16()
    for _ in range(5):
        square = wide @ wide.T
        wide = 3.4445 * wide + (-4.775 * square + 2.0315 * square @ square) @ wide
    return wide


def optimisers(model, kernels, muon_rate, adam_rate, adam_decay):
    """Muon for the kernels, AdamW for everything else; each with the rate it begins with."""
    chosen = {id(kernel) for kernel in kernels}
    rest = [parameter for parameter in model.parameters() if id(parameter) not in chosen]
    return [(Muon(kernels, 1.0), muon_rate), (torch.optim.AdamW(rest, lr=1.0, weight_decay=adam_decay), adam_rate)]


def set_rate(optimisers, share):
    for optimiser, rate in optimisers:
        for group in optimiser.param_groups:
            group["lr"] = rate * share + 1e-6
