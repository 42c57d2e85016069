"""Faces for the embedding to learn from, each with what the teacher says of it.

4,502 pictures are few. So a face of the bank is either a real one, distorted, or a blend of two
under a smooth random mask; some are moved away from the mean face or towards it. Then come a
small change of shape, of light, of sharpness; and the teacher looks at the very result, so that
the student learns what the teacher does and not what one picture was called. People with many
pictures are drawn less often than their pictures would have it.

    python faces.py --work WORK [--count 58000]
"""

import argparse
import pathlib
import time

import numpy as np
import torch
import torch.nn.functional as F
from data import MARGIN, held_out, session
from numpy.lib.format import open_memmap

SIDE = 112 + 2 * MARGIN
TEACHER_MEAN = torch.tensor([0.485, 0.456, 0.406]).view(1, 3, 1, 1)
TEACHER_STD = torch.tensor([0.229, 0.224, 0.225]).view(1, 3, 1, 1)


def ask(teacher, faces):
    """Embeddings of RGB faces [n,3,112,112], 0 to 1."""
    fed = ((faces - TEACHER_MEAN) / TEACHER_STD).numpy()
    return F.normalize(torch.from_numpy(teacher.run(None, {teacher.get_inputs()[0].name: fed})[0]))


def between(low, high, *shape):
    return torch.rand(*shape) * (high - low) + low


def some(share, n):
    return (torch.rand(n, 1, 1, 1) < share).float()


def smooth(n, channels, points):
    noise = torch.randn(n, channels, points, points)
    return F.interpolate(noise, size=SIDE, mode="bicubic", align_corners=True)


def reshaped(x):
    """Mirrored or not, turned, stretched, moved, and bent by up to three pixels."""
    n = len(x)
    scale, aspect, angle = 1 + between(-0.09, 0.09, n), 1 + between(-0.06, 0.06, n), between(-0.12, 0.12, n)
    mirror = (torch.rand(n) < 0.5).float() * 2 - 1
    affine = torch.zeros(n, 2, 3)
    affine[:, 0, 0] = scale * aspect * angle.cos() * mirror
    affine[:, 0, 1] = -scale * angle.sin()
    affine[:, 1, 0] = scale / aspect * angle.sin() * mirror
    affine[:, 1, 1] = scale / aspect * angle.cos()
    affine[:, :, 2] = between(-0.04, 0.04, n, 2)
    grid = F.affine_grid(affine, x.shape, align_corners=False)
    bend = smooth(n, 2, 4) * between(0, 3.0, n, 1, 1, 1) / 64
    return F.grid_sample(x, grid + bend.permute(0, 2, 3, 1), padding_mode="reflection", align_corners=False)


def relit(x):
    """Gamma, contrast, colour, light from a side, grey pictures, low resolution, noise."""
    n = len(x)
    x = x.clamp(0, 1) ** torch.exp(between(-0.45, 0.45, n, 1, 1, 1))
    x = x * between(0.7, 1.25, n, 1, 1, 1) + between(-0.1, 0.1, n, 1, 1, 1)
    x = x * (1 + (torch.rand(n, 3, 1, 1) - 0.5) * 0.25)
    side = some(0.35, n) * between(0, 0.55, n, 1, 1, 1)
    x = x * (1 + side * smooth(n, 1, 2).clamp(-1.5, 1.5) * 0.6)
    grey = some(0.08, n)
    x = x * (1 - grey) + x.mean(1, keepdim=True) * grey
    for i in range(n):
        chance = torch.rand(1).item()
        if chance < 0.2:
            small = F.interpolate(x[i : i + 1], size=int(between(36, 90, 1)), mode="area")
            x[i : i + 1] = F.interpolate(small, size=SIDE, mode="bilinear")
        elif chance < 0.3:
            x[i] += torch.randn(3, SIDE, SIDE) * between(0.01, 0.07, 1)
    return x.clamp(0, 1)


class Faces:
    def __init__(self, work):
        stored = np.load(work / "pictures.npz")
        out, people, count = held_out(stored["name"])
        self.real = torch.from_numpy(stored["aligned"][~out]).flip(-1).permute(0, 3, 1, 2).contiguous()
        self.weight = torch.tensor([count[person] ** -0.5 for person in people[~out]])
        self.mean = self.real.float().mean(0, keepdim=True) / 255

    def draw(self, n):
        first, second = (self.real[torch.multinomial(self.weight, n, True)].float() / 255 for _ in range(2))
        mirrored = torch.rand(n) < 0.5
        second[mirrored] = second[mirrored].flip(-1)

        def statistics(x):
            return x.mean((2, 3), keepdim=True), x.std((2, 3), keepdim=True) + 0.01

        (mean_1, std_1), (mean_2, std_2) = statistics(first), statistics(second)
        t = between(0, 1, n, 1, 1, 1)
        second = (second - mean_2) / std_2 * (t * std_1 + (1 - t) * std_2) + (t * mean_1 + (1 - t) * mean_2)
        mask = torch.cat([smooth(1, 1, int(torch.randint(2, 6, (1,)))) for _ in range(n)])
        mask = torch.sigmoid(mask * between(1, 6, n, 1, 1, 1) + torch.randn(n, 1, 1, 1) * 0.6)
        flat = some(0.25, n)
        mask = mask * (1 - flat) + between(0.2, 0.8, n, 1, 1, 1) * flat
        unblended = some(0.42, n)
        mask = mask * (1 - unblended) + unblended
        face = first * mask + second * (1 - mask)
        caricature = some(0.25, n) * between(-0.25, 0.35, n, 1, 1, 1)
        face = face + caricature * (face - self.mean)
        return relit(reshaped(face.clamp(0, 1)))


def main():
    args = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    args.add_argument("--work", type=pathlib.Path, required=True)
    args.add_argument("--count", type=int, default=58_000)
    args.add_argument("--seed", type=int, default=11)
    args = args.parse_args()
    torch.set_num_threads(1)
    torch.manual_seed(args.seed)
    faces, teacher = Faces(args.work), session(args.work / "teacher.onnx")
    pictures = open_memmap(args.work / "faces_x.npy", "w+", np.uint8, (args.count, 3, SIDE, SIDE))
    embeddings = open_memmap(args.work / "faces_e.npy", "w+", np.float32, (args.count, 128))
    started = time.time()
    for start in range(0, args.count, 64):
        n = min(64, args.count - start)
        x = (faces.draw(n) * 255).round().byte()
        pictures[start : start + n] = x.numpy()
        inner = slice(MARGIN, SIDE - MARGIN)
        embeddings[start : start + n] = ask(teacher, x[:, :, inner, inner].float() / 255).numpy()
        if start % 6400 == 0:
            print(f"{start} faces, {time.time() - started:.0f} s", flush=True)
    pictures.flush()
    embeddings.flush()


if __name__ == "__main__":
    main()
