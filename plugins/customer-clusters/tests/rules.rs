//! The plugin's laws on small and made-up populations.

use customer_clusters::{Config, CustomerClusters, Figure, Missing};
use proptest::prelude::*;
use trellis_sdk::testing::{BatchBuilder, assert_splitting_changes_nothing, context, split, stream};
use trellis_sdk::{
    Analysis, Batch, Context, LearnedBy, Model, ModelReport, PluginError, Result, Segmentation,
};

const AS_OF: i32 = 10_000;

fn at() -> Context {
    Context { as_of: AS_OF, seed: 3, ..context() }
}

/// Days since the last order, orders and fen; and a field.
type Customer = (Option<(i32, i64, i64)>, Option<f64>);

fn batch(customers: &[Customer]) -> Batch {
    BatchBuilder::new(1..=customers.len() as u64)
        .date("last_order", customers.iter().map(|customer| customer.0.map(|orders| AS_OF - orders.0)))
        .int64("orders", customers.iter().map(|customer| customer.0.map(|orders| orders.1)))
        .money("spent", "CNY", customers.iter().map(|customer| customer.0.map(|orders| orders.2)))
        .float64("features.income", customers.iter().map(|customer| customer.1))
        .int64("start", (1..).take(customers.len()).map(Some))
        .build()
}

fn config() -> Config {
    Config { features: vec!["income".to_owned()], clusters_max: 4, restarts: 3, ..Config::default() }
}

/// Clusters that begin at customers, named by their number.
fn begin(customers: &[&str]) -> Config {
    let start_customers = customers.iter().map(|name| (*name).to_owned()).collect();
    Config { start_customers, start_field: Some("number".to_owned()), ..config() }
}

fn fit(batch: &Batch, config: &Config) -> Result<Model> {
    CustomerClusters::fit(&mut stream(split(batch, 11)), config, &at())
}

fn figure(model: &Model, name: &str) -> f64 {
    model.metrics.iter().find(|metric| metric.name == name).map_or(f64::NAN, |metric| metric.value)
}

fn customer() -> impl Strategy<Value = Customer> {
    (
        prop::option::weighted(0.8, (0..900_i32, 1..9_i64, -500..20_000_i64)),
        prop::option::weighted(0.7, -1e4..1e5_f64),
    )
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]

    #[test]
    fn the_laws_hold(
        customers in prop::collection::vec(customer(), 1..70),
        logarithm: bool,
        leave_out: bool,
        clusters in prop::option::of(2..5_usize),
    ) {
        let rows = batch(&customers);
        let missing = if leave_out { Missing::LeaveOut } else { Missing::Mean };
        let config = Config { logarithm, missing, clusters, ..config() };
        let belongs = |customer: &Customer| customer.0.is_some() && (!leave_out || customer.1.is_some());
        match fit(&rows, &config) {
            Err(error) => prop_assert!(!customers.iter().any(belongs), "{error}"),
            Ok(model) => {
                assert_splitting_changes_nothing::<CustomerClusters>(&model.bytes, &rows, &at());
                let assignments = CustomerClusters::assign(&model.bytes, &rows, &at()).unwrap();
                let described = <CustomerClusters as Segmentation>::describe(&config).unwrap().remove(0);
                for (row, customer) in customers.iter().enumerate() {
                    let value = assignments.value("cluster", row);
                    prop_assert_eq!(value.is_some(), belongs(customer));
                    prop_assert!(value.is_none_or(|value| described.values.iter().any(|named| named.name == value)));
                }
                CustomerClusters::describe_model(LearnedBy::Segmentation, &model.bytes).unwrap();
            }
        }
    }
}

