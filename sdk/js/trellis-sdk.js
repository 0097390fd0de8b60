// @ts-check
/**
 * Helpers for Trellis plugins in JavaScript: `import { rows, scores } from "trellis-sdk"`. `trellis plugin build` supplies this module.
 *
 * What crosses the boundary are columns; these functions turn them into rows and rows into columns. A plugin that needs the last bit of
 * speed reads `batch.columns` itself.
 *
 * @typedef {{ en: string, zhCn: string }} Text A text in English and Chinese.
 * @typedef {{ name: string, valid: Uint8Array, data: { tag: string, val: any } }} Column
 * @typedef {{ rows: number, ordinals: BigUint64Array, columns: Column[] }} Batch
 * @typedef {{ name: string, label: Text, unit: Text, options: [string, Text][], extra: [string, string][] }} ColumnDescription
 * @typedef {{ next(): Batch | undefined, rewind(): void, rows(): bigint, columns(): ColumnDescription[], dataset(name: string): RowStream | undefined }} RowStream
 * @typedef {{ runId: string, asOf: number, nowMs: bigint, timeZone: string, baseCurrency: string, seed: bigint }} Context
 * @typedef {[string, string][]} Extra Facts that later versions add; empty.
 * @typedef {{ code: string, text: Text, weight: number, extra: Extra }} Reason
 * @typedef {{ name: string, label: Text, unit: Text, value: number, extra: Extra }} Metric
 * @typedef {{ bytes: Uint8Array, summary: Text, metrics: Metric[] }} Model
 * @typedef {{ row: number, code: string, message: Text }} RowError
 * @typedef {{ name: string, label: Text, description: Text, lowest: number, extra: Extra }} Band
 * @typedef {{ name: string, label: Text, description: Text, extra: Extra }} SegmentValue
 * @typedef {{ tag: string, val: any }} Value The value of a field of a record.
 * @typedef {{ name: string, value?: Value }} FieldValue
 * @typedef {{ object: string, id: string, fields: FieldValue[] }} ObjectRecord
 * @typedef {Record<string, any>} Row The values of a customer by column, null where there is none.
 */
import { log as hostLog } from "trellis:plugin/host-log@1.0.0";

/** @param {string} en @param {string} zhCn @returns {Text} */
export const text = (en, zhCn) => ({ en, zhCn });

/** A unit: a symbol that is the same in both languages, or a text. @param {string | Text} unit @returns {Text} */
const inWords = (unit) => (typeof unit === "string" ? text(unit, "") : unit);

/** Lines in the plugin's log. They never decide anything. */
export const log = {
  /** @param {string} line */
  debug: (line) => hostLog("debug", line),
  /** @param {string} line */
  info: (line) => hostLog("info", line),
  /** @param {string} line */
  warn: (line) => hostLog("warn", line),
  /** @param {string} line */
  error: (line) => hostLog("error", line),
};

const isValid = (valid, row) => valid.length === 0 || ((valid[row >> 3] >> (row & 7)) & 1) === 1;

const utf8 = new TextDecoder("utf-8", { fatal: true });

/** The texts of a text column. */
const texts = ({ offsets, bytes }) => {
  const all = bytes instanceof Uint8Array ? bytes : Uint8Array.from(bytes);
  return Array.from({ length: offsets.length - 1 }, (_, i) => utf8.decode(all.subarray(offsets[i], offsets[i + 1])));
};

/** A function that gives the value of a row; integers become numbers, which is exact up to 2^53. */
const reader = ({ tag, val }) => {
  switch (tag) {
    case "float64":
    case "date":
      return (row) => val[row];
    case "int64":
    case "time":
    case "reference":
      return (row) => Number(val[row]);
    case "boolean":
      return (row) => val[row] === 1;
    case "money":
      return (row) => Number(val.minorUnits[row]);
    case "text": {
      const all = texts(val);
      return (row) => all[row];
    }
    case "dictionary": {
      const all = texts(val.values);
      return (row) => all[val.codes[row]];
    }
    case "dictionary-list": {
      const all = texts(val.values);
      return (row) => Array.from(val.codes.slice(val.offsets[row], val.offsets[row + 1]), (code) => all[code]);
    }
    default:
      throw pluginError("other", ["unknown-column", text(`this SDK does not know columns of type ${tag}`, `本 SDK 不支持 ${tag} 类型的列`)]);
  }
};

