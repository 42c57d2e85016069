"""Trains the detector on composed scenes.

Each face is learnt at one or two of the three grid steps, by its size, and by the cells whose
middle lies within one step of the face's middle; cells a little further away count neither way,
nor does the middle of a face at the grid steps that are not its own. The error of the points is
measured in distances between the eyes, which is what the aligner minds.

    python train_detector.py --work WORK --steps 9000 [--threads 2]
"""

import argparse
import math
import pathlib
import pickle
import time

import numpy as np
import torch
import torch.nn.functional as F
from muon import optimisers, set_rate
from nets import STRIDES, Detector
from scenes import SIDE

BATCH = 24
# Smallest and largest face, as the root of its area in pixels, of each grid step.
SIZES = ((0, 60), (44, 140), (100, math.inf))


def targets(faces, uncounted, side):
    """For each grid step: whether each cell is a face (-1: not counted), and which face."""
    levels = []
    for stride, (smallest, largest) in zip(STRIDES, SIZES):
        n = side // stride
        is_face, whose = np.zeros((n, n), np.float32), np.full((n, n), -1, np.int64)
        nearest = np.full((n, n), 1e9, np.float32)
        row, column = np.mgrid[0:n, 0:n]
        x, y = (column + 0.5) * stride, (row + 0.5) * stride
        for f in uncounted:
            is_face[(x > f[0]) & (x < f[0] + f[2]) & (y > f[1]) & (y < f[1] + f[3])] = -1
        for number, f in enumerate(faces):
            size = math.sqrt(max(f[2] * f[3], 1))
            away = np.hypot(x - f[0] - f[2] / 2, y - f[1] - f[3] / 2)
            if smallest <= size < largest:
                near = away < stride
                is_face[(away < stride * 1.9) & ~near & (is_face == 0)] = -1
                mine = near & (away < nearest)
                is_face[near], whose[mine], nearest[mine] = 1, number, away[mine]
            else:
                is_face[(away < max(0.25 * size, stride)) & (is_face == 0)] = -1
        levels.append((is_face.ravel(), whose.ravel()))
    return levels


def smooth_l1(error, beta):
    return F.smooth_l1_loss(error, torch.zeros_like(error), beta=beta, reduction="sum")


