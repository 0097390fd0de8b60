"""What public tools take for what the industry packs do.

Usage: packs.py FOLDER MEASURE [BASKETS or ORDERS]. FOLDER holds what the benchmark wrote, so that both read the same numbers. Frames are in
memory before the clock starts, as columns are in the store. Prints one JSON object: the least wall clock of some rounds, the processor
time of that round on all cores, and figures that have to agree.
"""

import json
import sys
import time
import warnings
from pathlib import Path

import numpy as np

warnings.filterwarnings("ignore")


def least(rounds, work):
    """The least time of some rounds, and what the last one gave."""
    best = None
    for _ in range(rounds):
        wall, cpu = time.perf_counter(), time.process_time()
        result = work()
        took = (time.perf_counter() - wall, time.process_time() - cpu)
        best = took if best is None else min(best, took)
    return best, result


def read(folder, name, kind):
    return np.fromfile(folder / name, dtype=kind)


def features(folder):
    figures = json.loads((folder / "shape.json").read_text())["figures"]
    return read(folder, "features.f64", "<f8").reshape(-1, figures)


def rfm(folder, _):
    import pandas as pd

    orders = pd.DataFrame({
        "customer": read(folder, "customers.u32", "<u4"),
        "day": read(folder, "days.i32", "<i4"),
        "cents": read(folder, "cents.i64", "<i8"),
    })
    today = json.loads((folder / "shape.json").read_text())["today"]

    def work():
        table = orders.groupby("customer", sort=True).agg(
            last=("day", "max"), count=("day", "size"), sum=("cents", "sum")
        )
        scores = []
        for values, less_is_better in ((today - table["last"], True), (table["count"], False), (table["sum"], False)):
            cuts = values.quantile([0.2, 0.4, 0.6, 0.8]).to_numpy()
            score = np.searchsorted(cuts, values.to_numpy())
            scores.append(4 - score if less_is_better else score)
        return scores

    took, scores = least(3, work)
    names = ("quantile_r", "quantile_f", "quantile_m")
    return took, {
        f"{name}_{score + 1}": int(count)
        for name, values in zip(names, scores)
        for score, count in enumerate(np.bincount(values, minlength=5))
    }


def clusters(folder, _):
    from sklearn.cluster import KMeans

    data = features(folder)
    data = (data - data.mean(axis=0)) / data.std(axis=0)
    starts = read(folder, "starts.u64", "<u8").astype(int)
    tool = KMeans(len(starts), init=data[starts], n_init=1, max_iter=1000, tol=0, algorithm="lloyd")
    took, model = least(3, lambda: tool.fit(data))
    return took, {"inertia": float(model.inertia_), "iterations": int(model.n_iter_)}


def clusters_judged(folder, _):
    """What the component does besides: standardising, and how well the clusters are told apart, the silhouette of an even choice of 4,000."""
    from sklearn.cluster import KMeans
    from sklearn.metrics import calinski_harabasz_score, davies_bouldin_score, silhouette_score

    whole = features(folder)
    starts = read(folder, "starts.u64", "<u8").astype(int)

    def work():
        data = (whole - whole.mean(axis=0)) / whole.std(axis=0)
        tool = KMeans(len(starts), init=data[starts], n_init=1, max_iter=1000, tol=0, algorithm="lloyd")
        labels = tool.fit(data).labels_
        some = slice(None, None, max(1, -(-len(data) // 4000)))
        return {
            "silhouette": float(silhouette_score(data[some], labels[some])),
            "calinski_harabasz": float(calinski_harabasz_score(data, labels)),
            "davies_bouldin": float(davies_bouldin_score(data, labels)),
        }

    return least(2, work)


def labelled(folder):
    return features(folder).astype(np.float32), read(folder, "labels.u8", "u1").astype(np.int64)


def judged(model, data, labels, leaves):
    from sklearn.metrics import roc_auc_score

    probabilities = model.predict_proba(data)[:, 1]
    return {"auc": float(roc_auc_score(labels, probabilities)), "leaves": int(leaves)}


def tree_exact(folder, _):
    from sklearn.tree import DecisionTreeClassifier

    data, labels = labelled(folder)
    took, model = least(1, lambda: DecisionTreeClassifier(max_depth=6, min_samples_leaf=100).fit(data, labels))
    return took, judged(model, data, labels, model.get_n_leaves())


def tree_histogram(folder, _):
    from sklearn.ensemble import HistGradientBoostingClassifier

    data, labels = labelled(folder)
    tool = HistGradientBoostingClassifier(
        max_iter=1, max_depth=6, max_leaf_nodes=31, min_samples_leaf=100, early_stopping=False
    )
    took, model = least(3, lambda: tool.fit(data, labels))
    return took, judged(model, data, labels, model._predictors[0][0].get_n_leaf_nodes())


def rules(_, baskets):
    import pandas as pd
    from mlxtend.frequent_patterns import association_rules, fpgrowth
    from mlxtend.preprocessing import TransactionEncoder

    baskets = [line.split(",") for line in Path(baskets).read_text().splitlines()]
    encoder = TransactionEncoder()
    frame = pd.DataFrame(encoder.fit(baskets).transform(baskets), columns=encoder.columns_)

    def work():
        itemsets = fpgrowth(frame, min_support=0.001, use_colnames=True)
        return itemsets, association_rules(itemsets, metric="confidence", min_threshold=0.5)

    took, (itemsets, found) = least(3, work)
    return took, {"itemsets": len(itemsets), "rules": int((found["consequents"].map(len) == 1).sum())}


def lifetimes(_, orders):
    import pandas as pd
    from lifetimes import BetaGeoFitter
    from lifetimes.utils import summary_data_from_transaction_data

    orders = pd.read_csv(orders, parse_dates=["date"])
    table = summary_data_from_transaction_data(
        orders, "customer_id", "date", observation_period_end="1997-09-30", freq="D"
    )
    frequency, recency, age = table["frequency"], table["recency"] / 7, table["T"] / 7
    took, model = least(5, lambda: BetaGeoFitter(penalizer_coef=0.0).fit(frequency, recency, age))
    return took, {name: float(value) for name, value in model.params_.items()}


def main():
    measures = {
        "rfm": rfm,
        "clusters": clusters,
        "clusters_judged": clusters_judged,
        "tree_exact": tree_exact,
        "tree_histogram": tree_histogram,
        "rules": rules,
        "lifetimes": lifetimes,
    }
    folder, measure, source = Path(sys.argv[1]), sys.argv[2], (sys.argv[3:] or [None])[0]
    (wall, cpu), figures = measures[measure](folder, source)
    print(json.dumps({"wall": wall, "cpu": cpu, "figures": figures}))


main()
