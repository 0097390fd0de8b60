"""What public tools take for what the industry packs do: one line `name seconds` for each measure, the best of some rounds.

Usage: packs.py REFERENCE_DATA [MEASURE...]. Data that is made up has the same shape as what the bench gives to plugins; frames are in
memory before the clock starts, as columns are in the store.
"""

import sys
import time
import warnings
from pathlib import Path

import numpy as np

warnings.filterwarnings("ignore")
CUSTOMERS = 1_000_000
PURCHASES = 10_000_000
COLUMNS = 8


def best(name, rounds, work):
    seconds = []
    for _ in range(rounds):
        begun = time.perf_counter()
        work()
        seconds.append(time.perf_counter() - begun)
    print(f"{name} {min(seconds):.4f}", flush=True)


def rfm(_):
    import pandas as pd

    random = np.random.default_rng(7)
    orders = pd.DataFrame({
        "customer": random.integers(0, CUSTOMERS, PURCHASES),
        "day": random.integers(0, 720, PURCHASES),
        "cents": random.integers(100, 20_000, PURCHASES),
    })

    def work():
        figures = orders.groupby("customer", sort=True).agg(last=("day", "max"), count=("day", "size"), sum=("cents", "sum"))
        recency = 720 - figures["last"]
        for values in (recency, figures["count"], figures["sum"]):
            cuts = values.quantile([0.2, 0.4, 0.6, 0.8])
            np.searchsorted(cuts.to_numpy(), values.to_numpy())

    best("rfm", 3, work)


def features(rows):
    random = np.random.default_rng(11)
    return random.normal(size=(rows, COLUMNS))


def kmeans(_):
    from sklearn.cluster import KMeans

    data = features(CUSTOMERS)
    start = data[:5].copy()
    best("kmeans", 3, lambda: KMeans(5, init=start, n_init=1, max_iter=5, tol=0, algorithm="lloyd").fit(data))


def labelled():
    data = features(CUSTOMERS)
    random = np.random.default_rng(13)
    odds = 0.8 * data[:, 0] - 0.6 * data[:, 1] + 0.5 * data[:, 2] * data[:, 3] - 1
    return data, (random.random(CUSTOMERS) < 1 / (1 + np.exp(-odds))).astype(int)


def tree(_):
    from sklearn.ensemble import HistGradientBoostingClassifier
    from sklearn.tree import DecisionTreeClassifier

    data, labels = labelled()
    data = data.astype(np.float32)
    best("tree-exact", 1, lambda: DecisionTreeClassifier(max_depth=6, min_samples_leaf=100).fit(data, labels))
    one = HistGradientBoostingClassifier(max_iter=1, max_depth=6, min_samples_leaf=100, early_stopping=False)
    best("tree-histogram", 3, lambda: one.fit(data, labels))


def basket_rules(reference):
    import pandas as pd
    from mlxtend.frequent_patterns import association_rules, fpgrowth
    from mlxtend.preprocessing import TransactionEncoder

    lines = (reference / "groceries/groceries_baskets.csv").read_text().splitlines()
    baskets = [line.split(",") for line in lines]
    encoder = TransactionEncoder()
    frame = pd.DataFrame(encoder.fit(baskets).transform(baskets), columns=encoder.columns_)

    def work():
        itemsets = fpgrowth(frame, min_support=0.001, use_colnames=True)
        association_rules(itemsets, metric="confidence", min_threshold=0.5)

    best("rules", 3, work)


def bgnbd(reference):
    import pandas as pd
    from lifetimes import BetaGeoFitter
    from lifetimes.utils import summary_data_from_transaction_data

    orders = pd.read_csv(reference / "cdnow/cdnow_sample_transactions.csv", parse_dates=["date"])
    table = summary_data_from_transaction_data(
        orders, "customer_id", "date", observation_period_end="1997-09-30", freq="D"
    )
    frequency, recency, age = table["frequency"], table["recency"] / 7, table["T"] / 7
    best("bgnbd", 5, lambda: BetaGeoFitter(penalizer_coef=0.0).fit(frequency, recency, age))


MEASURES = {"rfm": rfm, "kmeans": kmeans, "tree": tree, "rules": basket_rules, "bgnbd": bgnbd}


def main():
    reference = Path(sys.argv[1])
    for name in sys.argv[2:] or MEASURES:
        MEASURES[name](reference)


main()
