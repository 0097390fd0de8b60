"""Helpers for Trellis plugins in Python. `trellis plugin build` supplies this module.

What crosses the boundary are columns; these functions turn them into rows and rows into columns. A plugin that needs the last bit of
speed reads `batch.columns` itself.
"""

from __future__ import annotations

import functools
import importlib
import json
import math
from collections.abc import Iterator
from typing import Any

from componentize_py_types import Err
from wit_world.imports import host_log, types
from wit_world.imports.types import LocalizedText, Metric, Model, Reason, RowError


def _of_world(name: str) -> Any:
    """A module of an interface that not every plugin has to do with; None where the plugin's own does not name its types."""
    try:
        return importlib.import_module(f"wit_world.{name}")
    except ImportError:
        return None


actions, columns, reports, stored_values = (
    _of_world(f"imports.{name}") for name in ("actions", "columns", "reports", "values")
)
_scoring, _segmentation, _campaign_rules, _record_hook, _analysis = (
    _of_world(f"exports.{name}")
    for name in ("scoring", "segmentation", "campaign_rules", "record_hook", "analysis")
)

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
        case columns.ColumnData_DictionaryList(value):
            texts, ends = _texts(value.values), zip(value.offsets, value.offsets[1:])
            return [[texts[code] for code in value.codes[start:end]] for start, end in ends]
        case _:
            return data.value


def values(batch: columns.Batch, name: str) -> list[Any]:
    """The values of a column, one a row, None where there is none. Amounts are minor units; dates are days, times milliseconds since 1970;
    several texts are a list."""
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
    def column(name: str, column: list[float | None]) -> Any:
        valid = _bitmap([value is not None for value in column])
        return _scoring.ScoreColumn(name, valid, [0.0 if value is None else value for value in column])

    return _scoring.Scores([column(*item) for item in found.items()], failed or [])


def _dictionary(name: str, column: list[str | None]) -> columns.Column:
    """A dictionary column: the text of each row, None where there is none."""
    different = list(dict.fromkeys(value for value in column if value is not None))
    offsets, encoded = [0], b""
    for value in different:
        encoded += value.encode()
        offsets.append(len(encoded))
    codes = [0 if value is None else different.index(value) for value in column]
    data = columns.DictionaryColumn(codes, columns.TextColumn(offsets, encoded))
    return columns.Column(name, _bitmap([value is not None for value in column]), columns.ColumnData_Dictionary(data))


def assignments(found: dict[str, list[str | None]], failed: list[RowError] | None = None) -> Any:
    """The answer of `assign`: for each segmentation the value of each row, None where there is none."""
    return _segmentation.Assignments([_dictionary(*item) for item in found.items()], failed or [])


def eligibilities(causes: list[str | None], failed: list[RowError] | None = None) -> Any:
    """The answer of `eligible`: for each row None where it takes part, and otherwise the cause."""
    eligible = bytes(cause is None for cause in causes)
    return _campaign_rules.Eligibilities(eligible, _dictionary("cause", causes), failed or [])


def variants(names: list[str | None], failed: list[RowError] | None = None) -> Any:
    """The answer of `assign_variant`: for each row its variant, None where nobody contacts it."""
    return _campaign_rules.Variants(_dictionary("variant", names), failed or [])


def fields(found: list[Any]) -> dict[str, Any]:
    """Fields by name, as a record or a list of changed fields has them. A field that is null is not there, or None in such a list."""

    def plain(value: Any) -> Any:
        if value is None:
            return None
        return json.loads(value.value) if isinstance(value, stored_values.Value_Json) else value.value

    return {field.name: plain(field.value) for field in found}


def value(tag: str, content: Any) -> Any:
    """The value of a field for actions and patches: `value("choice", "open")`. Tags are `text`, `number`, `integer`, `boolean`, `date` (days
    since 1970), `time` (milliseconds since 1970), `choice`, `choices`, `reference`, `json`, and `money` with a pair of currency and minor
    units."""
    if tag == "money":
        content = stored_values.Money(*content)
    elif tag == "json":
        content = json.dumps(content)
    return getattr(stored_values, f"Value_{tag.title()}")(content)


def changed(changes: dict[str, Any]) -> list[Any]:
    """What becomes of fields: `{"status": value("choice", "open"), "phone": None}`; None empties one."""
    return [stored_values.FieldValue(name, to) for name, to in changes.items()]


