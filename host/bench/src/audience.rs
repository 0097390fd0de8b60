//! A campaign whose audience is everybody as they are now, made in one request.

use std::time::Instant;

use serde_json::json;
use trellis_columns::{
    AsOf, CodesColumn, FlipRequest, Origin, ResultColumn, SegmentationDefinition, Source, ValueDefinition,
};
use trellis_engine::SegmentCampaign;
use trellis_model::{Fields, ObjectName, RecordId, SegmentationName, Text, TextColumn, Validity};

use crate::company::{Company, customers};
use crate::figures::print;
use crate::memory::{cpu, resident_mib};
use crate::setup::caller;

const EVERYBODY: &str = "everybody";
const MEMBER: &str = "member";

pub(crate) fn measure() {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().expect("a runtime");
    runtime.block_on(async {
        let (company, customers) = (Company::new().await, customers());
        company.purchases(customers).await;
        everybody(&company, customers).await;
        for run in 1..=3 {
            let (before, started, worked) = (resident_mib(), Instant::now(), cpu());
            let taken = company.engine.campaign_of_segment(&caller(), wanted(&company, run)).await;
            let taken = taken.expect("a campaign");
            let (took, worked) = (started.elapsed(), cpu() - worked);
            assert_eq!(taken.customers, customers);
            let beside = format!(
                "{:.2} s of processors; {:.0} MiB more resident memory",
                worked.as_secs_f64(),
                resident_mib() - before
            );
            print(&format!("campaign {run} of {customers} customers"), took.as_secs_f64(), "s", &beside);
        }
        company.engine.shutdown().await;
    });
}

fn wanted(company: &Company, run: u32) -> SegmentCampaign {
    let schema = company.records.schema();
    let campaign = schema.object("campaign").expect("an object");
    let mut fields = Fields::new();
    for (name, value) in [
        ("name", json!(format!("Everybody {run}"))),
        ("channel", json!("email")),
        ("status", json!("planned")),
    ] {
        let field = campaign.field(name).expect("a field of campaigns");
        let value = field.field_type.parse_json(&value).expect("a value").expect("not null");
        fields.insert(field.id, value);
    }
    let (segmentation, value) = (EVERYBODY.to_owned(), MEMBER.to_owned());
    SegmentCampaign { segmentation, value, only: None, follows: false, fields }
}

/// A segmentation by hand with one value, which all have.
async fn everybody(company: &Company, customers: u64) {
    let name = SegmentationName::new(EVERYBODY).expect("a name");
    let (label, object): (_, ObjectName) =
        (Text::new("Everybody", "全部客户"), "account".parse().expect("a name"));
    let member =
        ValueDefinition { name: MEMBER.to_owned(), label: label.clone(), description: label.clone() };
    let definition = SegmentationDefinition {
        name: name.clone(),
        object,
        description: label.clone(),
        label,
        values: vec![member],
        source: Source::Manual,
        aliases: Vec::new(),
    };
    company.columns.define(definition).await.expect("a segmentation");
    let run: RecordId = company.records.ids().record_id(company.records.clock().now_ms());
    let mut writer = company.columns.begin(run, &[name]).expect("a result");
    let ordinals: Vec<u64> = (0..customers).collect();
    let (codes, valid) = (vec![0; ordinals.len()], Validity::all());
    let values: TextColumn = [MEMBER].into_iter().collect();
    let column = CodesColumn { codes: &codes, valid: &valid, values: &values };
    writer.append(&ordinals, &[ResultColumn::Codes(column)]).expect("rows");
    let generation = writer.finish().await.expect("a whole result");
    let origin = Origin { actor: caller().actor, cause: caller().cause };
    let request = FlipRequest { run, baseline: true, as_of: AsOf::Now, data: json!({}), origin };
    company.columns.flip(generation, request).await.expect("the current result");
}
