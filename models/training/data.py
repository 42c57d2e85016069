"""The pictures and labels that both nets are trained on, made once from ROLLCALL_DATA.

Reads faces/lfw-rest.tar (5,031 pictures, 250 x 250) and finds the faces with YuNet at confidence
0.6. YuNet's answer moves by 4 % of the distance between the eyes when the picture moves by a few
pixels, so a label is the mean of its answers on twelve moved copies. They are as large as the
pictures that a kiosk shows to the net: YuNet answers otherwise on smaller ones. Nor does it see a
face and its mirror image alike, so the mirror image of each picture has labels of its own. Writes
three files into the working folder:

    pictures.npz   pictures [n,250,250,3] BGR bytes, aligned [n,128,128,3] BGR bytes (the face in
                   front on the usual 112 x 112 template, with 8 pixels of margin), name [n]
    labels.npz     one row a face: number of the picture, x, y, w, h, five points, score; picture
                   n + i is the mirror image of picture i
    teacher.onnx   the teacher with any batch size (its file fixes it at 1; weights unchanged)

Nothing else is ever read: lfw-pairs and people are for evaluation.

    python data.py --data "$ROLLCALL_DATA" --work WORK
"""

import argparse
import collections
import hashlib
import multiprocessing
import pathlib
import tarfile

import cv2
import numpy as np
import onnx
import onnxruntime as ort
from onnx import helper

# Where the five points of an aligned face lie in 112 x 112: the template that the teacher knows.
TEMPLATE = np.array(
    [[38.2946, 51.6963], [73.5318, 51.5014], [56.0252, 71.7366], [41.5493, 92.3655], [70.7299, 92.2041]],
    np.float32,
)
MARGIN = 8
# How much larger the copies are on which YuNet answers: 250 pixels become 275 to 365.
ENLARGED = (1.1, 1.46)


def session(path, threads=1):
    options = ort.SessionOptions()
    options.intra_op_num_threads = threads
    options.log_severity_level = 3
    return ort.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])


