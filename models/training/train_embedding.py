"""Distils the teacher into the embedding: the student's vector shall point where the teacher's does,
and faces of one batch shall be as similar to each other as they are to the teacher.

Shows, every 500 steps, how well it does on clean pictures of people whom it never saw.

    python train_embedding.py --work WORK --steps 9000 [--threads 2]
"""

import argparse
import pathlib
import time

import numpy as np
import torch
import torch.nn.functional as F
from data import MARGIN, held_out, session
from faces import SIDE, ask
from muon import optimisers, set_rate
from nets import Embedding

BATCH = 64


class HeldOut:
    """Pictures of people who are not in the bank, aligned, and the teacher's embeddings of them."""

    def __init__(self, work):
        stored = np.load(work / "pictures.npz")
        out, people, _ = held_out(stored["name"])
        inner = slice(MARGIN, SIDE - MARGIN)
        aligned = stored["aligned"][out][:, inner, inner, ::-1].copy()
        self.faces = torch.from_numpy(aligned).permute(0, 3, 1, 2).float() / 255
        teacher = session(work / "teacher.onnx")
        self.teacher = torch.cat([ask(teacher, part) for part in self.faces.split(32)])
        same = torch.from_numpy(people[out][:, None] == people[out][None])
        self.genuine, self.impostor = same.triu(1), (~same).triu(1)

    def judge(self, student):
        """Mean cosine to the teacher, and TAR at FAR 1e-3 over all pairs."""
        student.eval()
        with torch.no_grad(), torch.autocast("cpu", torch.bfloat16):
            parts = [student(part.sub(0.5).div(0.5).contiguous(memory_format=torch.channels_last)) for part in self.faces.split(64)]
        student.train()
        found = F.normalize(torch.cat(parts).float())
        scores = found @ found.T
        impostors = scores[self.impostor]
        threshold = impostors.kthvalue(int(len(impostors) * (1 - 1e-3))).values
        return (found * self.teacher).sum(1).mean().item(), (scores[self.genuine] >= threshold).float().mean().item()


def jittered(x, amount):
    """Bytes [n,3,128,128] to what the net is fed, as alignment and light vary a little."""
    n = len(x)
    x = x.float().div_(127.5).sub_(1)
    scale, angle = 1 + (torch.rand(n) - 0.5) * 0.06 * amount, (torch.rand(n) - 0.5) * 0.10 * amount
    mirror, k = (torch.rand(n) < 0.5).float() * 2 - 1, 112 / SIDE * scale
    affine = torch.zeros(n, 2, 3)
    affine[:, 0, 0], affine[:, 0, 1] = k * angle.cos() * mirror, -k * angle.sin()
    affine[:, 1, 0], affine[:, 1, 1] = k * angle.sin() * mirror, k * angle.cos()
    affine[:, :, 2] = (torch.rand(n, 2) - 0.5) * 0.05 * amount
    grid = F.affine_grid(affine, (n, 3, 112, 112), align_corners=False)
    x = F.grid_sample(x, grid, padding_mode="border", align_corners=False)
    x = x * (1 + (torch.rand(n, 3, 1, 1) - 0.5) * 0.16 * amount) * (1 + (torch.rand(n, 1, 1, 1) - 0.5) * 0.3 * amount)
    x = x + (torch.rand(n, 1, 1, 1) - 0.5) * 0.2 * amount
    return x.clamp(-1, 1).contiguous(memory_format=torch.channels_last)


def main():
    args = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    args.add_argument("--work", type=pathlib.Path, required=True)
    args.add_argument("--steps", type=int, required=True)
    args.add_argument("--threads", type=int, default=1)
    args.add_argument("--start", type=pathlib.Path, help="weights to go on from")
    args = args.parse_args()
    torch.set_num_threads(args.threads)
    torch.manual_seed(0)
    chance = np.random.default_rng(0)
    faces, embeddings = (np.load(args.work / f"faces_{kind}.npy", mmap_mode="r") for kind in "xe")
    exam = HeldOut(args.work)
    student = Embedding().to(memory_format=torch.channels_last)
    if args.start:
        student.load_state_dict(torch.load(args.start))
    learners = optimisers(student, student.kernels(), 0.02, 2e-3, 1e-3)
    started, near = time.time(), 0.0
    for step in range(args.steps):
        done = step / args.steps
        set_rate(learners, min(1, (step + 1) / 150) * (1 - done))
        drawn = np.sort(chance.integers(len(faces), size=BATCH))
        wanted = torch.from_numpy(embeddings[drawn])
        with torch.autocast("cpu", torch.bfloat16):
            found = student(jittered(torch.from_numpy(faces[drawn]), 1.0 if done < 0.75 else 0.6))
        found = found.float()
        cosine = (found * wanted).sum(1)
        likeness = (found @ found.T - wanted @ wanted.T).square().mean()
        loss = (1 - cosine).mean() + 2 * likeness
        for learner, _ in learners:
            learner.zero_grad()
        loss.backward()
        for learner, _ in learners:
            learner.step()
        near += (cosine.mean().item() - near) * (0.02 if step else 1)
        if step % 100 == 99:
            print(f"step {step + 1}, {time.time() - started:.0f} s, cosine {near:.4f}", flush=True)
        if step % 500 == 499 or step + 1 == args.steps:
            cosine, tar = exam.judge(student)
            print(f"  unseen people: cosine {cosine:.4f}, TAR at FAR 1e-3 {tar:.4f}", flush=True)
            torch.save(student.state_dict(), args.work / "embedding.pt")


if __name__ == "__main__":
    main()
