//! Results of a plugin that is away: shown as they were last, or nobody's until it is back.

use serde_json::json;
use trellis_model::{Filter, Path, PluginId, Scope, Sort};
use trellis_records::{DerivedFields, Query};

use super::company::{Company, codes, definition, flip_request, name, run_id, score_definition};
use crate::{Origin, Presence, ScoreDelta};

const RISK: &str = "churn_lite__risk";
const RFM: &str = "retail_rfm__class";

fn plugin(id: &str) -> PluginId {
    PluginId::new(id).unwrap()
}

/// What a reader finds: values, members, filters, order, counts.
async fn assert_shown(company: &Company, scores: &[Option<f64>], classes: &[Option<&str>]) {
    let (columns, everything) = (&company.columns, Scope::everything());
    for (ordinal, (score, class)) in (0..).zip(scores.iter().zip(classes)) {
        assert_eq!(columns.score_of(&everything, RISK, ordinal), *score);
        assert_eq!(columns.band_of(&everything, RISK, ordinal).is_some(), score.is_some());
        assert_eq!(columns.value_of(&everything, RFM, ordinal).as_deref(), *class);
        let account = company.records.schema().object("account").unwrap().id;
        let path = |path: &str| Path::parse(path).unwrap();
        assert_eq!(
            columns.value(account, &path(&format!("segment.{RFM}")), ordinal).is_some(),
            class.is_some()
        );
        assert_eq!(
            columns.value(account, &path(&format!("band.{RISK}")), ordinal).is_some(),
            score.is_some()
        );
    }
    let has = |some: &[bool]| some.iter().filter(|some| **some).count() as u64;
    let (scored, classed) = (
        has(&scores.iter().map(Option::is_some).collect::<Vec<_>>()),
        has(&classes.iter().map(Option::is_some).collect::<Vec<_>>()),
    );
    let found = async |filter: serde_json::Value| {
        let filter = Filter::parse(&filter).unwrap();
        company.records.count(&everything, &name("account"), &filter).await.unwrap()
    };
    assert_eq!(found(json!({ "field": format!("score.{RISK}"), "op": "gte", "value": -1e9 })).await, scored);
    assert_eq!(found(json!({ "field": format!("band.{RISK}"), "op": "null", "value": false })).await, scored);
    assert_eq!(
        found(json!({ "field": format!("segment.{RFM}"), "op": "null", "value": false })).await,
        classed
    );
    let nobody = scores.len() as u64 - classed;
    assert_eq!(
        found(json!({ "field": format!("segment.{RFM}"), "op": "null", "value": true })).await,
        nobody
    );
    let (info, segmentation) = (columns.score(RISK).unwrap(), columns.segmentation(RFM).unwrap());
    assert_eq!((info.count, info.null_count), (scored, scores.len() as u64 - scored));
    assert_eq!(info.mean.is_some(), scored > 0);
    assert_eq!(info.bands.iter().map(|band| band.count).sum::<u64>(), scored);
    assert_eq!(segmentation.counts.iter().map(|count| count.count).sum::<u64>(), classed);
    let members = columns.members(&everything, RFM, "high", None, 10).await.unwrap();
    let high = classes.iter().filter(|class| **class == Some("high")).count();
    assert_eq!((members.members.len(), members.total), (high, Some(high as u64)));
    let path = Path::parse(&format!("score.{RISK}")).unwrap();
    let sort = vec![Sort { path, descending: true }];
    let page =
        company.records.list(&everything, &Query { sort, ..Query::new(name("account")) }).await.unwrap();
    let mut order: Vec<_> = (0..scores.len()).collect();
    order.sort_by(|a, b| scores[*b].partial_cmp(&scores[*a]).unwrap().then(b.cmp(a)));
    let found: Vec<_> = page.records.iter().filter_map(|record| record.ordinal).collect();
    assert_eq!(found, order.into_iter().map(|row| row as u64).collect::<Vec<_>>());
}

