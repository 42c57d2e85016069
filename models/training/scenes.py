"""Scenes for the detector to learn from, composed of the pictures and the faces that YuNet found.

About a seventh of the scenes have no face; a fifth are one picture as it is, larger or smaller;
the others are one to four people pasted before something, from 22 pixels wide to nearly the whole
frame, turned by up to 38 degrees. Grounds are colours, gradients, and pieces of pictures that no
face touches. Some faces are covered, all kinds of light, blur, noise and compression follow.
A face that is mostly hidden or cut off is neither right nor wrong: it is left out of the loss.

    python scenes.py --work WORK [--count 12000]
"""

import argparse
import multiprocessing
import pathlib
import pickle

import cv2
import numpy as np
from numpy.lib.format import open_memmap

SIDE = 320
cv2.setNumThreads(1)


def moved(faces, affine):
    points = faces[:, 4:14].reshape(-1, 5, 2) @ affine[:, :2].T + affine[:, 2]
    centre = (faces[:, :2] + faces[:, 2:4] / 2) @ affine[:, :2].T + affine[:, 2]
    size = faces[:, 2:4] * np.sqrt(abs(np.linalg.det(affine[:, :2])))
    return np.concatenate([centre - size / 2, size, points.reshape(-1, 10)], 1)


def overlap(a, b):
    w = min(a[0] + a[2], b[0] + b[2]) - max(a[0], b[0])
    h = min(a[1] + a[3], b[1] + b[3]) - max(a[1], b[1])
    return 0 if w <= 0 or h <= 0 else w * h / (a[2] * a[3] + b[2] * b[3] - w * h)


def share_inside(face):
    w = min(face[0] + face[2], SIDE) - max(face[0], 0)
    h = min(face[1] + face[3], SIDE) - max(face[1], 0)
    return 0 if w <= 0 or h <= 0 else w * h / (face[2] * face[3])


def under(mask, face):
    x, y, w, h = (int(v) for v in (max(0, face[0]), max(0, face[1]), face[2], face[3]))
    return mask[y : y + h, x : x + w]


