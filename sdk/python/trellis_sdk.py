"""Helpers for Trellis plugins in Python. `trellis plugin build` supplies this module.

What crosses the boundary are columns; these functions turn them into rows and rows into columns. A plugin that needs the last bit of
speed reads `batch.columns` itself.
"""

import functools
import json
from collections.abc import Iterator
from typing import Any

from componentize_py_types import Err
from wit_world.imports import columns, host_log, types
from wit_world.imports.types import LocalizedText, Metric, Model, Reason, RowError

Row = dict[str, Any]


def text(en: str, zh_cn: str) -> LocalizedText:
    """A text in English and Chinese."""
    return LocalizedText(en, zh_cn)


def log(line: str, level: host_log.Level = host_log.Level.INFO) -> None:
    """Writes a line to the plugin's log. It never decides anything."""
    host_log.log(level, line)


def _texts(column: columns.TextColumn) -> list[str]:
    ends = zip(column.offsets, column.offsets[1:])
    return [column.bytes[start:end].decode() for start, end in ends]


def _values(data: columns.ColumnData) -> list[Any]:
    match data:
        case columns.ColumnData_Boolean(value):
            return [byte == 1 for byte in value]
        case columns.ColumnData_Money(value):
            return value.minor_units
        case columns.ColumnData_Text(value):
            return _texts(value)
        case columns.ColumnData_Dictionary(value):
            texts = _texts(value.values)
            return [texts[code] if code < len(texts) else None for code in value.codes]
        case _:
            return data.value


def values(batch: columns.Batch, name: str) -> list[Any]:
    """The values of a column, one a row, None where there is none. Amounts are minor units; dates are days, times milliseconds since 1970."""
    column = next((column for column in batch.columns if column.name == name), None)
    if column is None:
        raise plugin_error("other", "no-column", f"the batch has no column `{name}`: plugin.toml must declare it")
    found, valid = _values(column.data), column.valid
    if not valid:
        return found
    return [value if valid[row >> 3] >> (row & 7) & 1 else None for row, value in enumerate(found)]


def rows(batch: columns.Batch) -> list[Row]:
    """The rows of a batch: the column names with their values, and `ordinal`."""
    named = {"ordinal": batch.ordinals} | {column.name: values(batch, column.name) for column in batch.columns}
    return [dict(zip(named, row)) for row in zip(*named.values())]


def every_row(stream: Any) -> Iterator[Row]:
    """The rows of a whole data set, batch by batch."""
    while (batch := stream.next()) is not None:
        yield from rows(batch)


def _bitmap(flags: list[bool]) -> bytes:
    if all(flags):
        return b""
    bits = bytearray((len(flags) + 7) // 8)
    for row, flag in enumerate(flags):
        bits[row >> 3] |= flag << (row & 7)
    return bytes(bits)


def scores(found: dict[str, list[float | None]], failed: list[RowError] | None = None) -> Any:
    """The answer of `score`: for each score its values, one a row, None where there is none."""
    from wit_world.exports import scoring

    def column(name: str, column: list[float | None]) -> Any:
        valid = _bitmap([value is not None for value in column])
        return scoring.ScoreColumn(name, valid, [0.0 if value is None else value for value in column])

    return scoring.Scores([column(*item) for item in found.items()], failed or [])


def assignments(found: dict[str, list[str | None]], failed: list[RowError] | None = None) -> Any:
    """The answer of `assign`: for each segmentation the value of each row, None where there is none."""
    from wit_world.exports import segmentation

    def column(name: str, column: list[str | None]) -> columns.Column:
        different = list(dict.fromkeys(value for value in column if value is not None))
        offsets, encoded = [0], b""
        for value in different:
            encoded += value.encode()
            offsets.append(len(encoded))
        codes = [0 if value is None else different.index(value) for value in column]
        data = columns.DictionaryColumn(codes, columns.TextColumn(offsets, encoded))
        valid = _bitmap([value is not None for value in column])
        return columns.Column(name, valid, columns.ColumnData_Dictionary(data))

    return segmentation.Assignments([column(*item) for item in found.items()], failed or [])


def reason(code: str, en: str, zh_cn: str, weight: float) -> Reason:
    """One reason behind a decision."""
    return Reason(code, text(en, zh_cn), weight)


def metric(name: str, en: str, zh_cn: str, value: float) -> Metric:
    """A figure that describes a model."""
    return Metric(name, text(en, zh_cn), value)


def model(content: dict[str, Any], summary: LocalizedText, metrics: list[Metric] | None = None) -> Model:
    """A model that is stored as JSON."""
    return Model(json.dumps(content).encode(), summary, metrics or [])


def read_model(stored: bytes, format: int) -> dict[str, Any]:
    """Reads what `model` wrote; `format` is what its member `format` has to be."""
    try:
        content = json.loads(stored)
    except ValueError:
        content = None
    if not isinstance(content, dict) or content.get("format") != format:
        raise plugin_error("unreadable-model", f"the model is not of format {format}")
    return content


def plugin_error(tag: str, *value: str) -> Err:
    """What a function raises when the call as a whole has no answer: `invalid-config`, `unsuitable-data`, `unreadable-model`, `denied`,
    `transient` with a text, or `other` with a code and a text."""
    case = "PluginError_" + "".join(part.title() for part in tag.split("-"))
    return Err(getattr(types, case)(value if tag == "other" else value[0]))


def guarded(cls: type) -> type:
    """Wraps the methods of a class so that an exception that nobody caught is named in the fault that the host reports."""

    def guard(run: Any) -> Any:
        @functools.wraps(run)
        def call(*args: Any) -> Any:
            try:
                return run(*args)
            except Err:
                raise
            except BaseException as error:
                # Not by `traceback`: that would look for source files, and there are none.
                step = error.__traceback__
                while step.tb_next is not None:
                    step = step.tb_next
                place = f"{step.tb_frame.f_code.co_filename.rsplit('/', 1)[-1]}:{step.tb_lineno}"
                host_log.log(host_log.Level.ERROR, f"panicked at {place}: {type(error).__name__}: {error}")
                raise

        return call

    for name, member in list(vars(cls).items()):
        if callable(member) and not name.startswith("_"):
            setattr(cls, name, guard(member))
    return cls
