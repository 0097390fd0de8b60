//! The cuts, the classes and the value matrix as tables and pictures.

use trellis_sdk::math::pow;
use trellis_sdk::{LocalizedText, Panel, Report, decimal_places, localized, panel, report};

use crate::dimensions::{Dimension, Direction};
use crate::labels;
use crate::model::RfmModel;

pub(crate) fn report_of(model: &RfmModel) -> Report {
    let figures = model.metrics().into_iter().fold(report(model.summary()), Report::metric);
    let mut panels = vec![classes(model)];
    if !model.segments.is_empty() {
        panels.push(segments(model));
    }
    panels.extend([heat_map(model), cuts(model), matrix(model), scatter(model)]);
    panels.into_iter().fold(figures, Report::panel)
}

fn count(count: &u64) -> Option<i64> {
    i64::try_from(*count).ok()
}

fn percent(model: &RfmModel, count: u64) -> Option<f64> {
    Some(100.0 * count as f64 / model.customers as f64)
}

fn classes(model: &RfmModel) -> Panel {
    let counts = &model.shape.classes;
    panel("classes", "Customers of each class", "各类客户数")
        .about(
            "The eight classes, by whether each score lies above the mean.",
            "按各项得分是否高于平均划分的八类客户。",
        )
        .words("class", ("Class", "类别"), labels::class_labels())
        .int64("customers", ("Customers", "客户数"), "", counts.iter().map(count))
        .float64("share", ("Share", "占比"), "%", counts.iter().map(|count| percent(model, *count)))
        .bar("class", ["customers"])
}

/// The named segments are sums of cells of the heat map.
fn segments(model: &RfmModel) -> Panel {
    let (mut customers, mut spent) = (vec![0; model.segments.len()], vec![0_i64; model.segments.len()]);
    let cells = model.shape.cells.iter().zip(&model.shape.spent).zip(&model.segment_map);
    for ((count, amount), segment) in cells.filter(|_| !model.is_uniform()) {
        let place = *segment as usize;
        if let Some((customers, spent)) = customers.get_mut(place).zip(spent.get_mut(place)) {
            *customers += count;
            *spent = spent.saturating_add(*amount);
        }
    }
    panel("segments", "Customers of each segment", "各细分群体客户数")
        .about(
            "Named segments by the scores of recency and frequency, with what their customers spent in all.",
            "按近度与频度得分命名的细分群体及其累计消费。",
        )
        .words(
            "segment",
            ("Segment", "细分群体"),
            model.segments.iter().map(|segment| localized(&segment.label_en, &segment.label_zh)),
        )
        .int64("customers", ("Customers", "客户数"), "", customers.iter().map(count))
        .float64("share", ("Share", "占比"), "%", customers.iter().map(|count| percent(model, *count)))
        .money("spent", ("Spent", "累计消费"), &model.currency, spent.into_iter().map(Some))
        .bar("segment", ["customers"])
}

fn heat_map(model: &RfmModel) -> Panel {
    let groups = model.groups;
    let cells = || model.shape.cells.iter().zip(&model.shape.spent).enumerate();
    let score = |number: usize| Some(number as i64 + 1);
    let mean = |count: u64, spent: i64| (count > 0).then(|| (spent as f64 / count as f64).round() as i64);
    panel("heat_map", "Recency and frequency", "近度与频度")
        .about(
            "How many customers have each pair of scores, and what they spent on the mean. The best are at 5 and 5 where there are five grades.",
            "各近度与频度得分组合的客户数及平均累计消费。分五档时，右上角 5、5 为最佳。",
        )
        .int64("recency", ("Recency score", "近度得分"), "", cells().map(|(cell, _)| score(cell / groups)))
        .int64("frequency", ("Frequency score", "频度得分"), "", cells().map(|(cell, _)| score(cell % groups)))
        .int64("customers", ("Customers", "客户数"), "", cells().map(|(_, (customers, _))| count(customers)))
        .money(
            "mean_spent",
            ("Mean spend", "平均累计消费"),
            &model.currency,
            cells().map(|(_, (count, spent))| mean(*count, *spent)),
        )
        .matrix("recency", "frequency", "customers")
}

/// One cut of one dimension.
struct CutRow {
    dimension: LocalizedText,
    better: LocalizedText,
    quantile: Option<f64>,
    equal_group: Option<f64>,
    fixed: Option<f64>,
}

