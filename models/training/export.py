"""Writes the trained nets as the two ONNX files that ship, and checks that ONNX Runtime gives the
same numbers as PyTorch. Prints the SHA-256 for models/manifest.toml.

    python export.py --work WORK --to ../
"""

import argparse
import hashlib
import pathlib

import numpy as np
import torch
from data import session
from nets import STRIDES, AsYuNet, Detector, Embedding


def write(net, example, path, **names):
    net.eval()
    torch.onnx.export(net, example, str(path), input_names=["input"], opset_version=17, dynamo=False, **names)
    with torch.no_grad():
        wanted = net(example)
    got = session(path).run(None, {"input": example.numpy()})
    wanted = wanted if isinstance(wanted, tuple) else (wanted,)
    worst = max(float(np.abs(a.numpy() - b).max()) for a, b in zip(wanted, got))
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    print(f"{path.name}: {path.stat().st_size:,} bytes, differs from PyTorch by at most {worst:.1e}\n  sha256 {digest}")


def main():
    args = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    args.add_argument("--work", type=pathlib.Path, required=True)
    args.add_argument("--to", type=pathlib.Path, required=True)
    args = args.parse_args()
    torch.manual_seed(0)
    embedding = Embedding()
    embedding.load_state_dict(torch.load(args.work / "embedding.pt"))
    write(embedding, torch.rand(1, 3, 112, 112) * 2 - 1, args.to / "rollcall_embedding.onnx", output_names=["embedding"])
    detector = Detector()
    detector.load_state_dict(torch.load(args.work / "detector.pt"))
    sides = {"input": {2: "height", 3: "width"}}
    sides |= {name: {1: f"cells_{stride}"} for name, stride in zip(AsYuNet.NAMES, STRIDES * 4)}
    example = torch.rand(1, 3, 320, 320) * 2 - 1
    write(AsYuNet(detector), example, args.to / "rollcall_detector.onnx", output_names=AsYuNet.NAMES, dynamic_axes=sides)


if __name__ == "__main__":
    main()
