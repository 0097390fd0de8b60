//! The trend of past sales, continued by the method that would have forecast best.

use serde::Deserialize;
use trellis_sdk::{
    Context, Metric, Panel, PluginError, Report, Result, RowStream, localized, metric, panel, report,
};

use crate::calendar::{Grain, Periods, Weekday};
use crate::config::Config;
use crate::methods::{BackTest, Method, Outlook, Settings, StartRule, back_test, choose};
use crate::series::{Measure, Series};

/// Periods that a forecast needs.
const PERIODS_MIN: usize = 3;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Parameters {
    measure: Measure,
    grain: Grain,
    week_starts_on: Weekday,
    horizon: usize,
    /// Chosen by back-test where there is none.
    method: Option<Method>,
    /// Periods after which the season repeats; a year where there is none.
    season: Option<usize>,
    window: usize,
    alpha: Option<f64>,
    beta: Option<f64>,
    gamma: Option<f64>,
    start: StartRule,
    /// Periods that are held back; a season where there is none and the series is long enough.
    test_periods: Option<usize>,
    origins: usize,
    confidence: Confidence,
}

impl Default for Parameters {
    fn default() -> Self {
        Self {
            measure: Measure::default(),
            grain: Grain::default(),
            week_starts_on: Weekday::default(),
            horizon: 12,
            method: None,
            season: None,
            window: 3,
            alpha: None,
            beta: None,
            gamma: None,
            start: StartRule::default(),
            test_periods: None,
            origins: 1,
            confidence: Confidence::Eighty,
        }
    }
}

/// With which probability a value lies within its bounds, if errors are normal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
enum Confidence {
    #[serde(rename = "80")]
    Eighty,
    #[serde(rename = "90")]
    Ninety,
    #[serde(rename = "95")]
    NinetyFive,
}

impl Confidence {
    /// How many standard deviations lie on each side.
    fn deviations(self) -> f64 {
        match self {
            Self::Eighty => 1.281_551_565_544_6,
            Self::Ninety => 1.644_853_626_951_47,
            Self::NinetyFive => 1.959_963_984_540_05,
        }
    }

    fn percent(self) -> u8 {
        match self {
            Self::Eighty => 80,
            Self::Ninety => 90,
            Self::NinetyFive => 95,
        }
    }
}

/// A series with what every method says about it.
#[derive(Debug)]
struct Forecast<'a> {
    series: &'a Series,
    parameters: &'a Parameters,
    tests: Vec<BackTest>,
    method: Method,
    outlook: Outlook,
}

pub(crate) fn answer(
    rows: &mut RowStream<'_>,
    parameters: &Parameters,
    config: &Config,
    at: &Context,
) -> Result<Report> {
    let periods = Periods { grain: parameters.grain, week_starts_on: parameters.week_starts_on };
    let series = match parameters.measure {
        Measure::OrderAmount | Measure::Orders => {
            Series::read(rows, parameters.measure, periods, config, at)?
        }
        Measure::WonAmount | Measure::WonDeals => {
            let mut deals = rows.dataset("opportunities")?;
            Series::read(&mut deals, parameters.measure, periods, config, at)?
        }
    };
    series.require(PERIODS_MIN)?;
    Ok(forecast(&series, parameters)?.report())
}

/// How many values are held back: a season where two more are left to learn from, else a fifth.
pub(crate) fn test_periods(length: usize, season: usize) -> usize {
    if season > 1 && length >= 3 * season { season } else { (length / 5).max(1) }
}

