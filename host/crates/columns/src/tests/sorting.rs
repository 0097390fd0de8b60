//! Lists in the order of a score, also of more records than may be gathered and sorted.

use serde_json::json;
use trellis_model::{Filter, Op, Path, Scope, Sort};
use trellis_records::{Query, RecordPage};

use super::company::{Company, flip_request, name, run_id, score_definition};
use crate::Config;

const RISK: &str = "churn_lite__risk";
const ACCOUNTS: usize = 130;

/// A company that may look at 80 records for one page.
async fn company(numbers: &[Option<f64>]) -> Company {
    let mut records_config = trellis_records::Config::default();
    records_config.limits.scan_rows_max = 80;
    let company = Company::with_configs(Config::default(), records_config).await;
    company.accounts(ACCOUNTS).await;
    company.columns.define_score(score_definition(RISK, &[])).await.unwrap();
    let generation = company.score_generation(run_id(1), &[(RISK, numbers)]).await.unwrap();
    company.columns.flip(generation, flip_request(run_id(1), true)).await.unwrap();
    company.records.set_derived(company.columns.clone());
    company
}

fn query(descending: bool, limit: usize, filter: Filter) -> Query {
    let path = Path::parse(&format!("score.{RISK}")).unwrap();
    Query { sort: vec![Sort { path, descending }], limit, filter, ..Query::new(name("account")) }
}

fn ordinals(page: &RecordPage) -> Vec<u64> {
    page.records.iter().filter_map(|record| record.ordinal).collect()
}

/// All pages from the first to the last, and the last cursor back.
async fn forward(company: &Company, mut query: Query) -> (Vec<u64>, Option<trellis_records::Cursor>) {
    let mut all = Vec::new();
    loop {
        let page = company.records.list(&Scope::everything(), &query).await.unwrap();
        all.extend(ordinals(&page));
        match page.next {
            Some(next) => query.after = Some(next),
            None => return (all, page.prev),
        }
    }
}

fn expected(numbers: &[Option<f64>], descending: bool, wanted: impl Fn(usize) -> bool) -> Vec<u64> {
    let mut rows: Vec<usize> = (0..numbers.len()).filter(|row| wanted(*row)).collect();
    rows.sort_by(|a, b| numbers[*a].partial_cmp(&numbers[*b]).unwrap().then(a.cmp(b)));
    if descending {
        rows.reverse();
    }
    rows.into_iter().map(|row| row as u64).collect()
}

#[tokio::test]
async fn records_are_sorted_by_their_scores() {
    let number = |row: usize| (row % 7 != 3).then_some((row * 31 % 11) as f64 - 4.0);
    let numbers: Vec<_> = (0..ACCOUNTS).map(number).collect();
    let company = company(&numbers).await;
    for (descending, limit) in [(false, 7), (true, 7), (false, 50), (true, 55), (true, 1)] {
        let all = query(descending, limit, Filter::everything());
        let (found, back) = forward(&company, all.clone()).await;
        assert_eq!(found, expected(&numbers, descending, |_| true), "{limit} a page");
        // And from the last page back to the first.
        let (mut query, mut pages) = (Query { before: back, ..all.clone() }, Vec::new());
        while query.before.is_some() {
            let page = company.records.list(&Scope::everything(), &query).await.unwrap();
            pages.push(ordinals(&page));
            query.before = page.prev;
        }
        let earlier: Vec<u64> = pages.into_iter().rev().flatten().collect();
        assert_eq!(earlier, found[..earlier.len()]);
        assert!(earlier.len() + limit >= found.len());

        let some = Filter::compare("name", Op::Ends, "3").unwrap();
        let (found, _) = forward(&company, Query { filter: some, ..all }).await;
        assert_eq!(found, expected(&numbers, descending, |row| row % 10 == 3), "{limit} a page");
    }
    let page =
        company.records.list(&Scope::everything(), &query(true, 5, Filter::everything())).await.unwrap();
    assert_eq!(page.plan.index.as_deref(), Some(format!("score.{RISK}").as_str()));
    assert!(page.plan.rows_read < 30, "{:?}", page.plan);
}

#[tokio::test]
async fn a_page_of_few_matches_is_short_and_says_so() {
    let numbers: Vec<_> = (0..ACCOUNTS).map(|row| Some(row as f64)).collect();
    let company = company(&numbers).await;
    let rare = Filter::compare("name", Op::In, json!(["Customer 100", "Customer 3"])).unwrap();
    let first = company.records.list(&Scope::everything(), &query(false, 5, rare.clone())).await.unwrap();
    assert_eq!((ordinals(&first), first.plan.budget_spent), (vec![3], true));
    assert_eq!(forward(&company, query(false, 5, rare)).await.0, [3, 100]);
}

#[tokio::test]
async fn more_equal_scores_than_may_be_sorted_by_id_are_refused() {
    let company = company(&[Some(1.0); ACCOUNTS]).await;
    let error = company.records.list(&Scope::everything(), &query(true, 5, Filter::everything())).await;
    assert!(error.unwrap_err().to_string().contains("more than 80 to look at"));
}
