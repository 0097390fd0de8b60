// @ts-check
// The interfaces about records and campaigns. `desk-python` decides the same in another language.
import {
  action, column, drawing, eligibilities, everyRow, fields, guarded, metric, panel, reason, report, rows, text, value, variants, verdict,
} from "trellis-sdk";
import { countRecords as count } from "trellis:plugin/host-lookups@1.0.0";

const HOUR_MS = 3_600_000;

/** Why a customer does not take part, null where it does. */
const cause = (row, days, asOf) => {
  if (!row.orders || row.last_order === null) return "no-orders";
  return asOf - row.last_order < days ? "too-recent" : null;
};

/** The variant of a customer: it depends on the ordinal and the campaign, and on nobody else. */
const variant = (campaign, row) => {
  const last = Number.parseInt(campaign.id.slice(-1), 16);
  return ["a", "b", null][(row.ordinal + last) % 3];
};

export const campaignRules = guarded({
  eligible(campaign, batch, config, at) {
    const days = JSON.parse(config).inactive_days;
    return eligibilities(rows(batch).map((row) => cause(row, days, at.asOf)));
  },

  assignVariant: (campaign, batch) => variants(rows(batch).map((row) => variant(campaign, row))),

  nextAction: (campaign, batch) =>
    rows(batch).flatMap((row, number) => {
      if (row.status !== "planned" || row.variant === null) return [];
      const name = fields(campaign.fields).name ?? "";
      const subject = text(`Call: ${name}`, `致电：${name}`);
      return {
        row: number,
        actions: [action.createTask(subject, { dueInDays: 3, priority: "normal" })],
        reasons: [reason("planned", "nobody has called yet", "尚未致电", 1)],
      };
    }),

  explain(campaign, batch, config, at) {
    const days = JSON.parse(config).inactive_days;
    return rows(batch).map((row) => {
      const why = cause(row, days, at.asOf);
      return why ? [reason(why, "does not take part", "不参与", 1)] : [];
    });
  },

  evaluate(campaign, members) {
    let [all, responded] = [0, 0];
    for (const row of everyRow(members)) {
      all += 1;
      responded += row.responded ? 1 : 0;
    }
    const counts = panel(
      "counts",
      text("Members by response", "成员响应情况"),
      [
        column.words("answer", text("Response", "响应"), [text("responded", "已响应"), text("none", "未响应")]),
        column.integer("members", text("Members", "成员数"), "", [responded, all - responded]),
        column.number("share", text("Share", "占比"), "%", [(100 * responded) / all, (100 * (all - responded)) / all]),
      ],
      drawing.bar("answer", ["members"]),
    );
    const summary = text(`${responded} of ${all} responded`, `${all} 人中有 ${responded} 人响应`);
    return report(
      summary,
      [metric("members", "Members", "成员数", all), metric("responded", "Responded", "响应数", responded)],
      [counts],
    );
  },
});

export const serviceWorkflow = guarded({
  triage({ item, account }, config, at) {
    const found = fields(item.fields);
    if (found.kind !== "complaint") return { actions: [], reasons: [] };
    const filter = { field: "account", op: "eq", value: found.account ?? null };
    const more = found.account === undefined ? 0 : Number(count("case", JSON.stringify(filter)));
    const customer = account ? (fields(account.fields).name ?? "") : "";
    return {
      actions: [
        action.setFields(item, { priority: value.choice(more > 1 ? "urgent" : "high") }),
        action.createTask(text(`Complaint: ${customer}`, `投诉：${customer}`), { caseId: item.id, dueInDays: 1 }),
        action.startTimer("answer", item, at.nowMs + BigInt(HOUR_MS)),
      ],
      reasons: [reason("complaint", `${more} open cases of the customer`, `该客户有 ${more} 个工单`, 1)],
    };
  },

  onEvent({ item }, event) {
    if (event.tag === "timer" && event.val === "answer") {
      return {
        actions: [action.setFields(item, { priority: value.choice("urgent") })],
        reasons: [reason("unanswered", "nobody has answered", "无人响应", 1)],
      };
    }
    if (event.tag === "changed" && "status" in fields(event.val)) {
      return {
        actions: [action.cancelTimer("answer", item)],
        reasons: [reason("taken-up", "somebody has taken it up", "已有人受理", 1)],
      };
    }
    return { actions: [], reasons: [] };
  },

  suggest: ({ item }) => [
    {
      name: "call",
      label: text("Call back", "回电"),
      reasons: [reason("heard", "who complains wants to be heard", "投诉者希望被聆听", 1)],
      actions: [action.createTask(text("Call back", "回电"), { caseId: item.id })],
    },
  ],

  closeCheck({ item }) {
    const found = fields(item.fields);
    if (found.resolution?.trim()) return [];
    return [{ code: "resolution-missing", field: "resolution", message: text("Say how it was resolved.", "请填写解决办法。") }];
  },
});

export const recordHook = guarded({
  beforeSave: (changes) =>
    changes.map(({ after, before }) => {
      const [is, was] = [fields(after.fields), before ? fields(before) : {}];
      if (is.status === "converted" && was.status !== "converted" && !is.phone) {
        return verdict.veto("phone-missing", "A lead needs a phone number before it is converted.", "线索转化前需填写电话。", "phone");
      }
      const company = is.company?.trim();
      return company === is.company ? verdict.accept() : verdict.patch({ company: company ? value.text(company) : null });
    }),
});
