//! Clusters in words.

use trellis_sdk::{
    LocalizedText, Metric, Reason, SegmentationDescription, described, localized, metric, reason,
};

use crate::config::Config;
use crate::figures::{Compared, shown, word};
use crate::model::ClusterModel;

pub(crate) const SEGMENTATION: &str = "cluster";
/// How many figures a description names.
const NAMED_MAX: usize = 4;

/// The name of a cluster as a value, counted from 1.
pub(crate) fn value_name(cluster: usize) -> String {
    format!("cluster_{}", cluster + 1)
}

pub(crate) fn cluster_label(cluster: usize) -> LocalizedText {
    localized(format!("Cluster {}", cluster + 1), format!("类别 {}", cluster + 1))
}

pub(crate) fn describe(config: &Config) -> SegmentationDescription {
    let (order, order_zh) = if config.start_customers.is_empty() {
        ("The first is the largest.", "第一类客户最多。")
    } else {
        ("In the order of the customers that they begin with.", "按指定起始客户的顺序排列。")
    };
    let about = described(SEGMENTATION, "Cluster", "聚类类别").about(
        &format!("Groups of customers who are alike. {order} What marks each group stands in the report on the model."),
        &format!("相似客户的分组。{order_zh}每一类的特征见模型报告。"),
    );
    (0..config.most_clusters()).fold(about, |description, cluster| {
        description.value_about(&value_name(cluster), cluster_label(cluster), localized("", ""))
    })
}

/// What marks a cluster: the figures that lie farthest from the mean, with theirs and the mean.
pub(crate) fn profile(model: &ClusterModel, cluster: usize) -> LocalizedText {
    let Some(centroid) = model.centroids.get(cluster) else { return localized("", "") };
    let mut figures: Vec<(usize, f64)> = centroid.iter().copied().enumerate().collect();
    figures.sort_by(|one, other| other.1.abs().total_cmp(&one.1.abs()));
    let (mut en, mut zh) = (Vec::new(), Vec::new());
    for (figure, deviations) in figures.into_iter().take(NAMED_MAX) {
        let Some(word) = word(deviations) else { break };
        let label = label(model, figure);
        let (own, mean) =
            (shown(model.in_own_unit(figure, deviations)), shown(model.in_own_unit(figure, 0.0)));
        en.push(format!("{} {} ({own}, mean {mean})", label.en, word.en));
        zh.push(format!("{}{}（{own}，均值 {mean}）", label.zh_cn, word.zh_cn));
    }
    if en.is_empty() {
        return localized("close to the mean in everything", "各项指标均接近平均");
    }
    localized(en.join("; "), zh.join("；"))
}

pub(crate) fn label(model: &ClusterModel, figure: usize) -> LocalizedText {
    let name = model.reading.names.get(figure).map_or("", String::as_str);
    Compared::of_name(name).label(&model.currency)
}

pub(crate) fn summary(model: &ClusterModel) -> LocalizedText {
    let (customers, clusters) = (model.customers, model.sizes.len());
    let (mut en, mut zh) = (
        format!("{customers} customers in {clusters} clusters."),
        format!("{customers} 位客户分为 {clusters} 类。"),
    );
    if let Some(silhouette) = model.silhouette {
        en += &format!(" Silhouette {silhouette:.3}.");
        zh += &format!("轮廓系数 {silhouette:.3}。");
    }
    for (cluster, size) in model.sizes.iter().enumerate() {
        let (label, profile) = (cluster_label(cluster), profile(model, cluster));
        let percent = 100.0 * *size as f64 / customers as f64;
        en += &format!(" {}: {size} ({percent:.1} %), {}.", label.en, profile.en);
        zh += &format!("{}：{size} 位（{percent:.1}%），{}。", label.zh_cn, profile.zh_cn);
    }
    localized(en, zh)
}

pub(crate) fn metrics(model: &ClusterModel) -> Vec<Metric> {
    let mut metrics = vec![
        metric("customers", localized("Customers in clusters", "参与聚类的客户数"), model.customers as f64),
        metric("left_out", localized("Customers in no cluster", "未归类的客户数"), model.left_out as f64),
        metric("clusters", localized("Clusters", "类别数"), model.sizes.len() as f64),
        metric("inertia", localized("Sum of squared distances", "簇内平方和"), model.inertia),
        metric("iterations", localized("Iterations", "迭代次数"), model.iterations as f64),
    ];
    let measures = [
        ("silhouette", "Silhouette, -1 to 1", "轮廓系数（-1 至 1）", model.silhouette),
        ("calinski_harabasz", "Calinski–Harabasz index", "Calinski–Harabasz 指数", model.calinski_harabasz),
        ("davies_bouldin", "Davies–Bouldin index", "Davies–Bouldin 指数", model.davies_bouldin),
    ];
    for (name, en, zh, value) in measures {
        metrics.extend(value.map(|value| metric(name, localized(en, zh), value)));
    }
    for (cluster, size) in model.sizes.iter().enumerate() {
        let label = cluster_label(cluster);
        let label = localized(format!("{}: customers", label.en), format!("{}：客户数", label.zh_cn));
        metrics.push(metric(&format!("{}_customers", value_name(cluster)), label, *size as f64));
    }
    metrics
}

/// Why a customer is nearest to its cluster: how much nearer than to the next, and the figures that make the difference.
pub(crate) fn explain(model: &ClusterModel, point: &[f64], cluster: usize) -> Vec<Reason> {
    let Some(own) = model.centroids.get(cluster) else { return Vec::new() };
    let distance = |centroid: &[f64]| crate::kmeans::squared_distance(point, centroid);
    let others = model.centroids.iter().enumerate().filter(|(other, _)| *other != cluster);
    let next = others.min_by(|one, other| distance(one.1).total_cmp(&distance(other.1)));
    let name = cluster_label(cluster);
    let Some((next, next_centroid)) = next else {
        return vec![reason("only-cluster", localized("there is only one cluster", "只有一个类别"), 1.0)];
    };
    let (near, far) = (distance(own), distance(next_centroid));
    let (near_shown, far_shown) = (near.sqrt(), far.sqrt());
    let next = cluster_label(next);
    let text = localized(
        format!(
            "{near_shown:.2} from the middle of {}, {far_shown:.2} from {}",
            name.en.to_lowercase(),
            next.en.to_lowercase()
        ),
        format!("距{}中心 {near_shown:.2}，距{}中心 {far_shown:.2}", name.zh_cn, next.zh_cn),
    );
    let mut reasons = vec![reason("nearest", text, 1.0)];
    let advantage = (far - near).max(f64::MIN_POSITIVE);
    for (figure, ((value, own), other)) in point.iter().zip(own).zip(next_centroid).enumerate() {
        let weight = ((value - other) * (value - other) - (value - own) * (value - own)) / advantage;
        if weight <= 0.0 {
            continue;
        }
        let shown = |standardised: f64| shown(model.in_own_unit(figure, standardised));
        let (value, own, other) = (shown(*value), shown(*own), shown(*other));
        let label = label(model, figure);
        let text = localized(
            format!("{}: {value}; its cluster's mean is {own}, the next one's {other}", label.en),
            format!("{}：{value}；本类均值 {own}，相邻类均值 {other}", label.zh_cn),
        );
        let code = Compared::of_name(model.reading.names.get(figure).map_or("", String::as_str)).code();
        reasons.push(reason(&code, text, weight.min(1.0)));
    }
    reasons.sort_by(|one, other| other.weight.total_cmp(&one.weight));
    reasons.truncate(5);
    reasons
}