def detect(net, picture, confidence=0.6, overlap=0.3):
    """Faces that a net with YuNet's outputs finds: rows of x, y, w, h, ten coordinates, score."""
    height, width = (-(-side // 32) * 32 for side in picture.shape[:2])
    planes = np.zeros((height, width, 3), np.float32)
    planes[: picture.shape[0], : picture.shape[1]] = picture
    names = [output.name for output in net.get_outputs()]
    out = dict(zip(names, net.run(None, {net.get_inputs()[0].name: planes.transpose(2, 0, 1)[None]})))
    found = []
    for stride in (8, 16, 32):
        cls, obj = (np.clip(out[f"{kind}_{stride}"].reshape(-1), 0, 1) for kind in ("cls", "obj"))
        score = np.sqrt(cls * obj)
        cells = np.where(score > confidence)[0]
        row, column = cells // (width // stride), cells % (width // stride)
        box = out[f"bbox_{stride}"].reshape(-1, 4)[cells]
        points = out[f"kps_{stride}"].reshape(-1, 5, 2)[cells]
        w, h = np.exp(box[:, 2]) * stride, np.exp(box[:, 3]) * stride
        x, y = (column + box[:, 0]) * stride - w / 2, (row + box[:, 1]) * stride - h / 2
        points = (points + np.stack([column, row], 1)[:, None]) * stride
        found.append(np.c_[x, y, w, h, points.reshape(-1, 10), score[cells]])
    found = np.concatenate(found)
    kept = cv2.dnn.NMSBoxes(found[:, :4].tolist(), found[:, 14].tolist(), confidence, overlap) if len(found) else []
    return found[np.array(kept, int).reshape(-1)].astype(np.float32)


def steadied(net, picture, seed, copies=12):
    """The faces of a picture, each with the mean of the net's answers on moved, enlarged copies."""
    r = np.random.default_rng(seed)
    faces = detect(net, picture)
    answers = [[] for _ in faces]
    for _ in range(copies):
        k = r.uniform(*ENLARGED)
        side = round(len(picture) * k)
        shift = side / 2 - 0.5 + r.uniform(-16, 16, 2) - k * (len(picture) / 2 - 0.5)
        affine = np.array([[k, 0, shift[0]], [0, k, shift[1]]])
        found = detect(net, cv2.warpAffine(picture, affine, (side, side), borderMode=cv2.BORDER_REPLICATE), 0.4)
        if not len(found):
            continue
        points = (found[:, 4:14].reshape(-1, 5, 2) - shift) / k
        boxes = np.c_[(found[:, :2] - shift) / k, found[:, 2:4] / k]
        for face, seen in zip(faces, answers):
            away = np.abs(points - face[4:14].reshape(5, 2)).mean((1, 2))
            same = away.argmin()
            if away[same] < 0.15 * face[2]:
                seen.append(np.r_[boxes[same], points[same].ravel()])
    return np.array([np.r_[np.mean(seen or [face[:14]], 0), face[14]] for face, seen in zip(faces, answers)], np.float32)


def look_with(path):
    global YUNET
    YUNET = session(path)


def look(number, picture):
    return steadied(YUNET, picture, number)


def front(faces, side=250):
    """Large and near the middle: the rule of src/face/detect.rs."""
    off = np.hypot(*(faces[:, :2] + faces[:, 2:4] / 2 - side / 2).T) / (side / 2)
    return (faces[:, 2] * faces[:, 3] * np.maximum(1 - off**2, 0.1)).argmax()


def similarity(source, target):
    """Rotation, scale and shift that bring points nearest to others (Umeyama 1991)."""
    source, target = source.astype(np.float64), target.astype(np.float64)
    a, b = source - source.mean(0), target - target.mean(0)
    u, s, vt = np.linalg.svd(b.T @ a / len(a))
    sign = np.array([1, np.sign(np.linalg.det(u) * np.linalg.det(vt))])
    turn = u @ np.diag(sign) @ vt * ((s * sign).sum() / a.var(0).sum())
    return np.c_[turn, target.mean(0) - turn @ source.mean(0)]


def aligned(picture, points):
    side = 112 + 2 * MARGIN
    return cv2.warpAffine(picture, similarity(points.reshape(5, 2), TEMPLATE + MARGIN), (side, side))


def held_out(names):
    """Which pictures no net ever sees: those of every fifth person with at most 20 pictures."""
    people = [name.split("/")[1] for name in names]
    count = collections.Counter(people)
    chosen = {p for p in count if count[p] <= 20 and hashlib.sha256(p.encode()).digest()[0] % 5 == 0}
    return np.array([p in chosen for p in people]), np.array(people), count


def teacher_for_batches(source, target):
    """The published file flattens for a batch of one; the weights stay as they are."""
    model = onnx.load(source)
    for value in (*model.graph.input, *model.graph.output):
        value.type.tensor_type.shape.dim[0].dim_param = "n"
    for place, node in enumerate(list(model.graph.node)):
        if node.op_type == "Reshape":
            model.graph.node.remove(node)
            model.graph.node.insert(place, helper.make_node("Flatten", node.input[:1], node.output, axis=1))
    onnx.save(model, target)


def main():
    args = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    args.add_argument("--data", type=pathlib.Path, required=True)
    args.add_argument("--work", type=pathlib.Path, required=True)
    args = args.parse_args()
    args.work.mkdir(parents=True, exist_ok=True)
    names, pictures = [], []
    with tarfile.open(args.data / "faces/lfw-rest.tar") as tar:
        for member in tar:
            if member.name.endswith(".jpg"):
                names.append(member.name)
                bytes_ = np.frombuffer(tar.extractfile(member).read(), np.uint8)
                pictures.append(cv2.imdecode(bytes_, cv2.IMREAD_COLOR))
    both = [np.ascontiguousarray(p) for kind in (pictures, (p[:, ::-1] for p in pictures)) for p in kind]
    yunet = args.data / "models/yunet_n_dynamic.onnx"
    with multiprocessing.Pool(initializer=look_with, initargs=(yunet,)) as pool:
        faces_of = pool.starmap(look, enumerate(both), chunksize=64)
    for name, faces in zip(names, faces_of):
        if not len(faces):
            raise SystemExit(f"{name}: YuNet finds no face; are data and model the expected ones?")
    fronts = [aligned(picture, faces[front(faces), 4:14]) for picture, faces in zip(pictures, faces_of)]
    np.savez(args.work / "pictures.npz", pictures=np.stack(pictures), aligned=np.stack(fronts), name=np.array(names))
    rows = [np.c_[np.full(len(faces), number), faces] for number, faces in enumerate(faces_of) if len(faces)]
    np.savez(args.work / "labels.npz", faces=np.concatenate(rows).astype(np.float32))
    teacher_for_batches(args.data / "models/mobilefacenet_foamliu.onnx", args.work / "teacher.onnx")
    print(f"{len(names)} pictures, {sum(map(len, faces_of)) // 2} faces, {held_out(names)[0].sum()} pictures held out")


if __name__ == "__main__":
    main()