def accept() -> Any:
    """A verdict: saved as it is."""
    return _record_hook.Verdict_Accept()


def patch(changes: dict[str, Any]) -> Any:
    """A verdict: saved with these fields changed."""
    return _record_hook.Verdict_Patch(changed(changes))


def veto(code: str, en: str, zh_cn: str, field: str | None = None) -> Any:
    """A verdict: not saved."""
    return _record_hook.Verdict_Veto(_record_hook.Refusal(code, field, text(en, zh_cn)))


def set_fields(record: Any, changes: dict[str, Any]) -> Any:
    """An action: changes fields of a record."""
    return actions.Action_SetFields(actions.SetFields(record.object, record.id, changed(changes)))


def create_task(
    subject: LocalizedText,
    description: LocalizedText | None = None,
    *,
    owner: str | None = None,
    account: str | None = None,
    case_id: str | None = None,
    due_in_days: int | None = None,
    priority: str | None = None,
) -> Any:
    """An action: creates a task. What is left out is left to the host."""
    description = description or text("", "")
    task = actions.CreateTask(subject, description, owner, account, case_id, due_in_days, priority)
    return actions.Action_CreateTask(task)


def create_record(object: str, content: dict[str, Any]) -> Any:
    """An action: creates a record."""
    return actions.Action_CreateRecord(actions.CreateRecord(object, changed(content)))


def send_message(
    channel: str,
    body: LocalizedText,
    subject: LocalizedText | None = None,
    *,
    account: str | None = None,
    contact: str | None = None,
    campaign: str | None = None,
) -> Any:
    """An action: puts a message into the outbox. What is left out is left to the host."""
    message = actions.SendMessage(channel, account, contact, campaign, subject or text("", ""), body)
    return actions.Action_SendMessage(message)


def start_timer(name: str, record: Any, due_ms: int) -> Any:
    """An action: has the host call `on_event` for the record at a time."""
    return actions.Action_StartTimer(actions.StartTimer(name, record.object, record.id, due_ms))


def cancel_timer(name: str, record: Any) -> Any:
    """An action: ends a timer."""
    return actions.Action_CancelTimer(actions.CancelTimer(name, record.object, record.id))


def reason(code: str, en: str, zh_cn: str, weight: float) -> Reason:
    """One reason behind a decision."""
    return Reason(code, text(en, zh_cn), weight, [])


def _in_words(unit: str | LocalizedText) -> LocalizedText:
    """A unit: a symbol that is the same in both languages, or a text."""
    return text(unit, "") if isinstance(unit, str) else unit


def metric(name: str, en: str, zh_cn: str, value: float, unit: str | LocalizedText = "") -> Metric:
    """A figure that describes a model."""
    return Metric(name, text(en, zh_cn), _in_words(unit), value, [])


def band(name: str, label: LocalizedText, lowest: float, description: LocalizedText | None = None) -> Any:
    """A part of a score's range that has a name, from its lowest value on."""
    return _scoring.Band(name, label, description or text("", ""), lowest, [])


def score(
    name: str,
    label: LocalizedText,
    description: LocalizedText | None = None,
    unit: str | LocalizedText = "",
    minimum: float | None = None,
    maximum: float | None = None,
    bands: list[Any] | None = None,
) -> Any:
    """A score for `describe` of `scoring`."""
    said = description or text("", "")
    return _scoring.ScoreDescription(name, label, said, _in_words(unit), minimum, maximum, bands or [], [])


def segment_value(name: str, label: LocalizedText, description: LocalizedText | None = None) -> Any:
    """A value of a segmentation."""
    return _segmentation.SegmentValue(name, label, description or text("", ""), [])


def segmentation(
    name: str, label: LocalizedText, values: list[Any], description: LocalizedText | None = None
) -> Any:
    """A segmentation for `describe` of `segmentation`."""
    return _segmentation.SegmentationDescription(name, label, description or text("", ""), values, [])


def _laid(texts: list[str]) -> columns.TextColumn:
    """Texts laid end to end."""
    offsets, encoded = [0], b""
    for one in texts:
        encoded += one.encode()
        offsets.append(len(encoded))
    return columns.TextColumn(offsets, encoded)


