// @ts-check
import { band, everyRow, guarded, metric, model, pluginError, readModel, reason, rows, score, scores, text } from "trellis-sdk";

/** Version of the model's JSON; another one is fitted anew. */
const FORMAT = 1;

/**
 * The points of a customer, null where there is no order yet.
 * @param {{ shareOfOrders: number, meanOrders: number, meanDays: number }} learned
 * @param {import("trellis-sdk").Row} row
 * @param {number} asOf
 */
const points = (learned, row, asOf) => {
  if (!row.orders || row.last_order === null) return null;
  const days = asOf - row.last_order;
  const forOrders = (learned.shareOfOrders * row.orders) / (row.orders + learned.meanOrders);
  const forRecency = ((100 - learned.shareOfOrders) * learned.meanDays) / (learned.meanDays + days);
  return { days, forOrders, forRecency, total: forOrders + forRecency };
};

export const scoring = guarded({
  describe: () => [
    score("engagement", text("Engagement", "活跃度"), {
      description: text("How often and how recently a customer orders.", "客户下单的频率与最近程度。"),
      minimum: 0,
      maximum: 100,
      bands: [
        band("cold", text("Cold", "冷淡"), 0),
        band("warm", text("Warm", "一般"), 40),
        band("hot", text("Hot", "活跃"), 60),
      ],
    }),
  ],

  fit(stream, config, at) {
    const shareOfOrders = JSON.parse(config).share_of_orders ?? 50;
    let [customers, orders, days] = [0, 0, 0];
    for (const row of everyRow(stream)) {
      if (!row.orders || row.last_order === null) continue;
      customers += 1;
      orders += row.orders;
      days += at.asOf - row.last_order;
    }
    if (customers === 0) throw pluginError("unsuitable-data", text("no customer has an order", "没有客户有订单"));
    // At least one day, so that nothing is divided by zero.
    const learned = { format: FORMAT, shareOfOrders, meanOrders: orders / customers, meanDays: Math.max(days / customers, 1) };
    const [meanOrders, meanDays] = [learned.meanOrders.toFixed(2), learned.meanDays.toFixed(1)];
    return model(
      learned,
      text(
        `${customers} customers with ${meanOrders} orders on average, the last one ${meanDays} days ago`,
        `${customers} 位客户，平均 ${meanOrders} 笔订单，最近一笔平均在 ${meanDays} 天前`,
      ),
      [metric("customers", "Customers with an order", "有订单的客户数", customers)],
    );
  },

  score(stored, batch, at) {
    const learned = readModel(stored, FORMAT);
    return scores({ engagement: rows(batch).map((row) => points(learned, row, at.asOf)?.total ?? null) });
  },

  explain(stored, batch, at) {
    const learned = readModel(stored, FORMAT);
    return rows(batch).map((row) => {
      const found = points(learned, row, at.asOf);
      if (!found) return [];
      const { forOrders, forRecency, days } = found;
      return [
        reason(
          "orders",
          `${row.orders} orders give ${forOrders.toFixed(1)} points; the average customer has ${learned.meanOrders.toFixed(2)}`,
          `${row.orders} 笔订单得 ${forOrders.toFixed(1)} 分；客户平均 ${learned.meanOrders.toFixed(2)} 笔`,
          forOrders,
        ),
        reason(
          "recency",
          `The last order ${days} days ago gives ${forRecency.toFixed(1)} points; the average is ${learned.meanDays.toFixed(1)} days`,
          `最近一笔订单在 ${days} 天前，得 ${forRecency.toFixed(1)} 分；平均为 ${learned.meanDays.toFixed(1)} 天`,
          forRecency,
        ),
      ].sort((a, b) => b.weight - a.weight);
    });
  },

  rules(stored) {
    const { shareOfOrders, meanOrders, meanDays } = readModel(stored, FORMAT);
    const rest = 100 - shareOfOrders;
    return text(
      `- ${shareOfOrders} × orders / (orders + ${meanOrders.toFixed(2)})\n- ${rest} × ${meanDays.toFixed(1)} / (days since the last order + ${meanDays.toFixed(1)})\n`,
      `- ${shareOfOrders} × 订单数 /（订单数 + ${meanOrders.toFixed(2)}）\n- ${rest} × ${meanDays.toFixed(1)} /（距最近一笔订单的天数 + ${meanDays.toFixed(1)}）\n`,
    );
  },
});
