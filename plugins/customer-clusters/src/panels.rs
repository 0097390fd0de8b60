//! The clusters as tables and pictures.

use trellis_sdk::{LocalizedText, Panel, Report, panel, report};

use crate::model::ClusterModel;
use crate::words;

pub(crate) fn report_of(model: &ClusterModel) -> Report {
    let figures = words::metrics(model).into_iter().fold(report(words::summary(model)), Report::metric);
    let mut panels = vec![clusters(model), profiles(model)];
    if !model.elbow.is_empty() {
        panels.extend([elbow(model), silhouettes(model)]);
    }
    panels.push(compared(model));
    panels.into_iter().fold(figures, Report::panel)
}

fn clusters(model: &ClusterModel) -> Panel {
    let share = |size: &u64| Some(100.0 * *size as f64 / model.customers as f64);
    panel("clusters", "Clusters", "类别")
        .about("How large each cluster is and what marks it.", "每一类的客户数及其特征。")
        .words("cluster", ("Cluster", "类别"), (0..model.sizes.len()).map(words::cluster_label))
        .int64(
            "customers",
            ("Customers", "客户数"),
            "",
            model.sizes.iter().map(|size| i64::try_from(*size).ok()),
        )
        .float64("share", ("Share", "占比"), "%", model.sizes.iter().map(share))
        .words(
            "profile",
            ("What marks it", "特征"),
            (0..model.sizes.len()).map(|cluster| words::profile(model, cluster)),
        )
        .bar("cluster", ["customers"])
}

fn profiles(model: &ClusterModel) -> Panel {
    let cells = || {
        let clusters = model.centroids.iter().enumerate();
        clusters.flat_map(|(cluster, centroid)| {
            centroid.iter().enumerate().map(move |(figure, deviations)| (cluster, figure, *deviations))
        })
    };
    panel("profiles", "Profiles", "特征矩阵")
        .about(
            "How many standard deviations the middle of each cluster lies above or below the mean of all, with the middle in the figure's own unit.",
            "每一类中心高于或低于总体均值多少个标准差，并给出原单位的中心值。",
        )
        .words("cluster", ("Cluster", "类别"), cells().map(|cell| words::cluster_label(cell.0)))
        .words("figure", ("Figure", "指标"), cells().map(|cell| words::label(model, cell.1)))
        .float64("deviations", ("Standard deviations", "标准差数"), "", cells().map(|cell| Some(cell.2)))
        .float64("middle", ("Middle", "中心值"), "", cells().map(|cell| Some(model.in_own_unit(cell.1, cell.2))))
        .matrix("cluster", "figure", "deviations")
}

fn elbow(model: &ClusterModel) -> Panel {
    let rows = &model.elbow;
    panel("elbow", "Squared distance by number of clusters", "簇内平方和与类别数")
        .about(
            "The mean squared distance to the own middle falls with every cluster more; past a bend further clusters tell little.",
            "到本类中心的平均平方距离随类别数增加而下降；过了拐点，再增加类别意义不大。",
        )
        .int64("count", ("Clusters", "类别数"), "", rows.iter().map(|row| i64::try_from(row.clusters).ok()))
        .float64("inertia", ("Mean squared distance", "平均平方距离"), "", rows.iter().map(|row| Some(row.inertia)))
        .line("count", ["inertia"])
}

fn silhouettes(model: &ClusterModel) -> Panel {
    let rows = &model.elbow;
    panel("silhouettes", "Silhouette by number of clusters", "轮廓系数与类别数")
        .about(
            "How clearly the clusters are told apart, -1 to 1. The number with the highest was taken.",
            "类别区分的清晰程度（-1 至 1），取最高者。",
        )
        .int64("count", ("Clusters", "类别数"), "", rows.iter().map(|row| i64::try_from(row.clusters).ok()))
        .float64("silhouette", ("Silhouette", "轮廓系数"), "", rows.iter().map(|row| row.silhouette))
        .line("count", ["silhouette"])
}

fn compared(model: &ClusterModel) -> Panel {
    let labels = |_: &ClusterModel| -> Vec<LocalizedText> {
        (0..model.reading.names.len()).map(|figure| words::label(model, figure)).collect()
    };
    let (logarithm, logarithm_zh) =
        if model.reading.logarithm { (" Of ln(1 + value).", "取 ln(1 + 数值)。") } else { ("", "") };
    panel("figures", "Compared figures", "参与比较的指标")
        .about(
            &format!("Mean and population standard deviation by which the figures were standardised.{logarithm} A deviation of 1 with equal values says that a figure is the same for everybody."),
            &format!("用于标准化的均值和总体标准差。{logarithm_zh}所有客户数值相同时标准差记为 1。"),
        )
        .words("figure", ("Figure", "指标"), labels(model))
        .float64("mean", ("Mean", "均值"), "", model.means.iter().map(|mean| Some(*mean)))
        .float64(
            "deviation",
            ("Standard deviation", "标准差"),
            "",
            model.deviations.iter().map(|deviation| Some(*deviation)),
        )
        .int64("missing", ("Missing", "缺失数"), "", model.missing.iter().map(|missing| i64::try_from(*missing).ok()))
}
