//! Groups and how they compare, as a report: of a campaign, or of counts that somebody enters.

use trellis_sdk::{LocalizedText, Metric, Panel, Report, localized, metric, panel, report};

use crate::bayes::{Belief, beliefs, probability_second_greater};
use crate::config::Winner;
use crate::multiple::holm;
use crate::proportions::{Comparison, Group, compare};
use crate::tables::{SplitCheck, chi_square};
use crate::verdict::{Evidence, SPLIT_ALARM, Verdict, in_words, judge};

/// A group with what people call it.
#[derive(Debug, Clone)]
pub(crate) struct Named {
    pub(crate) label: LocalizedText,
    pub(crate) group: Group,
}

/// What else is known of a test.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Circumstances {
    /// How likely a split so uneven is by chance; none where it was not checked.
    pub(crate) split_p: Option<f64>,
    /// Since the start; none where it does not matter.
    pub(crate) days: Option<i64>,
}

/// Compares every group with the first one.
pub(crate) fn compared(groups: &[Named], rule: Winner, circumstances: Circumstances) -> Report {
    let plain: Vec<Group> = groups.iter().map(|named| named.group).collect();
    let control = plain.first().copied();
    let comparisons: Vec<Option<Comparison>> =
        plain.iter().skip(1).map(|group| compare(control?, *group, rule.alpha)).collect();
    // What cannot be tested counts as no difference.
    let p: Vec<f64> = comparisons.iter().map(|one| one.as_ref().map_or(1.0, |one| one.z_pooled.p)).collect();
    let (holm, beliefs) = (holm(&p), beliefs(&plain));
    let evidence = Evidence {
        groups,
        comparisons: &comparisons,
        holm: &holm,
        beliefs: &beliefs,
        split_p: circumstances.split_p,
        days: circumstances.days,
    };
    let verdict = judge(&evidence, rule);
    let mut answer = report(summary(groups, verdict, rule));
    for metric in metrics(groups, &evidence, verdict) {
        answer = answer.metric(metric);
    }
    answer.panel(rates(groups, &beliefs, rule.alpha)).panel(tests(groups, &comparisons, &holm))
}

fn summary(groups: &[Named], verdict: Verdict, rule: Winner) -> LocalizedText {
    let (mut en, mut zh) = (String::new(), String::new());
    for named in groups {
        let percent = named.group.rate().map_or("–".to_owned(), |rate| format!("{:.2} %", 100.0 * rate));
        let Group { members, responses } = named.group;
        en.push_str(&format!("{}: {responses} of {members} ({percent}). ", named.label.en));
        zh.push_str(&format!("{}：{members} 人中 {responses} 人响应（{percent}）。", named.label.zh_cn));
    }
    let verdict = in_words(verdict, groups, rule);
    localized(en + &verdict.en, zh + &verdict.zh_cn)
}

fn metrics(groups: &[Named], evidence: &Evidence<'_>, verdict: Verdict) -> Vec<Metric> {
    let total: u64 = groups.iter().map(|named| named.group.members).sum();
    let mut all = vec![
        metric("members", localized("Members", "成员数"), total as f64),
        metric(
            "decided",
            localized("A variant has won (1) or not (0)", "是否已有胜出方案（1 是，0 否）"),
            f64::from(u8::from(matches!(verdict, Verdict::Won(_)))),
        ),
    ];
    if let Some(Some(first)) = evidence.comparisons.first() {
        all.push(metric(
            "difference",
            localized("Difference of the first variant to the control", "首个方案与对照的差"),
            first.difference,
        ));
        all.push(metric(
            "z",
            localized("z of that difference, pooled", "该差值的 z 值（合并方差）"),
            first.z_pooled.statistic,
        ));
        all.push(metric(
            "p",
            localized("p of that difference, two-sided", "该差值的双侧 p 值"),
            first.z_pooled.p,
        ));
    }
    let table: Vec<Vec<u64>> = groups
        .iter()
        .map(|named| vec![named.group.responses, named.group.members - named.group.responses])
        .collect();
    if let Some(test) = chi_square(&table) {
        all.push(metric(
            "chi_square",
            localized("Chi-square over all groups", "全部组的卡方值"),
            test.chi_square,
        ));
        all.push(metric("chi_square_p", localized("p of the chi-square", "卡方检验 p 值"), test.p));
        all.push(metric("cramers_v", localized("Cramér's V", "克莱姆 V 系数"), test.cramers_v));
    }
    if let Some(p) = evidence.split_p {
        let label = localized(
            "p of the split (below 0.01: something is broken)",
            "分组比例检验 p 值（低于 0.01 表示分组异常）",
        );
        all.push(metric("split_p", label, p));
    }
    all
}

