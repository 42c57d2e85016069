#!/usr/bin/env python3
"""Makes the generated people of assets/: portraits of nobody, and hard cases.

    python models/training/people/people.py --data "$ROLLCALL_DATA" --out assets

A statistical model of faces is made from the archive DATA/faces/lfw-rest.tar (basis.py) and kept
in memory only; people are drawn from it (paint.py) and looked at by each pack of the manifest whose
files are there (judge.py). A candidate joins only if, with every pack,

  - each picture shows exactly one face, found with confidence, sharp and bright enough;
  - all her pictures are like each other by more than the pack's threshold and a margin;
  - none is like a picture of somebody chosen before, by less than the threshold and a margin;
  - none is nearer to any portrait of the archive than a bound.

Only pictures are written, with the figures of the choice in assets/figures.json. With other models
`--measure` says in a few minutes whether the pictures still hold; if not, make them again. The same seed and
the same versions of numpy and OpenCV give the same pictures. One core, a few minutes. Needs numpy,
opencv-python-headless and onnxruntime; Python 3.11 or newer.
"""

import argparse
import json
import os
import sys
import time
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")

import cv2
import numpy as np

import basis
import hard
import judge
import paint

PICTURES = 6
# Who is wanted in which place: the first 14 play the people of `rollcall demo`, whose names say
# whether a woman or a man is meant.
WANTED = "fmfmfmmfmfmmfm" + "fmffmfmffm"
# Of one person at least so much above the threshold, of two people at least so much below it.
SAME_MARGIN, OTHER_MARGIN = 0.08, 0.04
CONFIDENCE_MIN, SHARPNESS_MIN, EYES_MIN_PX, BRIGHTNESS = 0.75, 25.0, 40.0, (50.0, 210.0)
JPEG = [cv2.IMWRITE_JPEG_QUALITY, 88, cv2.IMWRITE_JPEG_OPTIMIZE, 1]


def encoded(picture):
    """As it will be read: JPEG bytes, and what they decode to."""
    data = cv2.imencode(".jpg", picture, JPEG)[1]
    return data.tobytes(), cv2.imdecode(data, 1)