fn forecast<'a>(series: &'a Series, parameters: &'a Parameters) -> Result<Forecast<'a>> {
    let season = parameters.season.unwrap_or_else(|| series.periods.grain.season());
    let settings = Settings {
        season,
        window: parameters.window,
        alpha: parameters.alpha,
        beta: parameters.beta,
        gamma: parameters.gamma,
        start: parameters.start,
    };
    let test = parameters.test_periods.unwrap_or_else(|| test_periods(series.values.len(), season));
    let tests = back_test(&series.values, test, parameters.origins, &settings);
    let unsuitable = |method: Method| {
        let ((en, zh), (word, of)) = (method.words(), series.periods.grain.words());
        let length = series.values.len();
        PluginError::UnsuitableData(localized(
            format!(
                "{en} cannot continue this series of {length} {word}: Holt–Winters needs two whole seasons of {season}, a multiplying season only values above 0"
            ),
            format!(
                "“{zh}”不适用于这 {length} {of}的序列：霍尔特-温特斯至少需要两个完整周期（每周期 {season} 期），乘法季节还要求数值均大于 0"
            ),
        ))
    };
    let method = parameters.method.or_else(|| choose(&tests)).unwrap_or(Method::Naive);
    let outlook = method
        .continue_series(&series.values, parameters.horizon, &settings)
        .ok_or_else(|| unsuitable(method))?;
    Ok(Forecast { series, parameters, tests, method, outlook })
}

