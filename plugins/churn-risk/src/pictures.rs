//! What the report of this plugin has beyond that of every learned model.

use trellis_mining::profit::CurveWords;
use trellis_sdk::{Panel, localized, panel};

use crate::labels::degree;
use crate::model::{ChurnModel, Survival};

/// What the curve of retention calls things.
pub(crate) const RETENTION: CurveWords = CurveWords {
    title: ("Profit of retaining by how many are contacted", "挽留利润曲线"),
    about: (
        "Customers held out, from the highest risk: what retaining those who would have left brings, less what contacting all of them costs. The peak is the best threshold.",
        "验证集客户按风险从高到低联系：挽留即将流失客户的收益减去联系成本。最高点即最佳阈值。",
    ),
    hits: ("Would have left", "将流失客户数"),
    lowest: ("Lowest risk", "最低风险"),
};

/// Risk by value: how many customers, and what they are worth.
pub(crate) fn matrix(model: &ChurnModel) -> Panel {
    let word = |place: usize, en: &str, zh: &str| {
        let (degree, degree_zh) = degree(place);
        localized(format!("{degree} {en}"), format!("{degree_zh}{zh}"))
    };
    let cells = &model.cells;
    panel("risk_value", "Risk × value", "风险 × 价值矩阵")
        .about(
            "Customers by the risk of leaving and by what they are worth. High risk and high value are retained first; high risk and low value may go.",
            "按流失风险和客户价值划分。高风险高价值客户优先挽留，高风险低价值客户可放手。",
        )
        .words("risk", ("Risk", "风险"), (0..9).map(|place| word(place / 3, "risk", "风险")))
        .words("worth", ("Value", "价值"), (0..9).map(|place| word(place % 3, "value", "价值")))
        .int64("customers", ("Customers", "客户数"), "", cells.iter().map(|cell| i64::try_from(cell.0).ok()))
        .float64("value", ("What they are worth", "价值合计"), "", cells.iter().map(|cell| Some(cell.1)))
        .float64("expected", ("Expected to be lost", "预计流失数"), "", cells.iter().map(|cell| Some(cell.2)))
        .matrix("risk", "worth", "customers")
}

/// The survival curves, one below the other.
pub(crate) fn survival(survival: &Survival) -> Panel {
    let rows =
        || survival.curves.iter().flat_map(|curve| curve.points.iter().map(move |point| (curve, point)));
    let number =
        |of: fn(&trellis_mining::survival::Point) -> f64| rows().map(move |(_, point)| Some(of(point)));
    let (unit, time) = if survival.is_given {
        (("", ""), ("Time as a customer", "客户时长"))
    } else {
        (("days", "天"), ("Days since the first order", "距首次下单天数"))
    };
    panel("survival", "How long customers stay", "客户留存曲线")
        .about(
            "Kaplan–Meier: the share of customers who are still there after so long, with 95 % confidence bands.",
            "Kaplan–Meier 估计：经过该时长后仍留存的客户比例，附 95% 置信区间。",
        )
        .float64("time", time, unit, number(|point| point.time))
        .float64("staying", ("Still there", "留存率"), "%", number(|point| 100.0 * point.survival))
        .float64("lower", ("Lower bound", "下限"), "%", number(|point| 100.0 * point.lower))
        .float64("upper", ("Upper bound", "上限"), "%", number(|point| 100.0 * point.upper))
        .int64("at_risk", ("Observed until then", "观察人数"), "", rows().map(|(_, point)| i64::try_from(point.at_risk).ok()))
        .int64("events", ("Lost at that time", "流失人数"), "", rows().map(|(_, point)| i64::try_from(point.events).ok()))
        .words("group", ("Group", "分组"), rows().map(|(curve, _)| curve.name.clone()))
        .line("time", ["staying"])
        .interval("lower", "upper")
        .series("group")
}

/// How the groups compare.
pub(crate) fn groups(survival: &Survival) -> Panel {
    let curves = &survival.curves;
    panel("survival_groups", "Groups compared", "各组留存比较")
        .about(
            "The median is when half are gone; empty where more than half stay.",
            "中位时长为流失一半的时间；留存过半时为空。",
        )
        .words("group", ("Group", "分组"), curves.iter().map(|curve| curve.name.clone()))
        .int64(
            "customers",
            ("Customers", "客户数"),
            "",
            curves.iter().map(|curve| i64::try_from(curve.customers).ok()),
        )
        .float64("median", ("Median", "中位时长"), "", curves.iter().map(|curve| curve.median))
        .float64(
            "staying",
            ("Still there at the end", "期末留存率"),
            "%",
            curves.iter().map(|curve| Some(100.0 * curve.staying)),
        )
        .bar("group", ["staying"])
}