def column(
    kind: str, name: str, label: LocalizedText, content: list[Any], unit: str | LocalizedText = ""
) -> Any:
    """A column of a panel's table; None where there is no value. Kinds are `number` (what is not finite becomes None), `integer`, `boolean`,
    `date` (days since 1970-01-01), `time` (milliseconds since 1970), `names` (texts that are the same in every language), `words` (texts in
    both), and `money` (minor units), whose `unit` is the currency. A unit is a symbol such as `%`, or a text in both languages."""
    if kind == "number":
        content = [one if one is not None and math.isfinite(one) else None for one in content]
    valid, zh_cn = _bitmap([one is not None for one in content]), None
    numbers = [0 if one is None else one for one in content] if kind not in ("names", "words") else []
    match kind:
        case "number":
            data = columns.ColumnData_Float64([float(one) for one in numbers])
        case "integer":
            data = columns.ColumnData_Int64(numbers)
        case "date":
            data = columns.ColumnData_Date(numbers)
        case "money":
            data, unit = columns.ColumnData_Money(columns.MoneyColumn(unit, numbers)), ""
        case "time":
            data = columns.ColumnData_Time(numbers)
        case "boolean":
            data = columns.ColumnData_Boolean(bytes(int(bool(one)) for one in numbers))
        case "names":
            data = columns.ColumnData_Text(_laid([one or "" for one in content]))
        case "words":
            data = columns.ColumnData_Text(_laid(["" if one is None else one.en for one in content]))
            zh_cn = _laid(["" if one is None else one.zh_cn for one in content])
        case _:
            raise ValueError(f"there are no columns of kind `{kind}`")
    return reports.PanelColumn(label, _in_words(unit), columns.Column(name, valid, data), zh_cn, [])


Intervals = list[tuple[str, str]]


def _chart(x: str, y: list[str], series: str | None, intervals: Intervals | None) -> Any:
    return reports.Chart(x, y, series, intervals or [], [])


def bar(x: str, y: list[str], series: str | None = None, intervals: Intervals | None = None) -> Any:
    """Draws bars: one for each column of `y` at each value of `x`."""
    return reports.Drawing_Bar(_chart(x, y, series, intervals))


def line(x: str, y: list[str], series: str | None = None, intervals: Intervals | None = None) -> Any:
    """Draws lines through the rows in their order."""
    return reports.Drawing_Line(_chart(x, y, series, intervals))


def scatter(x: str, y: list[str], series: str | None = None, intervals: Intervals | None = None) -> Any:
    """Draws points. Of all charts, `intervals` are for each of `y` the columns below and above it."""
    return reports.Drawing_Scatter(_chart(x, y, series, intervals))


def matrix(row: str, column: str, value: str) -> Any:
    """Draws numbers in rows and columns, each the darker the larger."""
    return reports.Drawing_Matrix(reports.Matrix(row, column, value))


def tree(node: str, parent: str, label: str, value: str | None = None) -> Any:
    """Draws nodes below nodes: each row is a node, whose parent is None for a root."""
    return reports.Drawing_Tree(reports.Tree(node, parent, label, value))


def graph(source: str, target: str, weight: str | None = None) -> Any:
    """Draws arrows: each row is one."""
    return reports.Drawing_Graph(reports.Graph(source, target, weight))


def panel(
    name: str, label: LocalizedText, table: list[Any], drawing: Any = None, description: LocalizedText | None = None
) -> Any:
    """A part of a report: a table (its columns), and how it is drawn."""
    return reports.Panel(name, label, description or text("", ""), table, drawing or reports.Drawing_Table(), [])


def report(summary: LocalizedText, metrics: list[Metric] | None = None, panels: list[Any] | None = None) -> Any:
    """The answer of `evaluate`, `describe_model` and `analyse`."""
    return reports.Report(summary, metrics or [], panels or [], [])


def analysis(
    name: str,
    label: LocalizedText,
    description: LocalizedText | None = None,
    dataset: str | None = None,
    parameters: dict[str, Any] | None = None,
) -> Any:
    """A question for `describe` of the interface `analysis`; `parameters` is a JSON Schema of what is said with it."""
    schema = "" if parameters is None else json.dumps(parameters)
    return _analysis.AnalysisDescription(name, label, description or text("", ""), dataset, schema, [])


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
        raise plugin_error("unreadable-model", text(f"the model is not of format {format}", f"模型的格式不是 {format}"))
    return content


def plugin_error(tag: str, *value: str | LocalizedText) -> Err:
    """What a function raises when the call as a whole has no answer: `invalid-config`, `invalid-parameters`, `unsuitable-data`,
    `unreadable-model`, `denied`, `transient` with a text in both languages, or `other` with a code and such a text."""
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
