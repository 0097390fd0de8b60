//! Which clusters are interested in which products (R125): how many customers of a cluster bought a product, compared with all customers.

use std::collections::BTreeMap;

use serde::Deserialize;
use trellis_sdk::{
    AnalysisDescription, Context, Panel, PluginError, Report, Result, RowStream, analysis, json, localized,
    metric, panel, report,
};

use crate::config::Config;
use crate::model::ClusterModel;
use crate::rows::Rows;
use crate::{kmeans, population, words};

pub(crate) const INTEREST: &str = "interest";
/// Different products that are counted.
const PRODUCTS_MAX: usize = 100_000;
/// What customers bought, counted for one customer and product each: sorted out whenever so many are gathered.
const PURCHASES_KEPT: usize = 4_000_000;
/// No cluster.
const NONE: u8 = u8::MAX;

/// What is asked for.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Parameters {
    product: Option<String>,
    by: By,
    products_shown: usize,
    buyers_min: u64,
}

impl Default for Parameters {
    fn default() -> Self {
        Self { product: None, by: By::Product, products_shown: 10, buyers_min: 5 }
    }
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
enum By {
    #[default]
    Product,
    Category,
}

impl By {
    fn column(self) -> &'static str {
        match self {
            Self::Product => "product",
            Self::Category => "category",
        }
    }
}

pub(crate) fn describe() -> AnalysisDescription {
    analysis(INTEREST, "Interest in products", "产品兴趣")
        .about(
            "Which clusters are interested in a product, or which products mark each cluster: the share of its customers who bought it, as an index of the share among all (100: as all).",
            "哪些客群对某产品感兴趣，或各客群偏好哪些产品：购买者占比相对总体占比的指数（100 为与总体相同）。",
        )
        .of("customers")
        .asking(&json!({
            "type": "object",
            "additionalProperties": false,
            "properties": {
                "product": {
                    "type": "string", "minLength": 1, "maxLength": 200,
                    "title": { "en": "Product or category", "zh-CN": "产品或类别" },
                    "description": {
                        "en": "Without it, the products that mark each cluster most.",
                        "zh-CN": "不填时列出各客群最偏好的产品。"
                    }
                },
                "by": {
                    "type": "string", "default": "product",
                    "title": { "en": "Counted by", "zh-CN": "统计口径" },
                    "oneOf": [
                        { "const": "product", "title": { "en": "Product", "zh-CN": "产品" } },
                        { "const": "category", "title": { "en": "Category of products", "zh-CN": "产品类别" } }
                    ]
                },
                "products_shown": {
                    "type": "integer", "minimum": 1, "maximum": 100, "default": 10,
                    "title": { "en": "Products of each cluster", "zh-CN": "每类列出的产品数" }
                },
                "buyers_min": {
                    "type": "integer", "minimum": 1, "maximum": 1_000_000, "default": 5,
                    "title": { "en": "Buyers in the cluster at least", "zh-CN": "类别内最少购买人数" },
                    "description": {
                        "en": "Products that fewer customers of a cluster bought are left out: their index is chance.",
                        "zh-CN": "购买人数过少的产品不列出，其指数只是偶然。"
                    }
                }
            }
        }))
}

/// Clusters the customers anew, exactly as the model was learned, and counts what those of each bought.
pub(crate) fn answer(
    rows: &mut RowStream<'_>,
    parameters: &str,
    config: &Config,
    at: &Context,
) -> Result<Report> {
    let asked: Parameters = trellis_sdk::parse_parameters(parameters)?;
    let model = population::learn(rows, config, at)?;
    rows.rewind();
    let clusters = clusters(rows, &model, at)?;
    let bought = Bought::read(&mut rows.dataset("lines")?, asked.by, &clusters, model.sizes.len())?;
    let interests = match &asked.product {
        Some(product) => bought.of_product(product, &model)?,
        None => bought.of_clusters(&asked, &model),
    };
    Ok(report_of(&model, &bought, &asked, &interests))
}

