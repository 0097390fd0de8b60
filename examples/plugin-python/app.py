import json
from dataclasses import dataclass

from trellis_sdk import band, every_row, guarded, metric, model, plugin_error, read_model, reason, rows, score, scores, text
from wit_world import exports

FORMAT = 1
"""Version of the model's JSON; another one is fitted anew."""


@dataclass
class Points:
    """What a customer gets."""

    days: int
    for_orders: float
    for_recency: float

    @classmethod
    def of(cls, learned: dict, row: dict, as_of: int) -> "Points | None":
        """None where there is no order yet."""
        orders, last_order = row["orders"], row["last_order"]
        if not orders or last_order is None:
            return None
        days, share = as_of - last_order, learned["share_of_orders"]
        for_orders = share * orders / (orders + learned["mean_orders"])
        for_recency = (100 - share) * learned["mean_days"] / (learned["mean_days"] + days)
        return cls(days, for_orders, for_recency)


@guarded
class Scoring(exports.Scoring):
    def describe(self, config):
        label, description = text("Engagement", "活跃度"), text("How often and how recently a customer orders.", "客户下单的频率与最近程度。")
        bands = [("cold", "Cold", "冷淡", 0), ("warm", "Warm", "一般", 40), ("hot", "Hot", "活跃", 60)]
        bands = [band(name, text(en, zh), lowest) for name, en, zh, lowest in bands]
        return [score("engagement", label, description, minimum=0, maximum=100, bands=bands)]

    def fit(self, stream, config, at):
        share_of_orders = json.loads(config).get("share_of_orders", 50)
        customers = orders = days = 0
        for row in every_row(stream):
            if row["orders"] and row["last_order"] is not None:
                customers += 1
                orders += row["orders"]
                days += at.as_of - row["last_order"]
        if customers == 0:
            raise plugin_error("unsuitable-data", text("no customer has an order", "没有客户有订单"))
        # At least one day, so that nothing is divided by zero.
        mean_orders, mean_days = orders / customers, max(days / customers, 1)
        learned = {"format": FORMAT, "share_of_orders": share_of_orders, "mean_orders": mean_orders, "mean_days": mean_days}
        summary = text(
            f"{customers} customers with {mean_orders:.2f} orders on average, the last one {mean_days:.1f} days ago",
            f"{customers} 位客户，平均 {mean_orders:.2f} 笔订单，最近一笔平均在 {mean_days:.1f} 天前",
        )
        return model(learned, summary, [metric("customers", "Customers with an order", "有订单的客户数", customers)])

    def score(self, stored, batch, at):
        learned = read_model(stored, FORMAT)
        found = (Points.of(learned, row, at.as_of) for row in rows(batch))
        return scores({"engagement": [points and points.for_orders + points.for_recency for points in found]})

    def explain(self, stored, batch, at):
        learned = read_model(stored, FORMAT)
        return [self._reasons(learned, row, at.as_of) for row in rows(batch)]

    def _reasons(self, learned, row, as_of):
        points = Points.of(learned, row, as_of)
        if points is None:
            return []
        orders, days, mean_orders, mean_days = row["orders"], points.days, learned["mean_orders"], learned["mean_days"]
        reasons = [
            reason(
                "orders",
                f"{orders} orders give {points.for_orders:.1f} points; the average customer has {mean_orders:.2f}",
                f"{orders} 笔订单得 {points.for_orders:.1f} 分；客户平均 {mean_orders:.2f} 笔",
                points.for_orders,
            ),
            reason(
                "recency",
                f"The last order {days} days ago gives {points.for_recency:.1f} points; the average is {mean_days:.1f} days",
                f"最近一笔订单在 {days} 天前，得 {points.for_recency:.1f} 分；平均为 {mean_days:.1f} 天",
                points.for_recency,
            ),
        ]
        return sorted(reasons, key=lambda reason: -reason.weight)

    def rules(self, stored):
        learned = read_model(stored, FORMAT)
        share, mean_orders, mean_days = learned["share_of_orders"], learned["mean_orders"], learned["mean_days"]
        return text(
            f"- {share} × orders / (orders + {mean_orders:.2f})\n- {100 - share} × {mean_days:.1f} / (days since the last order + {mean_days:.1f})\n",
            f"- {share} × 订单数 /（订单数 + {mean_orders:.2f}）\n- {100 - share} × {mean_days:.1f} /（距最近一笔订单的天数 + {mean_days:.1f}）\n",
        )