/**
 * The rows of a batch: the column names with their values, null where there is none. Amounts are minor units; dates are days, times
 * milliseconds since 1970; several texts are an array.
 * @param {Batch} batch
 * @returns {Row[]}
 */
export const rows = (batch) => {
  const columns = batch.columns.map(({ name, valid, data }) => ({ name, valid, read: reader(data) }));
  return Array.from({ length: batch.rows }, (_, row) => {
    /** @type {Row} */
    const values = { ordinal: Number(batch.ordinals[row]) };
    for (const { name, valid, read } of columns) values[name] = isValid(valid, row) ? read(row) : null;
    return values;
  });
};

/**
 * The rows of a whole data set, batch by batch.
 * @param {RowStream} stream
 * @returns {Generator<Row>}
 */
export function* everyRow(stream) {
  for (let batch = stream.next(); batch; batch = stream.next()) yield* rows(batch);
}

/** Packs booleans into bits, the lowest first; all true is an empty list. */
const bitmap = (flags) => {
  if (flags.every(Boolean)) return new Uint8Array();
  const bits = new Uint8Array(Math.ceil(flags.length / 8));
  flags.forEach((flag, row) => {
    if (flag) bits[row >> 3] |= 1 << (row & 7);
  });
  return bits;
};

/**
 * The answer of `score`: for each score its values, one a row, null where there is none.
 * @param {Record<string, (number | null)[]>} values
 * @param {RowError[]} failed
 */
export const scores = (values, failed = []) => ({
  columns: Object.entries(values).map(([name, column]) => ({
    name,
    valid: bitmap(column.map((value) => value !== null)),
    values: Float64Array.from(column, (value) => value ?? 0),
  })),
  failed,
});

/**
 * A dictionary column: the text of each row, null where there is none.
 * @param {string} name
 * @param {(string | null)[]} column
 */
const dictionary = (name, column) => {
  const different = [...new Set(column.filter((value) => value !== null))];
  const encoded = different.map((value) => new TextEncoder().encode(value));
  const offsets = new Uint32Array(different.length + 1);
  encoded.forEach((bytes, i) => {
    offsets[i + 1] = offsets[i] + bytes.length;
  });
  const bytes = new Uint8Array(offsets[different.length]);
  encoded.forEach((part, i) => bytes.set(part, offsets[i]));
  const codes = Uint32Array.from(column, (value) => (value === null ? 0 : different.indexOf(value)));
  const data = { tag: "dictionary", val: { codes, values: { offsets, bytes } } };
  return { name, valid: bitmap(column.map((value) => value !== null)), data };
};

/**
 * The answer of `assign`: for each segmentation the value of each row, null where there is none.
 * @param {Record<string, (string | null)[]>} values
 * @param {RowError[]} failed
 */
export const assignments = (values, failed = []) => ({
  columns: Object.entries(values).map(([name, column]) => dictionary(name, column)),
  failed,
});

/**
 * The answer of `eligible`: for each row null where it takes part, and otherwise the cause.
 * @param {(string | null)[]} causes
 * @param {RowError[]} failed
 */
export const eligibilities = (causes, failed = []) => ({
  eligible: Uint8Array.from(causes, (cause) => (cause === null ? 1 : 0)),
  causes: dictionary("cause", causes),
  failed,
});

/**
 * The answer of `assignVariant`: for each row its variant, null where nobody contacts it.
 * @param {(string | null)[]} names
 * @param {RowError[]} failed
 */
export const variants = (names, failed = []) => ({ column: dictionary("variant", names), failed });

/** What a value is in JavaScript; integers and times become numbers, which is exact up to 2^53. */
const plain = ({ tag, val }) => {
  switch (tag) {
    case "integer":
    case "time":
      return Number(val);
    case "money":
      return { currency: val.currency, minorUnits: Number(val.minorUnits) };
    case "json":
      return JSON.parse(val);
    default:
      return val;
  }
};

/**
 * Fields by name, as a record or a list of changed fields has them. A field that is null is not there, or null in such a list.
 * @param {FieldValue[]} list
 * @returns {Record<string, any>}
 */