/// The cluster of each customer by ordinal.
fn clusters(rows: &mut RowStream<'_>, model: &ClusterModel, at: &Context) -> Result<Vec<u8>> {
    let mut clusters = Vec::new();
    for batch in rows {
        let read = Rows::read(&batch, &model.reading, at)?;
        let labels = kmeans::labels(&model.points(&read), &model.centroids);
        for ((ordinal, label), absent) in batch.ordinals().iter().zip(labels).zip(&read.absent) {
            let place = usize::try_from(*ordinal).unwrap_or(usize::MAX);
            if place >= clusters.len() {
                clusters.resize(place + 1, NONE);
            }
            if let Some(cluster) = clusters.get_mut(place).filter(|_| !absent) {
                *cluster = label;
            }
        }
    }
    Ok(clusters)
}

/// How many customers of each cluster bought each product, and anything.
#[derive(Debug)]
struct Bought {
    names: Vec<String>,
    /// By product and cluster.
    buyers: Vec<Vec<u64>>,
}

impl Bought {
    fn read(lines: &mut RowStream<'_>, by: By, clusters: &[u8], count: usize) -> Result<Self> {
        let (mut names, mut places) = (Vec::<String>::new(), BTreeMap::<String, u32>::new());
        let mut purchases: Vec<(u32, u32)> = Vec::new();
        let mut limit = PURCHASES_KEPT;
        for batch in lines {
            let (accounts, products) = (batch.reference("account")?, batch.dictionary(by.column())?);
            for (account, product) in accounts.iter().zip(products.iter()) {
                let (Some(account), Some(product)) = (account, product) else { continue };
                let Ok(account) = u32::try_from(account) else { continue };
                if clusters.get(account as usize).is_none_or(|cluster| *cluster == NONE) {
                    continue;
                }
                let place = match places.get(product) {
                    Some(place) => *place,
                    None => {
                        let place = place_of(names.len())?;
                        places.insert(product.to_owned(), place);
                        names.push(product.to_owned());
                        place
                    }
                };
                purchases.push((place, account));
            }
            if purchases.len() >= limit {
                once(&mut purchases);
                limit = PURCHASES_KEPT.max(2 * purchases.len());
            }
        }
        once(&mut purchases);
        let mut buyers = vec![vec![0; count]; names.len()];
        for (product, account) in purchases {
            let cluster = clusters.get(account as usize).copied().unwrap_or(NONE);
            let counted = buyers.get_mut(product as usize).and_then(|row| row.get_mut(usize::from(cluster)));
            counted.into_iter().for_each(|count| *count += 1);
        }
        Ok(Self { names, buyers })
    }

    /// Every cluster's interest in a product, the greatest first.
    fn of_product(&self, product: &str, model: &ClusterModel) -> Result<Vec<Interest>> {
        let Some(place) = self.names.iter().position(|name| name == product) else {
            let message = (
                format!("`product`: nobody in a cluster bought `{product}`"),
                format!("`product`：没有参与聚类的客户购买过“{product}”"),
            );
            return Err(PluginError::InvalidParameters(message.into()));
        };
        let mut all: Vec<Interest> =
            (0..model.sizes.len()).map(|cluster| self.at(place, cluster, model)).collect();
        all.sort_by(|one, other| other.index.total_cmp(&one.index));
        Ok(all)
    }

    /// The products in which each cluster is interested most, cluster by cluster.
    fn of_clusters(&self, asked: &Parameters, model: &ClusterModel) -> Vec<Interest> {
        let mut all = Vec::new();
        for cluster in 0..model.sizes.len() {
            let interests = (0..self.names.len()).map(|product| self.at(product, cluster, model));
            let mut of_cluster: Vec<Interest> =
                interests.filter(|interest| interest.buyers >= asked.buyers_min).collect();
            of_cluster.sort_by(|one, other| {
                let index = other.index.total_cmp(&one.index);
                index.then(other.buyers.cmp(&one.buyers)).then_with(|| self.name(one).cmp(self.name(other)))
            });
            all.extend(of_cluster.into_iter().take(asked.products_shown));
        }
        all
    }

    fn at(&self, product: usize, cluster: usize, model: &ClusterModel) -> Interest {
        let row = self.buyers.get(product).map_or(&[][..], Vec::as_slice);
        let buyers = row.get(cluster).copied().unwrap_or(0);
        let share = |buyers: u64, customers: u64| 100.0 * buyers as f64 / customers.max(1) as f64;
        let in_cluster = share(buyers, model.sizes.get(cluster).copied().unwrap_or(0));
        let of_all = share(row.iter().sum(), model.customers);
        let index = if of_all > 0.0 { 100.0 * in_cluster / of_all } else { 0.0 };
        Interest { product, cluster, buyers, share: in_cluster, of_all, index }
    }

