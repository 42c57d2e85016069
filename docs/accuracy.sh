#!/bin/bash
# Measures every figure of docs/accuracy.md anew: `docs/accuracy.sh OUT [PACK…]`. Reports go to the
# folder OUT, the DET plot to docs/images/det-lfw.svg; the page itself is written by a person.
#
# Needs: ROLLCALL_DATA (models and faces/*.tar), and ORT_DYLIB_PATH for ONNX Runtime. Some ten
# minutes for each pack on two idle cores.
set -euo pipefail
cd "$(dirname "$0")/.."

out=${1:?a folder for the reports}
shift
packs=("$@")
[ ${#packs[@]} -gt 0 ] || packs=(rollcall-default mobilefacenet mobileface_v2)
: "${ROLLCALL_DATA:?names the folder with models and pictures}"

mkdir -p "$out"
for set in lfw-pairs lfw-rest; do
    [ -d "$out/$set" ] || tar -xf "$ROLLCALL_DATA/faces/$set.tar" -C "$out"
done
cargo build --release --quiet
models() { target/release/rollcall models "$@"; }

for pack in "${packs[@]}"; do
    echo "== $pack: thresholds (section Thresholds)"
    models calibrate --pictures "$out/lfw-rest" --per-person 4 --far 1e-4 --show 6 --pack "$pack" \
        --leave-out Ray_Young --leave-out Yingfan_Wang --leave-out Carlos_Ruckauf \
        | tee "$out/calibrate-$pack.txt"
    echo "== $pack: LFW (sections LFW, Groups)"
    models bench --lfw "$out/lfw-pairs" --without "$out/lfw-rest" --pack "$pack" --json \
        > "$out/lfw-$pack.json"
    echo "== $pack: time (section Time)"
    for runtime in onnxruntime rust; do
        models bench --lfw "$out/lfw-pairs" --first 300 --workers 1 --runtime "$runtime" \
            --pack "$pack" | tee "$out/time-$runtime-$pack.txt"
    done
    if [ "$pack" != mobilefacenet ]; then
        echo "== $pack: detector (section Detector)"
        models bench --detector --pictures "$out/lfw-pairs" --against mobilefacenet --side 320 \
            --pack "$pack" | tee "$out/detector-$pack.txt"
    fi
done

reports=()
for pack in "${packs[@]}"; do reports+=("$out/lfw-$pack.json"); done
models plot "${reports[@]}" --out docs/images/det-lfw.svg --title "LFW: all pairs of 7,701 pictures"

echo "== the rows of the tables"
python3 - "${reports[@]}" <<'PYTHON'
import json, sys
for path in sys.argv[1:]:
    r = json.load(open(path))
    d, at = r["disjoint"], r["tar_at_far"]
    cells = [f"`{r['pack']}`", f"{r['accuracy']:.4f} ± {r['accuracy_sd']:.4f}",
             f"{d['accuracy']:.4f} ± {d['accuracy_sd']:.4f}", f"{r['eer']:.4f}"]
    cells += [f"{at[far]:.4f}" for far in ("1e-3", "1e-4", "1e-5", "1e-6")]
    cells.append("yes" if 1 - at["1e-3"] <= 0.05 else "no")
    print("| " + " | ".join(cells) + " |")
for path in sys.argv[1:]:
    r = json.load(open(path))
    for name, group in r["groups"].items():
        if name == "cosine": continue
        cells = [f"{q['accuracy']:.4f} / {q['tar']:.3f} / {q['far']:.1e}" for q in group["quarters"]]
        print(f"| `{r['pack']}` | {name} | " + " | ".join(cells) + " |")
PYTHON