impl Forecast<'_> {
    fn report(&self) -> Report {
        let (en, zh) = self.method.words();
        let total: f64 = self.outlook.values.iter().sum();
        let (word, of) = self.series.periods.grain.words();
        let horizon = self.parameters.horizon;
        let summary = localized(
            format!("{en}: {total:.0}{} over the next {horizon} {word}.", self.in_currency()),
            format!("{zh}：未来 {horizon} {of}合计 {total:.0}{}。", self.in_currency()),
        );
        let metrics = self.metrics(total).into_iter().fold(report(summary), Report::metric);
        let whole =
            metrics.panel(self.forecast_panel()).panel(self.methods_panel()).panel(self.learned_panel());
        if self.outlook.season.is_empty() { whole } else { whole.panel(self.season_panel()) }
    }

    fn in_currency(&self) -> String {
        if self.series.currency.is_empty() { String::new() } else { format!(" {}", self.series.currency) }
    }

    fn metrics(&self, total: f64) -> Vec<Metric> {
        let tested = self.tests.iter().find(|test| test.method == self.method).and_then(|test| test.accuracy);
        let of = |pick: fn(&crate::Accuracy) -> Option<f64>| tested.as_ref().and_then(pick);
        let figures = [
            ("forecast_total", ("Sum of the forecast", "预测合计"), Some(total)),
            ("next_period", ("Next period", "下一期预测"), self.outlook.values.first().copied()),
            ("mape", ("MAPE of the back-test (%)", "回测平均绝对百分比误差（%）"), of(|one| one.mape)),
            ("mae", ("MAE of the back-test", "回测平均绝对误差"), of(|one| Some(one.mae))),
            ("rmse", ("RMSE of the back-test", "回测均方根误差"), of(|one| Some(one.rmse))),
            ("mase", ("MASE of the back-test", "回测平均绝对标度误差"), of(|one| one.mase)),
            (
                "squared_errors",
                ("Sum of squared errors within the history", "历史期内的误差平方和"),
                self.outlook.squared_errors,
            ),
            ("periods", ("Periods of history", "历史期数"), Some(self.series.values.len() as f64)),
        ];
        let found = figures.into_iter().filter_map(|(name, label, value)| {
            Some(metric(name, localized(label.0, label.1), value.filter(|value| value.is_finite())?))
        });
        found.collect()
    }

    fn forecast_panel(&self) -> Panel {
        let (past, ahead) = (self.series.values.len(), self.outlook.values.len());
        let wide = self.parameters.confidence.deviations();
        let percent = self.parameters.confidence.percent();
        let after = |values: Vec<f64>| std::iter::repeat_n(None, past).chain(values.into_iter().map(Some));
        let bound = |sign: f64| {
            let pairs = self.outlook.values.iter().zip(&self.outlook.deviations);
            after(pairs.map(|(value, deviation)| value + sign * wide * deviation).collect())
        };
        let unit = self.series.currency.as_str();
        let (en, zh) = self.parameters.measure.words();
        let known = self.series.values.iter().copied().map(Some).chain(std::iter::repeat_n(None, ahead));
        panel("forecast", &format!("{en}: history and forecast"), &format!("{zh}：历史与预测"))
            .about(
                &format!("Each value lies between its bounds with {percent} % probability, if the method holds and errors are normal."),
                &format!("若方法适用且误差服从正态分布，实际值有 {percent}% 的概率落在上下限之间。"),
            )
            .names("period", ("Period", "期间"), (0..past + ahead).map(|place| Some(self.series.label(place))))
            .float64("actual", (en, zh), unit, known)
            .float64("forecast", ("Forecast", "预测"), unit, after(self.outlook.values.clone()))
            .float64("low", ("at least", "下限"), unit, bound(-1.0))
            .float64("high", ("at most", "上限"), unit, bound(1.0))
            .line("period", ["forecast", "actual"])
            .interval("low", "high")
    }

    fn methods_panel(&self) -> Panel {
        let of = |pick: fn(&crate::Accuracy) -> Option<f64>| {
            self.tests.iter().map(move |test| test.accuracy.as_ref().and_then(pick))
        };
        let words = |method: Method| localized(method.words().0, method.words().1);
        let chosen = self.tests.iter().map(|test| {
            if test.method == self.method { localized("used", "已采用") } else { localized("", "") }
        });
        panel("methods", "Methods, by back-test", "各方法回测误差")
            .about(
                "The last periods were held back and forecast from those before. MASE below 1 is better than taking the value of a season ago. Methods without figures cannot be used on this series.",
                "留出最后若干期，用之前的数据预测。MASE 小于 1 表示优于直接沿用去年同期。没有数值的方法不适用于该序列。",
            )
            .words("method", ("Method", "方法"), self.tests.iter().map(|test| words(test.method)))
            .float64("mape", ("MAPE", "MAPE"), "%", of(|one| one.mape))
            .float64("mae", ("MAE", "MAE"), &self.series.currency, of(|one| Some(one.mae)))
            .float64("rmse", ("RMSE", "RMSE"), &self.series.currency, of(|one| Some(one.rmse)))
            .float64("mase", ("MASE", "MASE"), "", of(|one| one.mase))
            .words("chosen", ("Used", "采用"), chosen)
            .bar("method", ["mae"])
    }

    fn season_panel(&self) -> Panel {
        let season = &self.outlook.season;
        let past = self.series.values.len();
        let periods = (past..past + season.len()).map(|place| Some(self.series.label(place)));
        let multiplies = self.method == Method::HoltWintersMultiplicative;
        let (unit, about) = if multiplies {
            ("", ("Each period's value is the level times its figure.", "各期数值 = 水平 × 季节指数。"))
        } else {
            let about = ("Each period's value is the level plus its figure.", "各期数值 = 水平 + 季节差值。");
            (self.series.currency.as_str(), about)
        };
        let values = season.iter().map(|value| Some(*value));
        panel("season", "Season", "季节规律")
            .about(about.0, about.1)
            .names("period", ("Period", "期间"), periods)
            .float64("value", ("Season", "季节指数"), unit, values)
            .bar("period", ["value"])
    }

    fn learned_panel(&self) -> Panel {
        let label = |name: &str| match name {
            "alpha" => localized("Smoothing of the level (alpha)", "水平平滑系数（alpha）"),
            "beta" => localized("Smoothing of the trend (beta)", "趋势平滑系数（beta）"),
            "gamma" => localized("Smoothing of the season (gamma)", "季节平滑系数（gamma）"),
            "level" => localized("Level at the end", "期末水平"),
            "trend" => localized("Trend per period at the end", "期末每期趋势"),
            "slope" => localized("Slope per period", "每期斜率"),
            _ => localized("Intercept", "截距"),
        };
        let learned = &self.outlook.learned;
        panel("parameters", "What the method learned", "方法参数")
            .words("parameter", ("Parameter", "参数"), learned.iter().map(|(name, _)| label(name)))
            .float64("value", ("Value", "数值"), "", learned.iter().map(|(_, value)| Some(*value)))
    }
}
