use trellis_sdk::{
    Analysis, AnalysisDescription, Context, NoConfig, Report, Result, RowStream, analysis, export_analysis, localized, panel, report,
};

/// How many customers bought in the last 30 days, and how many longer ago.
impl Analysis for Plugin {
    type Config = NoConfig;

    fn describe(_: &NoConfig) -> Result<Vec<AnalysisDescription>> {
        Ok(vec![analysis("recency", "Last purchases", "最近购买").of("customers")])
    }

    fn analyse(_: &str, rows: &mut RowStream<'_>, _: &str, _: &NoConfig, at: &Context) -> Result<Report> {
        let (mut recent, mut earlier) = (0, 0);
        for batch in rows {
            for day in batch.date("last_order")?.iter().flatten() {
                *if at.as_of.saturating_sub(day) < 30 { &mut recent } else { &mut earlier } += 1;
            }
        }
        let spans = [localized("last 30 days", "30 天内"), localized("earlier", "更早")];
        let counts = panel("counts", "Customers by last purchase", "按最近购买时间统计客户")
            .words("span", ("Last purchase", "最近购买"), spans)
            .int64("customers", ("Customers", "客户数"), "", [Some(recent), Some(earlier)])
            .bar("span", ["customers"]);
        let summary = localized(format!("{recent} bought lately"), format!("{recent} 位客户近期购买"));
        Ok(report(summary).panel(counts))
    }
}
export_analysis!(Plugin);
