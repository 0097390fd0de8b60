"""The interfaces about records and campaigns. `desk-js` decides the same in another language."""

import json
import math

from trellis_sdk import (
    accept,
    bar,
    cancel_timer,
    column,
    create_task,
    eligibilities,
    every_row,
    fields,
    guarded,
    metric,
    panel,
    patch,
    reason,
    report,
    rows,
    set_fields,
    start_timer,
    text,
    value,
    variants,
    veto,
)
from wit_world import exports
from wit_world.exports.campaign_rules import RowActions
from wit_world.exports.service_workflow import (
    Decision,
    Occurrence_Changed,
    Occurrence_Timer,
    Requirement,
    Suggestion,
)
from wit_world.imports import host_lookups

HOUR_MS = 3_600_000


def _cause(row, days, as_of):
    """Why a customer does not take part, None where it does."""
    if not row["orders"] or row["last_order"] is None:
        return "no-orders"
    return "too-recent" if as_of - row["last_order"] < days else None


def _variant(campaign, row):
    """The variant of a customer: it depends on the ordinal and the campaign, and on nobody else."""
    return ["a", "b", None][(row["ordinal"] + int(campaign.id[-1], 16)) % 3]


@guarded
class CampaignRules(exports.CampaignRules):
    def eligible(self, campaign, batch, config, at):
        days = json.loads(config)["inactive_days"]
        return eligibilities([_cause(row, days, at.as_of) for row in rows(batch)])

    def assign_variant(self, campaign, batch, config, at):
        return variants([_variant(campaign, row) for row in rows(batch)])

    def next_action(self, campaign, batch, config, at):
        name = fields(campaign.fields).get("name", "")
        task = create_task(text(f"Call: {name}", f"致电：{name}"), due_in_days=3, priority="normal")
        why = reason("planned", "nobody has called yet", "尚未致电", 1)
        planned = (
            number
            for number, row in enumerate(rows(batch))
            if row["status"] == "planned" and row["variant"] is not None
        )
        return [RowActions(number, [task], [why]) for number in planned]

    def explain(self, campaign, batch, config, at):
        days = json.loads(config)["inactive_days"]
        causes = [_cause(row, days, at.as_of) for row in rows(batch)]
        return [[reason(why, "does not take part", "不参与", 1)] if why else [] for why in causes]

    def evaluate(self, campaign, members, config, at):
        members = [bool(row["responded"]) for row in every_row(members)]
        all, responded = len(members), sum(members)
        summary = text(f"{responded} of {all} responded", f"{all} 人中有 {responded} 人响应")
        figures = [metric("members", "Members", "成员数", all), metric("responded", "Responded", "响应数", responded)]
        answers = [text("responded", "已响应"), text("none", "未响应")]
        share = [math.nan if all == 0 else 100 * count / all for count in (responded, all - responded)]
        table = [
            column("words", "answer", text("Response", "响应"), answers),
            column("integer", "members", text("Members", "成员数"), [responded, all - responded]),
            column("number", "share", text("Share", "占比"), share, "%"),
        ]
        counts = panel("counts", text("Members by response", "成员响应情况"), table, bar("answer", ["members"]))
        return report(summary, figures, [counts])


@guarded
class ServiceWorkflow(exports.ServiceWorkflow):
    def triage(self, work, config, at):
        found = fields(work.item.fields)
        if found.get("kind") != "complaint":
            return Decision([], [])
        account = found.get("account")
        filter = json.dumps({"field": "account", "op": "eq", "value": account})
        more = 0 if account is None else host_lookups.count_records("case", filter)
        customer = fields(work.account.fields).get("name", "") if work.account else ""
        return Decision(
            [
                set_fields(work.item, {"priority": value("choice", "urgent" if more > 1 else "high")}),
                create_task(text(f"Complaint: {customer}", f"投诉：{customer}"), case_id=work.item.id, due_in_days=1),
                start_timer("answer", work.item, at.now_ms + HOUR_MS),
            ],
            [reason("complaint", f"{more} open cases of the customer", f"该客户有 {more} 个工单", 1)],
        )

    def on_event(self, work, event, config, at):
        match event:
            case Occurrence_Timer(value="answer"):
                why = reason("unanswered", "nobody has answered", "无人响应", 1)
                return Decision([set_fields(work.item, {"priority": value("choice", "urgent")})], [why])
            case Occurrence_Changed(value=before) if "status" in fields(before):
                why = reason("taken-up", "somebody has taken it up", "已有人受理", 1)
                return Decision([cancel_timer("answer", work.item)], [why])
            case _:
                return Decision([], [])

    def suggest(self, work, config, at):
        why = reason("heard", "who complains wants to be heard", "投诉者希望被聆听", 1)
        call = create_task(text("Call back", "回电"), case_id=work.item.id)
        return [Suggestion("call", text("Call back", "回电"), [why], [call])]

    def close_check(self, work, config, at):
        if fields(work.item.fields).get("resolution", "").strip():
            return []
        message = text("Say how it was resolved.", "请填写解决办法。")
        return [Requirement("resolution-missing", "resolution", message)]


@guarded
class RecordHook(exports.RecordHook):
    def before_save(self, changes, config, at):
        return [self._verdict(change) for change in changes]

    def _verdict(self, change):
        found, was = fields(change.after.fields), fields(change.before or [])
        if found.get("status") == "converted" and was.get("status") != "converted" and not found.get("phone"):
            en, zh_cn = "A lead needs a phone number before it is converted.", "线索转化前需填写电话。"
            return veto("phone-missing", en, zh_cn, "phone")
        company = found.get("company")
        if company is None or company == company.strip():
            return accept()
        return patch({"company": value("text", company.strip()) if company.strip() else None})
