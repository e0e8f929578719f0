"""Fit the trees of `search.judgement` to pairs with exact truth, and write them.

Run as `python benchmarks/registration_fit.py [--trials 60] [--seed 0]`; it needs scikit-learn. The
probabilities that five-fold cross-validation gives are compared with what held.
"""

import argparse
import json
from pathlib import Path

import numpy as np
from registration_pairs import KINDS, TRANSFORMS, error_of, make

from napari_stack.operators.registration.methods import Features
from napari_stack.operators.registration.preprocess import prepare
from napari_stack.operators.registration.search import judgement
from napari_stack.operators.registration.search.hypotheses import Search

#: Kinds that decide what is believed are drawn more often.
OFTEN = {"mixed": 2, "mover": 2, "unrelated": 2}


def examples(trials: int, seed: int) -> tuple[list[str], np.ndarray, np.ndarray]:
    """Names of the features, features (n, k) and whether each pair came out right."""
    rows, right = [], []
    for kind in KINDS:
        for transform in TRANSFORMS:
            for number in range(trials * OFTEN.get(kind, 1)):
                pair = make(kind, transform, seed + number)
                frames = [prepare(np.float32(f), pair.region) for f in pair.frames]
                if not all(f.levels for f in frames):
                    continue
                search = Search(*frames, transform)
                search.go(None, Features())
                if (best := search.best()) is None:
                    continue
                shape = pair.frames.shape[1:]
                true = pair.matrix is not None
                error = error_of(best.refined.matrix, pair.matrix, shape) if true else np.inf
                rows.append(judgement.features_of(best))
                right.append(error < pair.tolerance)
            print(kind, transform, len(rows), flush=True)
    return list(rows[0]), np.array([list(r.values()) for r in rows]), np.array(right)


def plain(model, names: list[str], share_right: float) -> dict:
    """Trees as plain data."""
    trees = []
    for (one,) in model.estimators_:
        tree = one.tree_
        trees.append(
            {
                "feature": tree.feature.tolist(),
                "threshold": [round(float(v), 5) for v in tree.threshold],
                "left": tree.children_left.tolist(),
                "right": tree.children_right.tolist(),
                "value": [round(float(v) * model.learning_rate, 5) for v in tree.value[:, 0, 0]],
            }
        )
    start = float(np.log(share_right / (1 - share_right)))
    return {"features": names, "start": round(start, 5), "trees": trees}


def main() -> None:
    """Fit, tell how well probabilities hold, and write the file beside the module."""
    from sklearn.ensemble import GradientBoostingClassifier
    from sklearn.model_selection import StratifiedKFold, cross_val_predict

    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--trials", type=int, default=30)
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    names, features, right = examples(given.trials, given.seed)
    model = GradientBoostingClassifier(
        n_estimators=120, max_depth=3, learning_rate=0.07, subsample=0.7, min_samples_leaf=8,
        max_features=8, random_state=0,
    )  # fmt: skip
    folds = StratifiedKFold(5, shuffle=True, random_state=1)
    held = cross_val_predict(model, features, right, cv=folds, method="predict_proba")[:, 1]
    for low in np.arange(0, 1, 0.1):
        inside = (held >= low) & (held < low + 0.1 + 1e-9)
        if inside.any():
            print(f"{low:.1f}: {inside.sum()} {held[inside].mean():.3f} {right[inside].mean():.3f}")
    model.fit(features, right)
    path = Path(judgement.__file__).with_name("judgement.json")
    path.write_text(json.dumps(plain(model, names, right.mean()), separators=(",", ":")))


if __name__ == "__main__":
    main()
