"""The two nets. Plain 3 x 3 and 1 x 1 convolutions and ReLU only: what every runtime does fast.

Depthwise convolutions and PReLU save multiplications, and cost time (docs/decisions/0012).
"""

import torch
import torch.nn.functional as F
from torch import nn

STRIDES = (8, 16, 32)


def conv(i, o, kernel=3, stride=1, relu=True):
    layers = [nn.Conv2d(i, o, kernel, stride, kernel // 2, bias=False), nn.BatchNorm2d(o)]
    return nn.Sequential(*layers, *([nn.ReLU(True)] if relu else []))


class Bottleneck(nn.Module):
    """x + (1 x 1, 3 x 3, 1 x 1), narrower inside (He et al. 2016)."""

    def __init__(self, outside, inside):
        super().__init__()
        self.f = nn.Sequential(conv(outside, inside, 1), conv(inside, inside), conv(inside, outside, 1, relu=False))

    def forward(self, x):
        return F.relu(x + self.f(x))


class Embedding(nn.Module):
    """[n,3,112,112], RGB, (v - 127.5) / 127.5, to [n,128] of length 1."""

    def __init__(self):
        super().__init__()
        body = [conv(3, 24, 3, 2), conv(24, 64, 3, 2), *(Bottleneck(64, 32) for _ in range(2))]
        body += [conv(64, 128, 3, 2), *(Bottleneck(128, 64) for _ in range(4))]
        body += [conv(128, 256, 3, 2), *(Bottleneck(256, 96) for _ in range(2)), conv(256, 512, 1)]
        # Each channel weighs the 7 x 7 places in its own way (MobileFaceNet, Chen et al. 2018).
        head = [nn.Conv2d(512, 512, 7, groups=512, bias=False), nn.BatchNorm2d(512)]
        head += [nn.Conv2d(512, 128, 1, bias=False), nn.Flatten(), nn.BatchNorm1d(128)]
        self.f = nn.Sequential(*body, *head)

    def kernels(self):
        return [p for p in self.parameters() if p.ndim == 4 and p.shape[1] > 1 and p[0].numel() > 27]

    def forward(self, x):
        return F.normalize(self.f(x))


class Detector(nn.Module):
    """[n,3,h,w], BGR, (v - 127.5) / 127.5, to three maps of 15 values a cell: whether a face's
    centre lies here, its box (4), its points (10), coded as YuNet codes them."""

    def __init__(self):
        super().__init__()
        self.a = nn.Sequential(conv(3, 16, 3, 2), conv(16, 16, 3, 2))
        self.s8 = nn.Sequential(conv(16, 32, 3, 2), Bottleneck(32, 16))
        self.s16 = nn.Sequential(conv(32, 64, 3, 2), *(Bottleneck(64, 32) for _ in range(2)))
        self.s32 = nn.Sequential(conv(64, 96, 3, 2), *(Bottleneck(96, 48) for _ in range(2)))
        self.l8, self.l16, self.l32 = nn.Conv2d(32, 32, 1), nn.Conv2d(64, 32, 1), nn.Conv2d(96, 32, 1)
        self.h = nn.ModuleList([nn.Sequential(conv(32, 32), nn.Conv2d(32, 15, 1)) for _ in STRIDES])
        for head in self.h:
            nn.init.normal_(head[-1].weight, std=0.01)
            nn.init.zeros_(head[-1].bias)
            head[-1].bias.data[0] = -4.0  # at first, nowhere is a face

    def kernels(self):
        return [p for p in self.parameters() if p.ndim == 4 and p.shape[0] > 15 and p.shape[1] > 15]

    def forward(self, x):
        def larger(map_):
            return F.interpolate(map_, scale_factor=2.0, mode="nearest")

        a = self.s8(self.a(x))
        b = self.s16(a)
        p32 = self.l32(self.s32(b))
        p16 = self.l16(b) + larger(p32)
        p8 = self.l8(a) + larger(p16)
        return [head(F.relu(p)) for head, p in zip(self.h, (p8, p16, p32))]


class AsYuNet(nn.Module):
    """The detector with the twelve outputs that the manifest calls `post = "yunet"`."""

    NAMES = [f"{kind}_{stride}" for kind in ("cls", "obj", "bbox", "kps") for stride in STRIDES]

    def __init__(self, detector):
        super().__init__()
        self.detector = detector

    def forward(self, x):
        maps = [y.flatten(2).transpose(1, 2) for y in self.detector(x)]
        face = [torch.sigmoid(y[..., :1]) for y in maps]
        return (*face, *face, *(y[..., 1:5] for y in maps), *(y[..., 5:] for y in maps))
