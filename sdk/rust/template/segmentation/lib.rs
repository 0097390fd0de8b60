use trellis_sdk::{
    Assignments, Batch, Context, NO_VALUE, NoConfig, Result, Segmentation, SegmentationDescription, described,
    export_segmentation,
};

/// Big customers have spent a thousand or more.
impl Segmentation for Plugin {
    type Config = NoConfig;

    fn describe(_: &NoConfig) -> Result<Vec<SegmentationDescription>> {
        let tier = described("tier", "Tier", "等级");
        Ok(vec![tier.value("small", "Small", "小客户").value("big", "Big", "大客户")])
    }

    fn assign(_: &[u8], rows: &Batch, _: &Context) -> Result<Assignments> {
        let spent = rows.money("spent")?.minor_units();
        let tier = |cents: Option<i64>| cents.map_or(NO_VALUE, |cents| u32::from(cents >= 100_000));
        let mut assignments = Assignments::default();
        assignments.push("tier", ["small", "big"], spent.iter().map(tier).collect());
        Ok(assignments)
    }
}
export_segmentation!(Plugin);