export const fields = (list) =>
  Object.fromEntries(list.map(({ name, value }) => [name, value === undefined ? null : plain(value)]));

/** Values of fields for actions and patches, by the type of the field. */
export const value = {
  /** @param {string} val */
  text: (val) => ({ tag: "text", val }),
  /** @param {number} val */
  number: (val) => ({ tag: "number", val }),
  /** @param {number | bigint} val */
  integer: (val) => ({ tag: "integer", val: BigInt(val) }),
  /** @param {string} currency @param {number | bigint} minorUnits */
  money: (currency, minorUnits) => ({ tag: "money", val: { currency, minorUnits: BigInt(minorUnits) } }),
  /** @param {boolean} val */
  boolean: (val) => ({ tag: "boolean", val }),
  /** @param {number} val Days since 1970-01-01. */
  date: (val) => ({ tag: "date", val }),
  /** @param {number | bigint} val Milliseconds since 1970. */
  time: (val) => ({ tag: "time", val: BigInt(val) }),
  /** @param {string} val */
  choice: (val) => ({ tag: "choice", val }),
  /** @param {string[]} val */
  choices: (val) => ({ tag: "choices", val }),
  /** @param {string} val The id of the other record. */
  reference: (val) => ({ tag: "reference", val }),
  /** @param {any} val */
  json: (val) => ({ tag: "json", val: JSON.stringify(val) }),
};

/**
 * What becomes of fields: `{ status: value.choice("open"), phone: null }`; null empties one.
 * @param {Record<string, Value | null>} changes
 * @returns {FieldValue[]}
 */
export const changed = (changes) =>
  Object.entries(changes).map(([name, to]) => ({ name, value: to === null ? undefined : to }));

/** The verdicts of a record hook. */
export const verdict = {
  accept: () => ({ tag: "accept" }),
  /** @param {Record<string, Value | null>} changes */
  patch: (changes) => ({ tag: "patch", val: changed(changes) }),
  /** @param {string} code @param {string} en @param {string} zhCn @param {string} [field] */
  veto: (code, en, zhCn, field) => ({ tag: "veto", val: { code, field, message: text(en, zhCn) } }),
};

/** What is to happen. What an action leaves out is left to the host. */
export const action = {
  /** @param {ObjectRecord} record @param {Record<string, Value | null>} changes */
  setFields: ({ object, id }, changes) => ({ tag: "set-fields", val: { object, id, fields: changed(changes) } }),
  /** @param {string} object @param {Record<string, Value>} content */
  createRecord: (object, content) => ({ tag: "create-record", val: { object, fields: changed(content) } }),
  /** @param {Text} subject @param {{ description?: Text, owner?: string, account?: string, caseId?: string, dueInDays?: number, priority?: string }} more */
  createTask: (subject, more = {}) => ({ tag: "create-task", val: { subject, description: text("", ""), ...more } }),
  /** @param {string} channel @param {Text} body @param {{ subject?: Text, account?: string, contact?: string, campaign?: string }} more */
  sendMessage: (channel, body, more = {}) => ({ tag: "send-message", val: { channel, body, subject: text("", ""), ...more } }),
  /** @param {string} name @param {ObjectRecord} record @param {number | bigint} dueMs */
  startTimer: (name, { object, id }, dueMs) => ({ tag: "start-timer", val: { name, object, id, dueMs: BigInt(dueMs) } }),
  /** @param {string} name @param {ObjectRecord} record */
  cancelTimer: (name, { object, id }) => ({ tag: "cancel-timer", val: { name, object, id } }),
};

/** @param {string} code @param {string} en @param {string} zhCn @param {number} weight @returns {Reason} */
export const reason = (code, en, zhCn, weight) => ({ code, text: text(en, zhCn), weight, extra: [] });

/** @param {string} name @param {string} en @param {string} zhCn @param {number} value @param {string | Text} unit @returns {Metric} */
export const metric = (name, en, zhCn, value, unit = "") => ({ name, label: text(en, zhCn), unit: inWords(unit), value, extra: [] });

/**
 * A part of a score's range that has a name, from its lowest value on.
 * @param {string} name @param {Text} label @param {number} lowest @param {Text} description @returns {Band}
 */
export const band = (name, label, lowest, description = text("", "")) => ({ name, label, description, lowest, extra: [] });