def losses(map_, stride, is_face, whose, faces):
    """Summed losses of one grid step, for faces, boxes and points, and how many cells have a face."""
    columns, cells = map_.shape[3], map_.shape[2] * map_.shape[3]
    flat = map_.float().flatten(2).transpose(1, 2).reshape(-1, 15)
    counted = is_face >= 0
    logit, wanted = flat[counted, 0], is_face[counted]
    p = torch.sigmoid(logit).detach()
    # Focal (Lin et al. 2017): what is already right hardly counts.
    weight = torch.where(wanted > 0, 0.6 * (1 - p) + 0.4, p**2 + 0.02)
    face_loss = (F.binary_cross_entropy_with_logits(logit, wanted, reduction="none") * weight).sum()
    at = (whose >= 0).nonzero()[:, 0]
    if not len(at):
        return face_loss, 0.0, 0.0, 0
    f, values, cell = faces[whose[at]], flat[at, 1:], at % cells
    column, row = (cell % columns).float(), (cell // columns).float()
    middle = torch.stack([(f[:, 0] + f[:, 2] / 2) / stride - column, (f[:, 1] + f[:, 3] / 2) / stride - row], 1)
    box_loss = smooth_l1((values[:, :2] - middle) / (f[:, 2:3] / stride), 0.05)
    box_loss = box_loss + smooth_l1(values[:, 2:4] - torch.log(f[:, 2:4] / stride), 0.1)
    points = f[:, 4:].reshape(-1, 5, 2)
    eyes = (points[:, 0] - points[:, 1]).norm(dim=1, keepdim=True).maximum(0.25 * f[:, 2:3]) / stride
    coded = (points / stride - torch.stack([column, row], 1)[:, None]).reshape(-1, 10)
    # On a small face a pixel is much of the eye distance, and the label itself is as far off.
    trust = (f[:, 2:3] / 60).clamp(0.5, 2)
    error = F.smooth_l1_loss((values[:, 4:] - coded) / eyes, torch.zeros_like(coded), beta=0.02, reduction="none")
    return face_loss, box_loss, (error * trust).sum() / 5, len(at)


class Batches:
    def __init__(self, work, seed):
        self.scenes = np.load(work / "scenes_x.npy", mmap_mode="r")
        self.labels = pickle.loads((work / "scenes_y.pkl").read_bytes())
        self.chance = np.random.default_rng(seed)
        # A kiosk sees its people near: scenes with a face wider than 60 pixels come more often.
        near = [len(faces) > 0 and (faces[:, 2] * faces[:, 3]).max() > 3600 for faces, _ in self.labels]
        self.share = np.where(near, 2.5, 1.0) / np.where(near, 2.5, 1.0).sum()

    def draw(self):
        """Scenes of one random size, moved and relit, with the faces moved alike."""
        r = self.chance
        drawn = np.sort(r.choice(len(self.labels), size=BATCH, p=self.share))
        x = torch.from_numpy(self.scenes[drawn]).permute(0, 3, 1, 2).float()
        side = int(r.choice([256, 288, 320, 320, 352]))
        if side != SIDE:
            x = F.interpolate(x, size=side, mode="bilinear", align_corners=False, antialias=side < SIDE)
        right, down = (int(v) for v in r.integers(-20, 21, 2))
        x = F.pad(x, (right, -right, down, -down))
        x = x * (1 + (torch.rand(BATCH, 3, 1, 1) - 0.5) * 0.2) * (1 + (torch.rand(BATCH, 1, 1, 1) - 0.5) * 0.4)
        x = x + (torch.rand(BATCH, 1, 1, 1) - 0.5) * 30
        if r.random() < 0.3:
            x = x + torch.randn_like(x) * float(r.uniform(1, 8))
        x = (x.clamp(0, 255) - 127.5) / 127.5
        x = x.contiguous(memory_format=torch.channels_last)
        levels, everyone = [[], [], []], [np.zeros((0, 14), np.float32)]
        for number in drawn:
            rows = [kind * (side / SIDE) for kind in self.labels[number]]
            for kind in rows:
                kind[:, :2] += (right, down)
                kind[:, 4:] += np.tile((right, down), 5)
            before = sum(map(len, everyone))
            for level, (is_face, whose) in zip(levels, targets(*rows, side)):
                level.append((is_face, np.where(whose >= 0, whose + before, -1)))
            everyone.append(rows[0])
        levels = [[torch.from_numpy(np.concatenate(part)) for part in zip(*level)] for level in levels]
        return x, levels, torch.from_numpy(np.concatenate(everyone))


def main():
    args = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    args.add_argument("--work", type=pathlib.Path, required=True)
    args.add_argument("--steps", type=int, required=True)
    args.add_argument("--threads", type=int, default=1)
    args.add_argument("--seed", type=int, default=0)
    args.add_argument("--rate", type=float, default=0.01, help="of Muon, at the beginning")
    args.add_argument("--start", type=pathlib.Path, help="weights to go on from")
    args = args.parse_args()
    torch.set_num_threads(args.threads)
    torch.manual_seed(args.seed)
    batches = Batches(args.work, args.seed)
    detector = Detector().to(memory_format=torch.channels_last)
    if args.start:
        detector.load_state_dict(torch.load(args.start))
    learners = optimisers(detector, detector.kernels(), args.rate, 2e-3, 1e-4)
    started, shown = time.time(), np.zeros(3)
    for step in range(args.steps):
        set_rate(learners, min(1, (step + 1) / 200) * (1 - step / args.steps))
        x, levels, faces = batches.draw()
        with torch.autocast("cpu", torch.bfloat16):
            maps = detector(x)
        parts = [losses(map_, stride, *level, faces) for map_, stride, level in zip(maps, STRIDES, levels)]
        face, box, point, cells = (sum(kind) for kind in zip(*parts))
        loss = (face + 4 * box + 10 * point) / max(cells, 1)
        for learner, _ in learners:
            learner.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_([p for p in learners[1][0].param_groups[0]["params"]], 20.0)
        for learner, _ in learners:
            learner.step()
        now = np.array([float(torch.as_tensor(kind).detach()) / max(cells, 1) for kind in (face, box, point)])
        shown += (now - shown) * (0.02 if step else 1)
        if step % 100 == 99:
            kinds = "face {:.4f}, box {:.4f}, points {:.4f}".format(*shown)
            print(f"step {step + 1}, {time.time() - started:.0f} s: {kinds}", flush=True)
        if step % 500 == 499 or step + 1 == args.steps:
            torch.save(detector.state_dict(), args.work / "detector.pt")


if __name__ == "__main__":
    main()