fn rates(groups: &[Named], beliefs: &[Belief], alpha: f64) -> Panel {
    let wilson: Vec<_> = groups.iter().map(|named| named.group.wilson(alpha)).collect();
    let confidence = 100.0 * (1.0 - alpha);
    panel("groups", "Groups", "各组结果")
        .about(
            &format!(
                "Rates with Wilson's interval at {confidence:.0} %; the probability of being best by Bayes."
            ),
            &format!("响应率及 {confidence:.0}% 威尔逊区间；贝叶斯方法估计的最优概率。"),
        )
        .words("group", ("Group", "组"), groups.iter().map(|named| named.label.clone()))
        .int64("members", ("Members", "人数"), "", groups.iter().map(|named| whole(named.group.members)))
        .int64(
            "responses",
            ("Responses", "响应数"),
            "",
            groups.iter().map(|named| whole(named.group.responses)),
        )
        .float64("rate", ("Rate", "响应率"), "", groups.iter().map(|named| named.group.rate()))
        .float64(
            "low",
            ("Rate, low end", "响应率下限"),
            "",
            wilson.iter().map(|ends| ends.map(|ends| ends.0)),
        )
        .float64(
            "high",
            ("Rate, high end", "响应率上限"),
            "",
            wilson.iter().map(|ends| ends.map(|ends| ends.1)),
        )
        .float64(
            "best",
            ("Probability of being best", "最优概率"),
            "",
            beliefs.iter().map(|belief| Some(belief.probability_best)),
        )
        .float64(
            "loss",
            ("Expected loss", "期望损失"),
            "",
            beliefs.iter().map(|belief| Some(belief.expected_loss)),
        )
        .bar("group", ["rate"])
        .interval("low", "high")
}

fn whole(count: u64) -> Option<i64> {
    i64::try_from(count).ok()
}

/// Every group but the first against the first.
fn tests(groups: &[Named], comparisons: &[Option<Comparison>], holm: &[f64]) -> Panel {
    let labels = groups.iter().skip(1).map(|named| named.label.clone());
    let control = groups.first().map(|named| named.group);
    let better = groups.iter().skip(1).map(|named| Some(probability_second_greater(control?, named.group)));
    comparison_columns(
        panel("comparisons", "Against the first group", "与首组比较")
            .about(
                "Every test of the difference to the first group; `p by Holm` stays honest when there are several.",
                "各组与首组差异的全部检验；有多个组时以 Holm 校正 p 值为准。",
            )
            .words("group", ("Group", "组"), labels),
        comparisons,
    )
    .float64("p_holm", ("p by Holm", "Holm 校正 p 值"), "", comparisons.iter().zip(holm).map(|(one, p)| one.map(|_| *p)))
    .float64("better", ("Probability of being better", "优于首组的概率"), "", better)
}

