"""A guest that does wrong what it is told to: the model, which `fit` takes from the configuration, names the sin."""

import json
import os
import sys
import threading
import time

from trellis_sdk import (
    assignments,
    band,
    guarded,
    log,
    metric,
    reason,
    rows,
    score,
    scores,
    segment_value,
    segmentation,
    text,
)
from wit_world import exports
from wit_world.exports.scoring import ScoreColumn, Scores
from wit_world.imports.types import Model, RowError


def good(batch):
    return [float(row["ordinal"] % 10) for row in rows(batch)]


def points(values, failed=()):
    return Scores([ScoreColumn("points", b"", values)], list(failed))


class Sins:
    """What goes wrong while a batch is scored. Each returns an answer or raises."""

    calls = 0

    @staticmethod
    def none(batch):
        return points(good(batch))

    @staticmethod
    def loop(batch):
        while True:
            pass

    @staticmethod
    def power(batch):
        return points([float(9**9**9)] * batch.rows)

    @staticmethod
    def memory(batch):
        kept = []
        while True:
            kept.append(bytearray(b"1") * (1 << 20))

    @staticmethod
    def strings(batch):
        # The interpreter refuses what it has no memory for; the guest does not give up.
        everything = "x"
        while True:
            try:
                everything += everything
            except MemoryError:
                pass

    @staticmethod
    def throw(batch):
        raise ValueError("as the test asked")

    @staticmethod
    def recursion(batch):
        return Sins.recursion(batch)

    @staticmethod
    def deep_recursion(batch):
        sys.setrecursionlimit(1 << 30)
        return Sins.recursion(batch)

    @staticmethod
    def nan(batch):
        return points([float("nan")] * batch.rows)

    @staticmethod
    def infinite(batch):
        return points([float("inf")] * batch.rows)

    @staticmethod
    def out_of_range(batch):
        return points([101.0] * batch.rows)

    @staticmethod
    def wrong_lengths(batch):
        return points([0.0] * (batch.rows + 1))

    @staticmethod
    def no_columns(batch):
        return Scores([], [])

    @staticmethod
    def wrong_name(batch):
        return scores({"marks": good(batch)})

    @staticmethod
    def wrong_types(batch):
        return points(["no number"] * batch.rows)

    @staticmethod
    def missing_member(batch):
        return None

    @staticmethod
    def bad_failed_row(batch):
        return points([0.0] * batch.rows, [RowError(batch.rows, "x", text("", ""))])

    @staticmethod
    def huge_string(batch):
        return points([0.0] * batch.rows, [RowError(0, "x", text("y" * (2 << 20), ""))])

    @staticmethod
    def log_flood(batch):
        for _ in range(2_000):
            log("z" * 200)
        return Sins.none(batch)

    @staticmethod
    def exit(batch):
        sys.exit(3)

    @staticmethod
    def hard_exit(batch):
        os._exit(3)

    @staticmethod
    def file(batch):
        with open("/etc/passwd") as file:
            return points([float(len(file.read()))] * batch.rows)

    @staticmethod
    def socket(batch):
        import socket

        socket.create_connection(("localhost", 1))

    @staticmethod
    def environment(batch):
        return points([float(len(os.environ["HOME"]))] * batch.rows)

    @staticmethod
    def thread(batch):
        threading.Thread(target=print).start()

    @staticmethod
    def process(batch):
        os.system("true")

    @staticmethod
    def sleep(batch):
        time.sleep(3_600)

    @staticmethod
    def eval(batch):
        return points([float(eval("1 + 1"))] * batch.rows)

    @staticmethod
    def import_late(batch):
        import ctypes

        return points([float(ctypes.sizeof(ctypes.c_int))] * batch.rows)

    @staticmethod
    def state(batch):
        Sins.calls += 1
        return points([float(Sins.calls)] * batch.rows)


@guarded
class Scoring(exports.Scoring):
    def describe(self, config):
        if "describe-throw" in config:
            raise TypeError("as the test asked")
        bands = [band(name, text(name, name), lowest) for name, lowest in [("low", 0.0), ("high", 5.0)]]
        return [score("points", text("Points", "分"), minimum=0.0, maximum=100.0, bands=bands)]

    def fit(self, stream, config, at):
        sin = json.loads(config)["sin"]
        if sin == "fit-loop":
            Sins.loop(None)
        if sin == "fit-throw":
            Sins.throw(None)
        if sin == "big-model":
            return Model(bytes(20 << 20), text("", ""), [])
        if sin == "nan-metric":
            return Model(b"", text("", ""), [metric("m", "m", "m", float("nan"))])
        return Model(sin.encode(), text(f"{stream.rows()} rows", f"{stream.rows()} 行"), [])

    def score(self, model, batch, at):
        sin = model.decode().replace("-", "_")
        return getattr(Sins, sin)(batch)

    def explain(self, model, batch, at):
        weight = float("nan") if model == b"nan-weight" else 1.0
        reasons = [[reason("ordinal", f"ordinal {row['ordinal']}", "", weight)] for row in rows(batch)]
        return reasons[1:] if model == b"missing-reasons" else reasons

    def rules(self, model):
        return text("points are the last digit\n", "分数为末位数字\n")


@guarded
class Segmentation(exports.Segmentation):
    def describe(self, config):
        values = [segment_value(name, text(name, name)) for name in ("even", "odd")]
        return [segmentation("lot", text("Lot", "批"), values)]

    def fit(self, stream, config, at):
        return Scoring().fit(stream, config, at)

    def assign(self, model, batch, at):
        if model == b"unknown-value":
            return assignments({"lot": ["odr"] * batch.rows})
        answer = assignments({"lot": ["odd" if digit % 2 else "even" for digit in good(batch)]})
        column = answer.columns[0].data.value
        if model == b"bad-codes":
            column.codes = [99] * batch.rows
        if model == b"bad-offsets":
            column.values.offsets.reverse()
        if model == b"invalid-utf8":
            column.values.bytes = b"\xff" * len(column.values.bytes)
        return answer

    def explain(self, model, batch, at):
        return Scoring().explain(model, batch, at)
