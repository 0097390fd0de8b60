//! Questions about all baskets and all customers.

mod methods;
mod missing_items;
mod recommend;
mod rules;

use serde::de::DeserializeOwned;
use serde_json::Value as Json;
use trellis_sdk::{
    AnalysisDescription, Context, PluginError, Report, Result, RowStream, analysis, parse_parameters,
};

use crate::config::Config;

pub(crate) fn describe() -> Vec<AnalysisDescription> {
    vec![
        analysis("rules", "Association rules", "关联规则")
            .about(
                "Mines all orders with the thresholds that you give.",
                "按给定的阈值从全部订单中挖掘规则。",
            )
            .of("customers")
            .asking(&rules::parameters()),
        analysis("recommend", "What goes with a basket", "搭配推荐")
            .about(
                "For some products: what is bought with them, by rules and by likeness.",
                "针对给定商品，按规则和相似度列出适合搭配的商品。",
            )
            .of("customers")
            .asking(&recommend::parameters()),
        analysis("missing_items", "Missing items of all customers", "全体客户的遗漏商品")
            .about(
                "Counts for each product the customers to whom it is the best offer, and what that would gain.",
                "统计每种商品是多少客户的最佳推荐，以及期望收益。",
            )
            .of("customers"),
        analysis("methods", "Compare ways to recommend", "比较推荐方法")
            .about(
                "Hides one item of each tenth basket and counts how often rules, likeness and mere popularity find it again.",
                "在每十个购物篮中隐藏一件商品，比较规则、相似度和热门排行各能猜中多少。",
            )
            .of("customers"),
    ]
}

pub(crate) fn answer(
    name: &str,
    rows: &mut RowStream<'_>,
    parameters: &str,
    config: &Config,
    at: &Context,
) -> Result<Report> {
    match name {
        "rules" => rules::answer(rows, &read(parameters)?, config, at),
        "recommend" => recommend::answer(rows, &read(parameters)?, config, at),
        "missing_items" => missing_items::answer(rows, config, at),
        "methods" => methods::answer(rows, config, at),
        _ => Err(PluginError::InvalidParameters(
            (format!("there is no question `{name}`"), format!("没有名为 `{name}` 的问题")).into(),
        )),
    }
}

fn read<P: DeserializeOwned>(parameters: &str) -> Result<P> {
    parse_parameters(parameters)
}