#[test]
fn the_largest_cluster_comes_first_and_everybody_is_where_fit_counted_them() {
    let crowd = |count: usize, orders: (i32, i64, i64)| {
        (0..count).map(move |number| (Some((orders.0 + number as i32 % 5, orders.1, orders.2)), None))
    };
    let customers: Vec<Customer> = crowd(12, (10, 30, 90_000))
        .chain(crowd(40, (300, 1, 500)))
        .chain(crowd(20, (100, 5, 5_000)))
        .collect();
    let rows = batch(&customers);
    let model = fit(&rows, &Config { features: Vec::new(), ..config() }).unwrap();
    assert_eq!(figure(&model, "clusters"), 3.0, "{}", model.summary.en);
    assert!(figure(&model, "silhouette") > 0.9);
    let assignments = CustomerClusters::assign(&model.bytes, &rows, &at()).unwrap();
    for (row, expected) in [(0, "cluster_3"), (12, "cluster_1"), (52, "cluster_2")] {
        assert_eq!(assignments.value("cluster", row), Some(expected));
    }
    assert_eq!(
        ["cluster_1", "cluster_2", "cluster_3"].map(|name| figure(&model, &format!("{name}_customers"))),
        [40.0, 20.0, 12.0]
    );
}

#[test]
fn reasons_agree_with_the_cluster() {
    let customers: Vec<Customer> = (0..30)
        .map(|number| (Some((10, 1, 100)), Some(f64::from(number % 2) * 1000.0 + f64::from(number))))
        .collect();
    let rows = batch(&customers);
    let model = fit(&rows, &Config { clusters: Some(2), ..config() }).unwrap();
    let reasons = CustomerClusters::explain(&model.bytes, &rows, &at()).unwrap();
    for reasons in &reasons {
        assert_eq!(
            reasons.iter().map(|reason| reason.code.as_str()).collect::<Vec<_>>(),
            ["nearest", "income"]
        );
    }
    assert!(
        reasons[0][1].text.en.starts_with("income: 0; its cluster's mean is 14.0"),
        "{}",
        reasons[0][1].text.en
    );
    assert!(model.summary.zh_cn.contains("income"), "{}", model.summary.zh_cn);
}

#[test]
fn few_and_equal_customers_make_few_clusters() {
    for (customers, expected) in [
        (vec![(Some((10, 1, 100)), Some(1.0))], 1.0),
        (vec![(Some((10, 1, 100)), None); 50], 1.0),
        (vec![(Some((10, 1, 100)), None), (Some((90, 3, 900)), None), (Some((10, 1, 100)), None)], 2.0),
    ] {
        let rows = batch(&customers);
        for clusters in [None, Some(4)] {
            let model = fit(&rows, &Config { clusters, ..config() }).unwrap();
            assert_eq!(figure(&model, "clusters"), expected);
            let assignments = CustomerClusters::assign(&model.bytes, &rows, &at()).unwrap();
            assert!(assignments.value("cluster", 0).is_some());
            CustomerClusters::explain(&model.bytes, &rows, &at()).unwrap();
        }
    }
}

#[test]
fn customers_without_orders_are_grouped_where_orders_do_not_count() {
    let customers: Vec<Customer> =
        (0..20).map(|number| (None, Some(f64::from(number / 10) * 100.0 + f64::from(number)))).collect();
    let rows = batch(&customers);
    let config = Config { purchases: Vec::new(), ..config() };
    let assignments = CustomerClusters::assign(&fit(&rows, &config).unwrap().bytes, &rows, &at()).unwrap();
    assert!((0..20).all(|row| assignments.value("cluster", row).is_some()));
    let with_orders = Config { purchases: vec![Figure::AverageOrder], ..config };
    assert!(matches!(fit(&rows, &with_orders), Err(PluginError::UnsuitableData(_))));
}

