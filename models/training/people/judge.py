"""What the packs of the manifest say of a picture: faces, quality, embedding. The same steps as
src/face, for the models that are there."""

import tomllib
from pathlib import Path

import cv2
import numpy as np
import onnxruntime

from basis import FACE, similarity, the_one


def session(path):
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = 3
    return onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])


class Model:
    """A file with the normalisation of its entry."""

    def __init__(self, entry, folders):
        path = next((f / entry["file"] for f in folders if (f / entry["file"]).is_file()), None)
        if path is None:
            raise FileNotFoundError(entry["file"])
        self.run = session(path)
        self.input = self.run.get_inputs()[0].name
        self.rgb = entry["colour"] == "rgb"
        self.scale, self.mean, self.std = (np.float32(entry[k]) for k in ("scale", "mean", "std"))

    def __call__(self, picture):
        x = picture[..., ::-1] if self.rgb else picture
        x = (x.astype(np.float32) * self.scale - self.mean) / self.std
        out = self.run.run(None, {self.input: np.ascontiguousarray(x.transpose(2, 0, 1)[None])})
        return dict(zip([o.name for o in self.run.get_outputs()], out))


def blended(best, rows):
    """The mean of the rows that share half their area with this one (src/face/detect.rs)."""
    far, corner = best[:2] + best[2:4], rows[:, :2] + rows[:, 2:4]
    sides = np.clip(np.minimum(far, corner) - np.maximum(best[:2], rows[:, :2]), 0, None)
    shared = sides.prod(1)
    near = rows[shared >= 0.5 * (best[2:4].prod() + rows[:, 2:4].prod(1) - shared)]
    p = np.minimum(near[:, 14], 0.99999)
    return np.r_[np.average(near[:, :14], axis=0, weights=np.sqrt(p / (1 - p))), best[14]]


class Pack:
    """Detector and embedding of one [[pack]], and its threshold."""

    def __init__(self, entry, models, folders):
        self.name, self.match = entry["name"], entry["match"]["cosine"]
        self.confident = entry["confident"]["cosine"]
        self.confidence, self.nms = entry["detector_confidence"], entry["detector_nms"]
        self.sees_with = entry["detector"]
        self.blend = models[entry["detector"]]["post"] == "blend"
        self.detector = Model(models[entry["detector"]], folders)
        self.embedding = Model(models[entry["embedding"]], folders)
        self.output = models[entry["embedding"]]["output"]["name"]
        self.mirror = models[entry["embedding"]]["post"] == "mirror"

    def detect(self, picture):
        """Rows of x, y, w, h, five points, confidence (YuNet's twelve outputs)."""
        height, width = (-(-n // 32) * 32 for n in picture.shape[:2])
        padded = np.zeros((height, width, 3), np.uint8)
        padded[:picture.shape[0], :picture.shape[1]] = picture
        out, rows = self.detector(padded), []
        for stride in (8, 16, 32):
            part = {k: out[f"{k}_{stride}"].reshape(-1, n)
                    for k, n in (("cls", 1), ("obj", 1), ("bbox", 4), ("kps", 10))}
            score = np.sqrt(np.clip(part["cls"], 0, 1) * np.clip(part["obj"], 0, 1))[:, 0]
            i = np.flatnonzero(score > self.confidence)
            cell = np.stack([i % (width // stride), i // (width // stride)], 1)
            middle = (cell + part["bbox"][i, :2]) * stride
            size = np.exp(part["bbox"][i, 2:]) * stride
            points = (part["kps"][i].reshape(-1, 5, 2) + cell[:, None]) * stride
            rows.append(np.c_[middle - size / 2, size, points.reshape(-1, 10), score[i]])
        rows = np.concatenate(rows)
        if not len(rows):
            return rows
        keep = cv2.dnn.NMSBoxes(rows[:, :4].tolist(), rows[:, 14].tolist(), self.confidence, self.nms)
        found = rows[np.array(keep).reshape(-1)]
        if self.blend:
            found = np.array([blended(face, rows) for face in found])
        return found

    def look(self, picture, found=None):
        """Faces found; of the one in front its confidence, quality and embedding."""
        found = self.detect(picture) if found is None else found
        if not len(found):
            return None
        face = the_one(found, picture.shape)
        points = face[4:14].reshape(5, 2)
        aligned = cv2.warpAffine(picture, similarity(points, FACE), (112, 112))
        grey = cv2.cvtColor(aligned, cv2.COLOR_BGR2GRAY).astype(np.float32)
        return {
            "faces": len(found), "confidence": face[14],
            "eyes": np.linalg.norm(points[1] - points[0]), "brightness": grey.mean(),
            "sharpness": cv2.Laplacian(grey, cv2.CV_32F)[1:-1, 1:-1].var(),
            "embedding": self.embed(aligned),
        }

    def embed(self, aligned):
        """The unit vector of an aligned face, or the mean of its and its mirror image's."""
        views = [aligned, aligned[:, ::-1]] if self.mirror else [aligned]
        vectors = [self.embedding(view)[self.output][0] for view in views]
        mean = sum(v / np.linalg.norm(v) for v in vectors)
        return mean / np.linalg.norm(mean)


def packs(manifest, names, folders):
    """The packs of these names (all, if none is named) whose files are there."""
    text = tomllib.loads(Path(manifest).read_text())
    models = {model["name"]: model for model in text["model"]}
    there = []
    for entry in text["pack"]:
        if (names and entry["name"] not in names) or "match" not in entry:
            continue
        try:
            there.append(Pack(entry, models, folders))
        except FileNotFoundError as missing:
            print(f"pack {entry['name']}: no file {missing}, left out")
    return there