class Scenes:
    def __init__(self, work):
        pictures = np.load(work / "pictures.npz")["pictures"]
        self.pictures = np.concatenate([pictures, pictures[:, :, ::-1]])
        labels = np.load(work / "labels.npz")["faces"]
        self.faces = [labels[labels[:, 0] == i][:, 1:] for i in range(len(self.pictures))]

    def faceless_piece(self):
        r = self.r
        while True:
            i, h, w = r.integers(len(self.pictures)), int(r.integers(24, 140)), int(r.integers(24, 140))
            for _ in range(6):
                x, y = int(r.integers(0, 251 - w)), int(r.integers(0, 251 - h))
                if all(
                    x + w < f[0] - 0.15 * f[2] or x > f[0] + 1.15 * f[2] or y + h < f[1] - 0.3 * f[3] or y > f[1] + 1.15 * f[3]
                    for f in self.faces[i]
                ):
                    return self.pictures[i, y : y + h, x : x + w]

    def ground(self):
        r, kind = self.r, self.r.random()
        if kind < 0.12:
            scene = np.full((SIDE, SIDE, 3), r.integers(0, 256, 3), np.uint8)
        elif kind < 0.22:
            few = r.integers(0, 256, (int(r.integers(2, 9)), int(r.integers(2, 9)), 3)).astype(np.uint8)
            scene = cv2.resize(few, (SIDE, SIDE), interpolation=cv2.INTER_CUBIC)
        else:
            scene = cv2.resize(self.faceless_piece(), (SIDE, SIDE))
        for _ in range(int(r.integers(0, 9))):
            piece, k = self.faceless_piece(), r.uniform(0.6, 3.2)
            h, w = min(SIDE, int(piece.shape[0] * k)), min(SIDE, int(piece.shape[1] * k))
            x, y = int(r.integers(0, SIDE - w + 1)), int(r.integers(0, SIDE - h + 1))
            scene[y : y + h, x : x + w] = cv2.resize(piece, (w, h))
        for _ in range(int(r.integers(0, 4)) if r.random() < 0.4 else 0):
            x, y = (int(v) for v in r.integers(0, SIDE, 2))
            w, h = (int(v) for v in r.integers(5, 160, 2))
            colour = tuple(int(v) for v in r.integers(0, 256, 3))
            if r.random() < 0.5:
                cv2.rectangle(scene, (x, y), (x + w, y + h), colour, -1)
            else:
                cv2.ellipse(scene, (x, y), (w // 2, h // 2), float(r.uniform(0, 180)), 0, 360, colour, -1)
        return scene

    def whole_picture(self):
        r, i = self.r, self.r.integers(len(self.pictures))
        k, angle = r.uniform(0.55, 1.28), r.normal() * 5 * np.pi / 180
        turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]]) * k
        affine = np.c_[turn, 125 * k - turn @ [125, 125]]
        side = min(int(250 * k), SIDE)
        scene = np.zeros((SIDE, SIDE, 3), np.uint8)
        border = cv2.BORDER_REPLICATE if r.random() < 0.5 else cv2.BORDER_CONSTANT
        scene[:side, :side] = cv2.warpAffine(self.pictures[i], affine, (side, side), borderMode=border)
        faces, uncounted = [], []
        for face in moved(self.faces[i], affine):
            (faces if share_inside(face) > 0.7 and face[2] > 14 else uncounted).append(face)
        return scene, faces, uncounted

    def people(self):
        r, scene = self.r, self.ground()
        faces, uncounted, taken = [], [], []
        wanted = 1 + (r.random() < 0.35) + (r.random() < 0.2) + (r.random() < 0.15)
        for _ in range(wanted):
            i = r.integers(len(self.pictures))
            largest = int((self.faces[i][:, 2] * self.faces[i][:, 3]).argmax())
            face = self.faces[i][largest]
            width = np.exp(r.uniform(np.log(22), np.log(290 if wanted == 1 else 130)))
            k, angle = width / face[2], np.clip(r.normal() * 13, -38, 38) * np.pi / 180
            x = r.uniform(width * 0.25, SIDE - width * 0.25) if width < SIDE * 0.8 else r.uniform(0.35, 0.65) * SIDE
            y = r.uniform(width * 0.3, SIDE - width * 0.3) if width < SIDE * 0.75 else r.uniform(0.35, 0.65) * SIDE
            turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]]) * k
            affine = np.c_[turn, np.array([x, y]) - turn @ (face[:2] + face[2:4] / 2)]
            everyone = moved(self.faces[i], affine)
            if any(overlap(everyone[largest], other) > 0.05 for other in taken):
                continue
            patch = cv2.warpAffine(
                self.pictures[i], affine, (SIDE, SIDE), flags=cv2.INTER_AREA if k < 0.6 else cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
            )
            mask = cv2.warpAffine(self.cut_out(face), affine, (SIDE, SIDE))
            if r.random() < 0.5:
                mask = cv2.GaussianBlur(mask, (0, 0), max(0.6, 0.04 * width))
            hidden = [(z := under(mask, f)).size and (z > 60).mean() > 0.15 for f in faces]
            uncounted += [f for f, h in zip(faces, hidden) if h]
            faces = [f for f, h in zip(faces, hidden) if not h]
            share = mask[..., None].astype(np.float32) / 255
            scene = (scene * (1 - share) + patch * share).astype(np.uint8)
            taken.append(everyone[largest])
            for f in everyone:
                z = under(mask, f)
                shown = (z > 128).mean() if z.size else 0
                if share_inside(f) > 0.68 and shown > 0.8 and f[2] > 16:
                    faces.append(f)
                elif share_inside(f) > 0.05 and shown > 0.1:
                    uncounted.append(f)
        return scene, faces, uncounted

    def cut_out(self, face):
        """How much of the picture around the face comes along, as a rectangle or an ellipse."""
        r, e = self.r, self.r.uniform(0.08, 0.9)
        x0, y0 = max(0, face[0] - e * face[2]), max(0, face[1] - e * face[3])
        x1, y1 = min(250, face[0] + face[2] * (1 + e)), min(250, face[1] + face[3] * (1 + e))
        mask = np.zeros((250, 250), np.uint8)
        if r.random() < 0.5:
            mask[int(y0) : int(y1), int(x0) : int(x1)] = 255
        else:
            centre, axes = (int((x0 + x1) / 2), int((y0 + y1) / 2)), (int((x1 - x0) * 0.56), int((y1 - y0) * 0.56))
            cv2.ellipse(mask, centre, axes, 0, 0, 360, 255, -1)
        return mask

    def cover(self, scene, face):
        """Now and then a mask over mouth and nose, or something held before the face."""
        r, chance = self.r, self.r.random()
        x, y, w, h = face[:4]
        if chance < 0.06:
            top = (int(x - 0.05 * w), int(y + h * r.uniform(0.55, 0.68)))
            colour = tuple(int(v) for v in r.integers(0, 256, 3))
            cv2.rectangle(scene, top, (int(x + 1.05 * w), int(y + h * 1.05)), colour, -1)
        elif chance < 0.12:
            a, b = r.uniform(0.15, 0.5, 2)
            left, top = max(0, int(x + r.uniform(-0.1, 1) * w)), max(0, int(y + r.uniform(0, 0.9) * h))
            place = scene[top : top + max(2, int(b * h)), left : left + max(2, int(a * w))]
            if place.size:
                place[:] = cv2.resize(self.faceless_piece(), (place.shape[1], place.shape[0]))

    def photographed(self, scene):
        r, scene = self.r, scene.astype(np.float32)
        if r.random() < 0.5:
            scene = 255 * (np.clip(scene / 255, 0, 1) ** np.exp(r.uniform(-0.7, 0.8)))
        if r.random() < 0.5:
            scene = (scene - 128) * r.uniform(0.5, 1.4) + 128 + r.uniform(-45, 45)
        if r.random() < 0.3:
            scene *= r.uniform(0.8, 1.2, 3).astype(np.float32)
        if r.random() < 0.25:
            scene *= cv2.resize(r.uniform(0.35, 1.4, (2, 2)).astype(np.float32), (SIDE, SIDE))[..., None]
        if r.random() < 0.08:
            scene[:] = scene.mean(2, keepdims=True)
        chance = r.random()
        if chance < 0.12:
            scene = cv2.GaussianBlur(scene, (0, 0), r.uniform(0.5, 2.2))
        elif chance < 0.18:
            n = int(r.integers(3, 9))
            line = np.zeros((n, n), np.float32)
            line[n // 2] = 1 / n
            turn = cv2.getRotationMatrix2D((n / 2 - 0.5, n / 2 - 0.5), r.uniform(0, 180), 1)
            scene = cv2.filter2D(scene, -1, cv2.warpAffine(line, turn, (n, n)))
        if r.random() < 0.35:
            scene += r.normal(size=scene.shape).astype(np.float32) * r.uniform(1, 14)
        scene = np.clip(scene, 0, 255).astype(np.uint8)
        if r.random() < 0.25:
            scene = cv2.imdecode(cv2.imencode(".jpg", scene, [cv2.IMWRITE_JPEG_QUALITY, int(r.integers(25, 90))])[1], 1)
        return scene

    def draw(self, seed):
        """A scene, the faces in it, and those that count neither way: rows of box and points."""
        self.r = np.random.default_rng(seed)
        chance = self.r.random()
        if chance < 0.14:
            scene, faces, uncounted = self.ground(), [], []
        elif chance < 0.36:
            scene, faces, uncounted = self.whole_picture()
        else:
            scene, faces, uncounted = self.people()
        for face in faces:
            self.cover(scene, face)
        rows = [np.array(f, np.float32).reshape(-1, 14) for f in (faces, uncounted)]
        return self.photographed(scene), *rows


def compose_from(work):
    global SCENES
    SCENES = Scenes(work)


def compose(seed):
    return SCENES.draw(seed)


def main():
    args = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    args.add_argument("--work", type=pathlib.Path, required=True)
    args.add_argument("--count", type=int, default=12_000)
    args.add_argument("--seed", type=int, default=5)
    args = args.parse_args()
    stored = open_memmap(args.work / "scenes_x.npy", "w+", np.uint8, (args.count, SIDE, SIDE, 3))
    labels = []
    seeds = ((args.seed, number) for number in range(args.count))
    with multiprocessing.Pool(initializer=compose_from, initargs=(args.work,)) as pool:
        for number, (scene, *rows) in enumerate(pool.imap(compose, seeds, chunksize=16)):
            stored[number] = scene
            labels.append(rows)
    stored.flush()
    (args.work / "scenes_y.pkl").write_bytes(pickle.dumps(labels))
    print(f"{args.count} scenes, {sum(len(faces) for faces, _ in labels)} faces")


if __name__ == "__main__":
    main()