    fn name(&self, interest: &Interest) -> &str {
        self.names.get(interest.product).map_or("", String::as_str)
    }
}

fn place_of(count: usize) -> Result<u32> {
    u32::try_from(count).ok().filter(|place| (*place as usize) < PRODUCTS_MAX).ok_or_else(|| {
        let message = (
            format!("more than {PRODUCTS_MAX} different products were bought; ask by category"),
            format!("购买过的不同产品超过 {PRODUCTS_MAX} 种，请按类别统计"),
        );
        PluginError::UnsuitableData(message.into())
    })
}

/// Keeps each once.
fn once(purchases: &mut Vec<(u32, u32)>) {
    purchases.sort_unstable();
    purchases.dedup();
}

/// A cluster's interest in a product.
#[derive(Debug, Clone, Copy)]
struct Interest {
    product: usize,
    cluster: usize,
    buyers: u64,
    /// Of the cluster's customers, in percent.
    share: f64,
    /// Of all customers, in percent.
    of_all: f64,
    /// The first share as a percentage of the second.
    index: f64,
}

fn report_of(model: &ClusterModel, bought: &Bought, asked: &Parameters, interests: &[Interest]) -> Report {
    let clusters = model.sizes.len();
    let summary = match (&asked.product, interests.first()) {
        (Some(product), Some(first)) => localized(
            format!(
                "Cluster {} is interested in {product} most: {:.1} % of its customers bought it, of all {:.1} %.",
                first.cluster + 1,
                first.share,
                first.of_all
            ),
            format!(
                "类别 {} 对“{product}”最感兴趣：{:.1}% 的客户购买过，总体为 {:.1}%。",
                first.cluster + 1,
                first.share,
                first.of_all
            ),
        ),
        _ if bought.names.is_empty() => localized(
            "Nobody in a cluster has an order line with a product: there is nothing to compare.",
            "参与聚类的客户没有带产品的订单明细，无法比较。",
        ),
        _ => localized(
            format!(
                "What marks {clusters} clusters of {} customers among {} products.",
                model.customers,
                bought.names.len()
            ),
            format!(
                "{} 位客户分为 {clusters} 类，在 {} 种产品中各类的偏好。",
                model.customers,
                bought.names.len()
            ),
        ),
    };
    report(summary)
        .metric(metric(
            "customers",
            localized("Customers in clusters", "参与聚类的客户数"),
            model.customers as f64,
        ))
        .metric(metric("clusters", localized("Clusters", "类别数"), clusters as f64))
        .metric(metric("products", localized("Products bought", "购买过的产品数"), bought.names.len() as f64))
        .panel(interests_panel(bought, interests))
}

fn interests_panel(bought: &Bought, interests: &[Interest]) -> Panel {
    let numbers = |value: fn(&Interest) -> f64| interests.iter().map(move |one| Some(value(one)));
    panel("interest", "Interest in products", "产品兴趣")
        .about(
            "An index above 100: more of the cluster's customers bought it than of all customers.",
            "指数大于 100：该类客户的购买比例高于总体。",
        )
        .words("cluster", ("Cluster", "类别"), interests.iter().map(|one| words::cluster_label(one.cluster)))
        .names(
            "segment",
            ("Segment", "客群"),
            interests.iter().map(|one| Some(words::value_name(one.cluster))),
        )
        .names("product", ("Product", "产品"), interests.iter().map(|one| Some(bought.name(one))))
        .int64(
            "buyers",
            ("Buyers", "购买人数"),
            "",
            interests.iter().map(|one| i64::try_from(one.buyers).ok()),
        )
        .float64("share", ("Share of the cluster", "类别内占比"), "%", numbers(|one| one.share))
        .float64("share_of_all", ("Share of all", "总体占比"), "%", numbers(|one| one.of_all))
        .float64("index", ("Index", "指数"), "", numbers(|one| one.index))
        .bar("cluster", ["index"])
}