def gather(archive, packs, most):
    """Portraits for the model, and every portrait's embedding by each pack."""
    names, portraits, near, seen = [], [], {pack.name: [] for pack in packs}, {}
    for who, picture in basis.sources(archive):
        # Packs that share a detector see the same.
        found = {pack.sees_with: None for pack in packs}
        for pack in packs:
            if found[pack.sees_with] is None:
                found[pack.sees_with] = pack.detect(picture)
            look = pack.look(picture, found[pack.sees_with])
            if look:
                near[pack.name].append(look["embedding"])
        faces = next(iter(found.values()))
        if not len(faces) or seen.get(who, 0) >= basis.PER_PERSON:
            continue
        fit = basis.portrait(picture, basis.the_one(faces, picture.shape))
        if fit:
            names.append(who)
            portraits.append(fit)
            seen[who] = seen.get(who, 0) + 1
    # Fewer men, so that time goes where it helps.
    she = [i for i, name in enumerate(names) if name.split("_")[0] in basis.SHE]
    he = sorted(set(range(len(names))) - set(she))
    he = he[::max(1, -(-len(he) // max(1, most - len(she))))]
    keep = sorted(she + he)
    return [names[i] for i in keep], [portraits[i] for i in keep], \
        {name: np.stack(rows) for name, rows in near.items()}


def candidate(model, packs, near, others, rng, sex):
    """Somebody new with her pictures and embeddings, or why not."""
    sitter = paint.Sitter(model, paint.invent(model, rng, sex == "f"))
    files, faces = [], {pack.name: [] for pack in packs}
    for number in range(PICTURES):
        data, picture = encoded(sitter.photograph(paint.moment(number, rng)))
        files.append(data)
        for pack in packs:
            look = pack.look(picture)
            if look is None or look["faces"] != 1 or look["confidence"] < CONFIDENCE_MIN:
                return None, "not exactly one sure face"
            dark, bright = BRIGHTNESS
            if look["sharpness"] < SHARPNESS_MIN or look["eyes"] < EYES_MIN_PX \
                    or not dark < look["brightness"] < bright:
                return None, "not sharp, large or bright enough"
            e, mine = look["embedding"], faces[pack.name]
            if mine and (np.stack(mine) @ e).min() < pack.match + SAME_MARGIN:
                return None, "not like herself"
            if others and (others[pack.name] @ e).max() > pack.match - OTHER_MARGIN:
                return None, "too like somebody chosen before"
            if (near[pack.name] @ e).max() > pack.confident:
                return None, "too near to a portrait of the archive"
            mine.append(e)
    return {"sitter": sitter, "files": files,
            "faces": {name: np.stack(rows) for name, rows in faces.items()}}, None


def choose(model, packs, near, rng, most):
    """As many people as are wanted, each far enough from those before."""
    chosen, refused, others, tried = [], {}, {}, 0
    while len(chosen) < len(WANTED) and tried < most:
        tried += 1
        new, why = candidate(model, packs, near, others, rng, WANTED[len(chosen)])
        if new:
            chosen.append(new)
            print(f"p{len(chosen):02} after {tried} tries", flush=True)
            others = {p.name: np.concatenate([c["faces"][p.name] for c in chosen]) for p in packs}
        else:
            refused[why] = refused.get(why, 0) + 1
    print(f"{len(chosen)} chosen of {tried}; refused: {refused}", flush=True)
    return chosen, refused


def figures(chosen, packs, near):
    """What the choice holds, per pack."""
    out = {}
    for pack in packs:
        faces = [c["faces"][pack.name] for c in chosen]
        same = np.concatenate([(e @ e.T)[np.triu_indices(len(e), 1)] for e in faces])
        other = np.concatenate([(a @ b.T).ravel() for i, a in enumerate(faces) for b in faces[:i]])
        out[pack.name] = {
            "match": pack.match, "same_min": same.min(), "same_median": np.median(same),
            "other_max": other.max(), "other_median": np.median(other),
        }
        source = np.concatenate([(e @ near[pack.name].T).max(1) for e in faces])
        out[pack.name] |= {"nearest_portrait_max": source.max(), "portraits": len(near[pack.name])}
    return {name: {k: round(float(v), 4) for k, v in row.items()} for name, row in out.items()}


def write(out, chosen, packs, rng, say):
    """The pictures of the people, and the hard cases with what the packs see in them."""
    for number, one in enumerate(chosen, 1):
        folder = out / "people" / f"p{number:02}"
        folder.mkdir(parents=True, exist_ok=True)
        for n, data in enumerate(one["files"], 1):
            (folder / f"{n}.jpg").write_bytes(data)
    (out / "hard").mkdir(parents=True, exist_ok=True)
    for name, picture in hard.cases([c["sitter"] for c in chosen], rng):
        data, seen = encoded(picture)
        (out / "hard" / name).write_bytes(data)
        for pack in packs:
            look = pack.look(seen) or {"faces": 0}
            look.pop("embedding", None)
            say(f"hard/{name} {pack.name}: " + ", ".join(f"{k} {v:.3g}" for k, v in look.items()))


def measure(out, packs, near, say):
    """Whether the pictures that are there hold with these packs; notes their figures anew."""
    chosen, holds = [], True
    for folder in sorted((out / "people").iterdir()):
        faces = {pack.name: [] for pack in packs}
        for file in sorted(folder.glob("*.jpg")):
            picture = cv2.imread(str(file))
            for pack in packs:
                look = pack.look(picture)
                if look is None or look["faces"] != 1:
                    say(f"{pack.name}: not exactly one face in {file}")
                    holds = False
                if look:
                    faces[pack.name].append(look["embedding"])
        chosen.append({"faces": {name: np.stack(rows) for name, rows in faces.items()}})
    known = json.loads((out / "figures.json").read_text())
    confident = {pack.name: pack.confident for pack in packs}
    for name, row in figures(chosen, packs, near).items():
        known["packs"][name] = row
        fine = row["same_min"] > row["match"] > row["other_max"]
        fine = fine and row["nearest_portrait_max"] < confident[name]
        holds = holds and fine
        say(f"{name}: {'holds' if fine else 'DOES NOT HOLD'}: {row}")
    (out / "figures.json").write_text(json.dumps(known, indent=1) + "\n")
    sys.exit(0 if holds else 1)


def sheet(path, chosen):
    """All pictures side by side, to look at; not for the repository."""
    small = [[cv2.resize(cv2.imdecode(np.frombuffer(f, np.uint8), 1), (160, 160),
                         interpolation=cv2.INTER_AREA) for f in c["files"]] for c in chosen]
    rows = [np.hstack(row) for row in small]
    half = -(-len(rows) // 2)
    rows += [np.zeros_like(rows[0])] * (2 * half - len(rows))
    cv2.imwrite(str(path), np.hstack([np.vstack(rows[:half]), np.vstack(rows[half:])]))


def main():
    ask = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    here = Path(__file__).resolve().parents[3]
    ask.add_argument("--data", type=Path, default=os.environ.get("ROLLCALL_DATA"),
                     help="folder with faces/lfw-rest.tar and models/ (ROLLCALL_DATA)")
    ask.add_argument("--out", type=Path, default=here / "assets")
    ask.add_argument("--manifest", type=Path, default=here / "models/manifest.toml")
    ask.add_argument("--models", type=Path, action="append", default=[],
                     help="another folder with model files; models/ and DATA/models are known")
    ask.add_argument("--pack", action="append", help="only these packs of the manifest")
    ask.add_argument("--seed", type=int, default=7)
    ask.add_argument("--portraits", type=int, default=1000)
    ask.add_argument("--tries", type=int, default=400)
    ask.add_argument("--sheet", type=Path, help="write a contact sheet here")
    ask.add_argument("--measure", action="store_true",
                     help="make no picture: say what these packs find in those that are there")
    asked = ask.parse_args()
    if asked.data is None:
        sys.exit("people.py: name the folder with faces/lfw-rest.tar: --data or ROLLCALL_DATA")
    asked.data = Path(asked.data)
    cv2.setNumThreads(1)
    began = time.monotonic()

    def say(what):
        print(f"{time.monotonic() - began:6.1f} s  {what}", flush=True)

    folders = [*asked.models, asked.manifest.parent, asked.data / "models"]
    packs = judge.packs(asked.manifest, asked.pack, folders)
    if not packs:
        sys.exit("people.py: no pack of the manifest has its files; see --models")
    say(f"packs {', '.join(p.name for p in packs)}")
    names, portraits, near = gather(asked.data / "faces/lfw-rest.tar", packs, asked.portraits)
    if asked.measure:
        return measure(asked.out, packs, near, say)
    say(f"{len(portraits)} portraits of {len(set(names))} people for the model")
    model = basis.Model(names, portraits)
    say("model made")
    rng = np.random.default_rng(asked.seed)
    chosen, refused = choose(model, packs, near, rng, asked.tries)
    if asked.sheet:
        sheet(asked.sheet, chosen)
    if len(chosen) < len(WANTED):
        sys.exit(f"people.py: only {len(chosen)} of {len(WANTED)} after {asked.tries} tries")
    numbers = figures(chosen, packs, near)
    for name, row in numbers.items():
        say(f"{name}: {row}")
    write(asked.out, chosen, packs, rng, say)
    (asked.out / "figures.json").write_text(json.dumps(
        {"seed": asked.seed, "people": len(chosen), "pictures": PICTURES, "refused": refused,
         "packs": numbers}, indent=2) + "\n")
    size = sum(f.stat().st_size for f in asked.out.rglob("*.jpg"))
    say(f"{size / 1e6:.2f} MB of pictures in {asked.out}")


if __name__ == "__main__":
    main()