/** A value of a segmentation. @param {string} name @param {Text} label @param {Text} description @returns {SegmentValue} */
export const segmentValue = (name, label, description = text("", "")) => ({ name, label, description, extra: [] });

/**
 * A score for `describe` of `scoring`.
 * @param {string} name @param {Text} label
 * @param {{ description?: Text, unit?: string | Text, minimum?: number, maximum?: number, bands?: Band[] }} more
 */
export const score = (name, label, { description = text("", ""), unit = "", minimum, maximum, bands = [] } = {}) => ({
  name,
  label,
  description,
  unit: inWords(unit),
  minimum,
  maximum,
  bands,
  extra: [],
});

/**
 * A segmentation for `describe` of `segmentation`.
 * @param {string} name @param {Text} label @param {SegmentValue[]} values @param {Text} description
 */
export const segmentation = (name, label, values, description = text("", "")) => ({ name, label, description, values, extra: [] });

/** Texts laid end to end. */
const laid = (all) => {
  const encoded = all.map((one) => new TextEncoder().encode(one));
  const offsets = new Uint32Array(all.length + 1);
  encoded.forEach((bytes, i) => {
    offsets[i + 1] = offsets[i] + bytes.length;
  });
  const bytes = new Uint8Array(offsets[all.length]);
  encoded.forEach((part, i) => bytes.set(part, offsets[i]));
  return { offsets, bytes };
};

const panelColumn = (name, label, unit, values, data, zhCn) => ({
  label,
  unit: inWords(unit),
  values: { name, valid: bitmap(values.map((value) => value != null)), data },
  zhCn,
  extra: [],
});

/** Columns of a panel's table; null or undefined where there is no value. A unit is a symbol such as `%`, or a text in both languages. */
export const column = {
  /** @param {string} name @param {Text} label @param {string | Text} unit @param {(number | null)[]} values Those that are not finite become null. */
  number: (name, label, unit, values) => {
    const finite = values.map((value) => (Number.isFinite(value) ? value : null));
    return panelColumn(name, label, unit, finite, { tag: "float64", val: Float64Array.from(finite, (value) => value ?? 0) });
  },
  /** @param {string} name @param {Text} label @param {string | Text} unit @param {(number | bigint | null)[]} values Whole numbers: others throw. */
  integer: (name, label, unit, values) =>
    panelColumn(name, label, unit, values, { tag: "int64", val: BigInt64Array.from(values, (value) => BigInt(value ?? 0)) }),
  /** @param {string} name @param {Text} label @param {string} currency @param {(number | bigint | null)[]} values Minor units. */
  money: (name, label, currency, values) => {
    const minorUnits = BigInt64Array.from(values, (value) => BigInt(value ?? 0));
    return panelColumn(name, label, "", values, { tag: "money", val: { currency, minorUnits } });
  },
  /** @param {string} name @param {Text} label @param {(number | null)[]} values Days since 1970-01-01. */
  date: (name, label, values) =>
    panelColumn(name, label, "", values, { tag: "date", val: Int32Array.from(values, (value) => value ?? 0) }),
  /** Names: texts that are the same in every language. @param {string} name @param {Text} label @param {(string | null)[]} values */
  names: (name, label, values) =>
    panelColumn(name, label, "", values, { tag: "text", val: laid(values.map((value) => value ?? "")) }),
  /** @param {string} name @param {Text} label @param {(number | bigint | null)[]} values Milliseconds since 1970. */
  time: (name, label, values) =>
    panelColumn(name, label, "", values, { tag: "time", val: BigInt64Array.from(values, (value) => BigInt(value ?? 0)) }),
  /** @param {string} name @param {Text} label @param {(boolean | null)[]} values */
  boolean: (name, label, values) =>
    panelColumn(name, label, "", values, { tag: "boolean", val: Uint8Array.from(values, (value) => (value ? 1 : 0)) }),
  /** Words: texts in both languages. @param {string} name @param {Text} label @param {(Text | null)[]} values */
  words: (name, label, values) => {
    const said = (language) => laid(values.map((value) => value?.[language] ?? ""));
    return panelColumn(name, label, "", values, { tag: "text", val: said("en") }, said("zhCn"));
  },
};

const chart = (x, y, more) => ({ x, y, series: undefined, intervals: [], extra: [], ...more });

