// A guest that does wrong what it is told to: the model, which `fit` takes from the configuration, names the sin.
import { assignments, band, guarded, log, metric, reason, rows, scores, segmentValue, text } from "trellis-sdk";

const named = (bytes) => new TextDecoder().decode(Uint8Array.from(bytes));
const part = (name, lowest) => band(name, text(name, name), lowest);
const good = (batch) => rows(batch).map((row) => row.ordinal % 10);
const points = (values) => ({ columns: [{ name: "points", valid: new Uint8Array(), values }], failed: [] });
// Not a literal, or the bundler would refuse it before anything runs.
const files = ["node", "fs"].join(":");
const recurse = (depth) => 1 + recurse(depth + 1);
const hoard = () => {
  for (const kept = []; ; ) kept.push(new Uint8Array(1 << 20).fill(1));
};

/** What goes wrong while a batch is scored. Each returns an answer or throws. */
const sins = {
  none: (batch) => points(Float64Array.from(good(batch))),
  loop: () => {
    for (;;);
  },
  regex: () => /^(a+)+$/.test(`${"a".repeat(64)}!`),
  memory: hoard,
  strings: () => {
    for (let all = "x"; ; all += all) JSON.stringify(all);
  },
  throw: () => {
    throw new Error("as the test asked");
  },
  "throw-nothing": () => {
    throw undefined;
  },
  "throw-payload": () => {
    throw { payload: { tag: "no-such-case", val: "x" } };
  },
  recursion: () => recurse(0),
  nan: (batch) => points(Float64Array.from(good(batch), () => NaN)),
  infinite: (batch) => points(Float64Array.from(good(batch), () => Infinity)),
  "out-of-range": (batch) => points(Float64Array.from(good(batch), () => 101)),
  "wrong-lengths": (batch) => points(new Float64Array(batch.rows + 1)),
  "no-columns": () => ({ columns: [], failed: [] }),
  "wrong-name": (batch) => scores({ marks: good(batch) }),
  "wrong-types": () => "no record",
  "missing-member": () => ({ columns: [] }),
  "bad-failed-row": (batch) => ({ ...points(new Float64Array(batch.rows)), failed: [{ row: batch.rows, code: "x", message: text("", "") }] }),
  "huge-string": (batch) => ({
    ...points(new Float64Array(batch.rows)),
    failed: [{ row: 0, code: "x", message: text("y".repeat(2 << 20), "") }],
  }),
  "log-flood": (batch) => {
    for (let line = 0; line < 2_000; line += 1) log.warn("z".repeat(200));
    return sins.none(batch);
  },
  exit: () => process.exit(3),
  file: () => require(files).readFileSync("/etc/passwd"),
  socket: () => fetch("http://localhost:1/"),
  environment: () => process.env.PATH,
  thread: () => new Worker("x.js"),
  wasm: () => new WebAssembly.Memory({ initial: 1 }),
  eval: (batch) => points(Float64Array.from(good(batch), () => (0, eval)("1 + 1"))),
  import: () => import(files),
  prototype: (batch) => {
    Object.prototype.payload = { tag: "denied", val: "polluted" };
    Float64Array.prototype.fill = hoard;
    return sins.none(batch);
  },
  state: (batch) => {
    globalThis.calls = (globalThis.calls ?? 0) + 1;
    return points(Float64Array.from(good(batch), () => globalThis.calls));
  },
  chance: (batch) => points(Float64Array.from(good(batch), () => Math.floor(Math.random() * 100))),
  clock: (batch) => points(Float64Array.from(good(batch), () => Math.min(Date.now() % 100, 99))),
};

const sinful = (sin, ...given) => {
  if (!Object.hasOwn(sins, sin)) throw new Error(`unknown sin ${sin}`);
  return sins[sin](...given);
};

export const scoring = guarded({
  describe: (config) => {
    if (config.includes("describe-throw")) throw new TypeError("as the test asked");
    const bands = [part("low", 0), part("high", 5)];
    return [{ name: "points", label: text("Points", "分"), description: text("", ""), unit: text("", ""), minimum: 0, maximum: 100, bands, extra: [] }];
  },
  fit: (stream, config) => {
    const { sin } = JSON.parse(config);
    if (sin === "fit-loop") sins.loop();
    if (sin === "fit-throw") sins.throw();
    if (sin === "big-model") return { bytes: new Uint8Array(20 << 20), summary: text("", ""), metrics: [] };
    if (sin === "nan-metric") return { bytes: new Uint8Array(), summary: text("", ""), metrics: [metric("m", "m", "m", NaN)] };
    return { bytes: new TextEncoder().encode(sin), summary: text(`${stream.rows()} rows`, `${stream.rows()} 行`), metrics: [] };
  },
  score: (model, batch) => sinful(named(model), batch),
  explain: (model, batch) => {
    const sin = named(model);
    const reasons = rows(batch).map((row) => [reason("ordinal", `ordinal ${row.ordinal}`, "", sin === "nan-weight" ? NaN : 1)]);
    return sin === "missing-reasons" ? reasons.slice(1) : reasons;
  },
  rules: () => text("points are the last digit\n", "分数为末位数字\n"),
});

export const segmentation = guarded({
  describe: () => {
    const value = (name) => segmentValue(name, text(name, name));
    return [{ name: "lot", label: text("Lot", "批"), description: text("", ""), values: [value("even"), value("odd")], extra: [] }];
  },
  fit: (stream, config) => scoring.fit(stream, config),
  assign: (model, batch) => {
    const answer = assignments({ lot: good(batch).map((digit) => (digit % 2 ? "odd" : "even")) });
    const { val } = answer.columns[0].data;
    switch (named(model)) {
      case "bad-codes":
        val.codes.fill(99);
        break;
      case "bad-offsets":
        val.values.offsets.reverse();
        break;
      case "invalid-utf8":
        val.values.bytes.fill(0xff);
        break;
      case "unknown-value":
        return assignments({ lot: good(batch).map(() => "odr") });
    }
    return answer;
  },
  explain: (model, batch) => scoring.explain(model, batch),
});