#[test]
fn what_cannot_be_used_is_refused_by_name() {
    let rows = batch(&[(Some((10, 1, 100)), Some(1.0)), (Some((20, 2, 100)), Some(2.0))]);
    let message = |config: &Config| fit(&rows, config).unwrap_err().to_string();
    assert!(
        message(&Config { purchases: Vec::new(), features: Vec::new(), ..config() }).contains("both empty")
    );
    assert!(message(&begin(&["1", "9"])).contains("`start_customers` names `9`"));
    assert!(message(&Config { start_field: None, ..begin(&["1", "2"]) }).contains("needs `start_field`"));
    assert!(message(&begin(&["2", "2"])).contains("names `2` twice"));
    assert!(message(&Config { clusters: Some(3), ..begin(&["1", "2"]) }).contains("`clusters` is 3"));
    assert!(
        message(&Config { purchases: vec![Figure::Recency, Figure::Recency], ..config() })
            .contains("`recency` twice")
    );
    let texts = BatchBuilder::new([1])
        .date("last_order", [Some(1)])
        .int64("orders", [Some(1)])
        .money("spent", "CNY", [Some(1)])
        .dictionary("features.income", [Some("high")])
        .build();
    let error = CustomerClusters::fit(&mut stream([texts]), &config(), &at()).unwrap_err();
    assert!(error.to_string().contains("`features.income` is of type dictionary"), "{error}");
    let model = fit(&rows, &config()).unwrap();
    for damaged in [&model.bytes[..model.bytes.len() - 1], &[1; 60], &[]] {
        assert!(matches!(
            CustomerClusters::assign(damaged, &rows, &at()),
            Err(PluginError::UnreadableModel(_))
        ));
    }
}

/// Two groups of customers by income: those of much bought wine, all bought bread.
fn lines() -> Batch {
    let bought: Vec<(u64, &str)> = (1..=6)
        .flat_map(|customer| {
            let wine = (customer > 4).then_some((customer, "wine"));
            // Twice is once.
            [(customer, "bread"), (customer, "bread")].into_iter().chain(wine)
        })
        .chain([(1, "wine"), (99, "beer")])
        .collect();
    BatchBuilder::new(0..bought.len() as u64)
        .reference("account", bought.iter().map(|line| Some(line.0)))
        .dictionary("product", bought.iter().map(|line| Some(line.1)))
        .dictionary(
            "category",
            bought.iter().map(|line| Some(if line.1 == "bread" { "food" } else { "drinks" })),
        )
        .build()
}

#[test]
fn clusters_that_are_interested_in_a_product_have_an_index_above_100() {
    let customers: Vec<Customer> =
        [1.0, 2.0, 3.0, 2.5, 900.0, 901.0].map(|income| (None, Some(income))).to_vec();
    let config = Config { purchases: Vec::new(), clusters: Some(2), ..config() };
    let ask = |parameters: &str| {
        let mut rows = stream(split(&batch(&customers), 2)).with_dataset("lines", split(&lines(), 3));
        CustomerClusters::analyse("interest", &mut rows, parameters, &config, &at())
    };
    let column = |report: &trellis_sdk::Report, name: &str| -> Vec<f64> {
        let column = report.panels[0].columns.iter().find(|column| column.values.name == name).unwrap();
        match &column.values.data {
            trellis_sdk::bindings::shared::trellis::plugin::columns::ColumnData::Float64(values) => {
                values.clone()
            }
            trellis_sdk::bindings::shared::trellis::plugin::columns::ColumnData::Int64(values) => {
                values.iter().map(|value| *value as f64).collect()
            }
            other => panic!("{other:?}"),
        }
    };
    // Both of the second cluster and one of the four others bought wine: half of all.
    let wine = ask(r#"{"product": "wine"}"#).unwrap();
    assert_eq!((column(&wine, "buyers"), column(&wine, "index")), (vec![2.0, 1.0], vec![200.0, 50.0]));
    assert!(
        wine.summary.en.starts_with("Cluster 2 is interested in wine most: 100.0 %"),
        "{:?}",
        wine.summary
    );
    let drinks = ask(r#"{"product": "drinks", "by": "category"}"#).unwrap();
    assert_eq!(column(&drinks, "index"), [200.0, 50.0]);
    let all = ask(r#"{"buyers_min": 2}"#).unwrap();
    // Bread of the first cluster; wine and bread of the second.
    assert_eq!(column(&all, "index"), [100.0, 200.0, 100.0]);
    assert_eq!(all.value("products"), Some(2.0), "who is in no cluster does not count");
    for (parameters, said) in
        [(r#"{"product": "beer"}"#, "nobody in a cluster bought `beer`"), (r#"{"what": 1}"#, "what")]
    {
        match ask(parameters) {
            Err(PluginError::InvalidParameters(text)) => assert!(text.en.contains(said), "{}", text.en),
            other => panic!("{other:?}"),
        }
    }
}