async fn company() -> Company {
    let company = Company::new().await;
    company.accounts(4).await;
    let columns = &company.columns;
    columns.define_score(score_definition(RISK, &[0.0, 10.0])).await.unwrap();
    columns.define(definition(RFM)).await.unwrap();
    let scores = [Some(5.0), None, Some(25.0), Some(15.0)];
    let scored = company.score_generation(run_id(1), &[(RISK, &scores)]).await.unwrap();
    let classed = company.generation(run_id(2), &[(RFM, &codes(&[2, 0, -1, 2]))]).await;
    for (generation, run) in [(scored, 1), (classed, 2)] {
        columns.flip(generation, flip_request(run_id(run), true)).await.unwrap();
        columns.transitions(generation, &Origin::system("test")).await.unwrap();
    }
    company.records.set_derived(company.columns.clone());
    company
}

const SCORES: [Option<f64>; 4] = [Some(5.0), None, Some(25.0), Some(15.0)];
const CLASSES: [Option<&str>; 4] = [Some("high"), Some("low"), None, Some("high")];

#[tokio::test]
async fn a_cleared_result_is_nobodys_and_comes_back_as_it_was() {
    let company = company().await;
    assert_shown(&company, &SCORES, &CLASSES).await;
    let head = company.records.log_head();
    for (id, own) in [("churn-lite", RISK), ("retail-rfm", RFM)] {
        company.columns.set_presence(&plugin(id), Presence::Cleared, Presence::Cleared).await.unwrap();
        assert!(company.columns.name_holder(own).is_some(), "the name stays taken");
    }
    assert_shown(&company, &[None; 4], &[None; 4]).await;
    let info = company.columns.score(RISK).unwrap();
    assert_eq!((info.stale, info.cleared, info.current.is_some()), (true, true, true));
    assert_eq!(
        company.events(head, "score.stale").await,
        [json!({ "score": RISK, "stale": true, "cleared": true })]
    );
    assert_eq!(company.events(head, "segment.changed").await.len(), 0, "nobody left a segment");
    company.assert_clean().await;

    // What is written meanwhile is there when the plugin is.
    let delta = ScoreDelta { ordinal: 1, value: Some(30.0) };
    let generation = info.current.unwrap().generation;
    company.columns.put_score_delta(generation, RISK, &[delta], &Origin::system("test")).await.unwrap();
    let other = company.generation(run_id(3), &[(RFM, &codes(&[2, 1, 1, 2]))]).await;
    company.columns.flip(other, flip_request(run_id(3), false)).await.unwrap();
    assert_shown(&company, &[None; 4], &[None; 4]).await;
    let company = company.restart().await;
    company.records.set_derived(company.columns.clone());
    assert_shown(&company, &[None; 4], &[None; 4]).await;
    for id in ["churn-lite", "retail-rfm"] {
        company.columns.set_presence(&plugin(id), Presence::There, Presence::There).await.unwrap();
    }
    let scores = [Some(5.0), Some(30.0), Some(25.0), Some(15.0)];
    assert_shown(&company, &scores, &[Some("high"), Some("middle"), Some("middle"), Some("high")]).await;
    let info = company.columns.score(RISK).unwrap();
    assert_eq!((info.stale, info.cleared), (false, false));
}

#[tokio::test]
async fn a_kept_result_is_shown_and_stale_until_the_plugin_is_back() {
    let company = company().await;
    let set = async |segmentations, scores| {
        company.columns.set_presence(&plugin("churn-lite"), segmentations, scores).await.unwrap();
    };
    set(Presence::Cleared, Presence::Kept).await;
    assert_shown(&company, &SCORES, &CLASSES).await;
    let info = company.columns.score(RISK).unwrap();
    assert_eq!((info.stale, info.cleared), (true, false));
    assert!(!company.columns.segmentation(RFM).unwrap().stale, "another plugin's");
    let head = company.records.log_head();
    set(Presence::Cleared, Presence::Kept).await;
    assert_eq!(company.records.log_head(), head, "the same again writes nothing");
    set(Presence::There, Presence::There).await;
    assert!(!company.columns.score(RISK).unwrap().stale);
}