/** How a panel is drawn: names of its columns. `intervals` are, for each of `y`, the columns below and above it. */
export const drawing = {
  table: () => ({ tag: "table" }),
  /** @param {string} x @param {string[]} y @param {{ series?: string, intervals?: [string, string][] }} more */
  bar: (x, y, more = {}) => ({ tag: "bar", val: chart(x, y, more) }),
  /** @param {string} x @param {string[]} y @param {{ series?: string, intervals?: [string, string][] }} more */
  line: (x, y, more = {}) => ({ tag: "line", val: chart(x, y, more) }),
  /** @param {string} x @param {string[]} y @param {{ series?: string, intervals?: [string, string][] }} more */
  scatter: (x, y, more = {}) => ({ tag: "scatter", val: chart(x, y, more) }),
  /** @param {string} row @param {string} column @param {string} value */
  matrix: (row, column, value) => ({ tag: "matrix", val: { row, column, value } }),
  /** @param {string} node @param {string} parent @param {string} label @param {string} [value] */
  tree: (node, parent, label, value) => ({ tag: "tree", val: { node, parent, label, value } }),
  /** @param {string} source @param {string} target @param {string} [weight] */
  graph: (source, target, weight) => ({ tag: "graph", val: { source, target, weight } }),
};

/**
 * A part of a report: a table, and how it is drawn.
 * @param {string} name @param {Text} label @param {any[]} columns @param {any} drawn @param {Text} description
 */
export const panel = (name, label, columns, drawn = drawing.table(), description = text("", "")) => ({
  name,
  label,
  description,
  columns,
  drawing: drawn,
  extra: [],
});

/**
 * The answer of `evaluate`, `describeModel` and `analyse`.
 * @param {Text} summary @param {Metric[]} metrics @param {any[]} panels
 */
export const report = (summary, metrics = [], panels = []) => ({ summary, metrics, panels, extra: [] });

/**
 * A question for `describe` of the interface `analysis`; `parameters` is a JSON Schema of what is said with it.
 * @param {string} name @param {Text} label @param {{ description?: Text, dataset?: string, parameters?: any }} more
 */
export const analysis = (name, label, { description = text("", ""), dataset, parameters } = {}) => ({
  name,
  label,
  description,
  dataset,
  parameters: parameters === undefined ? "" : JSON.stringify(parameters),
  extra: [],
});

/**
 * A model that is stored as JSON.
 * @param {any} content @param {Text} summary @param {Metric[]} metrics @returns {Model}
 */
export const model = (content, summary, metrics = []) => ({
  bytes: new TextEncoder().encode(JSON.stringify(content)),
  summary,
  metrics,
});

/**
 * Reads what `model` wrote; `format` is what its member `format` has to be.
 * @param {Uint8Array} bytes @param {number} format
 */
export const readModel = (bytes, format) => {
  try {
    const content = JSON.parse(utf8.decode(bytes instanceof Uint8Array ? bytes : Uint8Array.from(bytes)));
    if (content.format === format) return content;
  } catch {
    // Said below.
  }
  throw pluginError("unreadable-model", text(`the model is not of format ${format}`, `模型的格式不是 ${format}`));
};

/**
 * What a function throws when the call as a whole has no answer: `invalid-config`, `invalid-parameters`, `unsuitable-data`,
 * `unreadable-model`, `denied`, `transient` with a text in both languages, or `other` with a code and such a text.
 * @param {string} tag @param {Text | [string, Text]} val
 */
export const pluginError = (tag, val) => ({ payload: { tag, val } });

/**
 * Wraps the functions of an interface so that an exception that nobody caught is named in the fault that the host reports.
 * @template {Record<string, (...args: any[]) => any>} T
 * @param {T} functions
 * @returns {T}
 */
export const guarded = (functions) => {
  const guard = (run) => (...args) => {
    try {
      return run(...args);
    } catch (error) {
      if (!(error && Object.hasOwn(error, "payload"))) {
        const place = String(error?.stack ?? "").split("\n")[0].trim();
        hostLog("error", `panicked at ${place || "plugin.js"}: ${error}`);
      }
      throw error;
    }
  };
  return /** @type {T} */ (Object.fromEntries(Object.entries(functions).map(([name, run]) => [name, guard(run)])));
};