fn cuts(model: &RfmModel) -> Panel {
    let unit = pow(10.0, f64::from(decimal_places(&model.currency)));
    let units = [1.0, 1.0, unit];
    let rows: Vec<CutRow> = model
        .dimensions()
        .into_iter()
        .zip(labels::dimension_labels())
        .zip(units)
        .flat_map(|((dimension, label), unit)| {
            (1..model.groups).map(move |cut| cut_row(dimension, &label, unit, cut))
        })
        .collect();
    panel("cuts", "Cuts", "分档界限")
        .about(
            "Where each dimension is cut: days, orders, and amounts in the base currency. The better side lies above the cut, of recency at it and below.",
            "各维度的分档界限：天数、订单数和本位币金额。高于界限者较好；近度为不高于界限者较好。",
        )
        .words("dimension", ("Dimension", "维度"), rows.iter().map(|row| row.dimension.clone()))
        .words("better", ("Better side", "较好一侧得分"), rows.iter().map(|row| row.better.clone()))
        .float64("quantile", ("Quantile", "分位数"), "", rows.iter().map(|row| row.quantile))
        .float64("equal_group", ("Equal groups", "等分组"), "", rows.iter().map(|row| row.equal_group))
        .float64("fixed", ("Fixed bound", "固定界限"), "", rows.iter().map(|row| row.fixed))
}

fn cut_row(dimension: &Dimension, label: &LocalizedText, unit: f64, cut: usize) -> CutRow {
    let groups = dimension.thresholds.len() + 1;
    let at = |cuts: &[f64], place: usize| cuts.get(place).map(|cut| cut / unit);
    // Scores ascend with the cut of what should be much, and descend with that of what should be little.
    let better = if dimension.direction == Direction::Up { cut + 1 } else { groups + 1 - cut };
    let boundary = dimension.boundaries.get(better - 2);
    CutRow {
        dimension: label.clone(),
        better: localized(format!("{better} and more"), format!("{better} 分及以上")),
        quantile: at(&dimension.thresholds, cut - 1),
        equal_group: boundary.map(|(key, _)| dimension.direction.key(*key) as f64 / unit),
        fixed: at(&dimension.bounds, cut - 1),
    }
}

fn matrix(model: &RfmModel) -> Panel {
    let counts = &model.shape.matrix;
    let (middle, middle_zh) = labels::middle(model.matrix_by);
    panel("value_matrix", "Customer value matrix", "客户价值矩阵")
        .about(
            &format!("By whether average spend per order and number of orders lie above the {middle}."),
            &format!("按平均每单金额和购买次数是否高于{middle_zh}划分。"),
        )
        .words("field", ("Field", "类型"), labels::matrix_labels())
        .int64("customers", ("Customers", "客户数"), "", counts.iter().map(count))
        .float64("share", ("Share", "占比"), "%", counts.iter().map(|count| percent(model, *count)))
        .bar("field", ["customers"])
}

fn scatter(model: &RfmModel) -> Panel {
    let unit = pow(10.0, f64::from(decimal_places(&model.currency)));
    let points = &model.shape.points;
    let names: Vec<LocalizedText> = labels::matrix_labels().collect();
    let name = |field: u64| names.get(field as usize).cloned().unwrap_or_else(|| localized("", ""));
    let [spend_cut, orders] = model.matrix_cuts;
    let (shown, spend) = (points.len(), spend_cut / unit);
    let (middle, middle_zh) = labels::middle(model.matrix_by);
    panel("customers", "Customers in the value matrix", "价值矩阵散点图")
        .about(
            &format!("{shown} customers, evenly chosen. The fields meet at the {middle}s: {orders:.2} orders, {spend:.2} per order."),
            &format!("均匀抽取 {shown} 位客户。四类以{middle_zh}为界：{orders:.2} 笔订单，每笔 {spend:.2}。"),
        )
        .int64("orders", ("Orders", "订单数"), "", points.iter().map(|point| Some(point.orders)))
        .float64(
            "average_spend",
            ("Average spend per order", "平均每单金额"),
            &model.currency,
            points.iter().map(|point| Some(point.spent as f64 / point.orders as f64 / unit)),
        )
        .words("field", ("Field", "类型"), points.iter().map(|point| name(point.field)))
        .scatter("orders", ["average_spend"])
        .series("field")
}