/// One row for each comparison.
pub(crate) fn comparison_columns(table: Panel, comparisons: &[Option<Comparison>]) -> Panel {
    /// How a figure is read off a comparison.
    type Figure = fn(&Comparison) -> Option<f64>;
    let figures: [(&str, &str, &str, Figure); 25] = [
        ("difference", "Difference", "差值", |c| Some(c.difference)),
        ("newcombe_low", "Difference, low end (Newcombe)", "差值下限（Newcombe）", |c| {
            Some(c.newcombe.0)
        }),
        ("newcombe_high", "Difference, high end (Newcombe)", "差值上限（Newcombe）", |c| {
            Some(c.newcombe.1)
        }),
        ("relative_lift", "Relative lift", "相对提升", |c| c.relative_lift),
        ("z_pooled", "z, pooled", "z 值（合并方差）", |c| Some(c.z_pooled.statistic)),
        ("p_pooled", "p, two-sided", "双侧 p 值", |c| Some(c.z_pooled.p)),
        ("p_greater", "p, one-sided in favour", "单侧 p 值（更优）", |c| Some(c.p_second_greater)),
        ("z_unpooled", "z, unpooled", "z 值（非合并方差）", |c| {
            c.z_unpooled.map(|test| test.statistic)
        }),
        ("p_unpooled", "p, unpooled", "p 值（非合并方差）", |c| c.z_unpooled.map(|test| test.p)),
        ("wald_low", "Difference, low end (Wald)", "差值下限（Wald）", |c| Some(c.wald.0)),
        ("wald_high", "Difference, high end (Wald)", "差值上限（Wald）", |c| Some(c.wald.1)),
        ("chi_square", "Chi-square", "卡方值", |c| Some(c.chi_square.statistic)),
        ("chi_square_p", "p of chi-square", "卡方 p 值", |c| Some(c.chi_square.p)),
        ("yates", "Chi-square, Yates", "卡方值（Yates 校正）", |c| Some(c.chi_square_yates.statistic)),
        ("yates_p", "p of chi-square, Yates", "卡方 p 值（Yates 校正）", |c| {
            Some(c.chi_square_yates.p)
        }),
        ("g", "G", "G 值", |c| Some(c.g_test.statistic)),
        ("g_p", "p of G", "G 检验 p 值", |c| Some(c.g_test.p)),
        ("fisher_p", "p by Fisher", "Fisher 精确检验 p 值", |c| c.fisher),
        (
            "fisher_first_p",
            "p by Fisher in favour of the first",
            "Fisher 单侧 p 值（首组更优）",
            |c| c.fisher_first_greater,
        ),
        ("odds_ratio", "Odds ratio", "优势比", |c| c.odds_ratio),
        ("relative_risk", "Relative risk", "相对风险", |c| c.relative_risk),
        ("relative_risk_low", "Relative risk, low end", "相对风险下限", |c| {
            c.relative_risk_interval.map(|ends| ends.0)
        }),
        ("relative_risk_high", "Relative risk, high end", "相对风险上限", |c| {
            c.relative_risk_interval.map(|ends| ends.1)
        }),
        ("cohens_h", "Cohen's h", "科恩 h", |c| Some(c.cohens_h)),
        ("reliable", "Large enough (1) or not (0)", "样本是否足够（1 是，0 否）", |c| {
            Some(f64::from(u8::from(c.is_reliable)))
        }),
    ];
    figures.into_iter().fold(table, |table, (name, en, zh, figure)| {
        table.float64(name, (en, zh), "", comparisons.iter().map(|one| one.as_ref().and_then(figure)))
    })
}

/// The sizes of groups beside what their weights ask for.
pub(crate) fn split_panel(
    labels: impl IntoIterator<Item = LocalizedText>,
    observed: &[u64],
    split: &SplitCheck,
) -> Panel {
    let alarm = if split.p < SPLIT_ALARM {
        ("not as planned", "与计划不符")
    } else {
        ("as planned", "符合计划")
    };
    panel("split", "Sizes of the groups", "分组人数")
        .about(
            &format!("The split is {} (chi-square {:.2}, p {:.4}).", alarm.0, split.chi_square, split.p),
            &format!("分组{}（卡方 {:.2}，p 值 {:.4}）。", alarm.1, split.chi_square, split.p),
        )
        .words("group", ("Group", "组"), labels)
        .int64("observed", ("Members", "人数"), "", observed.iter().map(|count| whole(*count)))
        .float64(
            "expected",
            ("Expected members", "期望人数"),
            "",
            split.expected.iter().map(|count| Some(*count)),
        )
        .bar("group", ["observed", "expected"])
}
