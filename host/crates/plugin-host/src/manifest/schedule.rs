//! `[schedule]`: when a plugin runs by itself.

use std::time::Duration;

use cronexpr::{Crontab, MakeTimestamp};
use serde::Deserialize;
use trellis_model::{Text, bilingual};

use super::Interface;
use super::parse::{Parse, problem};

/// Characters of an expression.
const CRON_BYTES_MAX: usize = 100;
/// Minute, hour, day of the month, month, day of the week.
const FIELDS: usize = 5;
/// Questions that a schedule names.
const ANALYSES_MAX: usize = 10;
/// Occurrences between which the shortest time is looked for.
const OCCURRENCES: usize = 200;

/// When a plugin runs by itself, with which model, and what it is asked besides.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Schedule {
    /// When.
    pub cron: Cron,
    /// With which model; says nothing where the plugin has nothing to run.
    pub model: ScheduledModel,
    /// The questions that it is asked then, with their defaults, in this order; none twice.
    pub analyses: Vec<String>,
}

impl Schedule {
    /// Nothing but runs.
    pub fn of_runs(cron: Cron, model: ScheduledModel) -> Self {
        Self { cron, model, analyses: Vec::new() }
    }

    /// Checks what a plugin that provides these interfaces is to be asked.
    ///
    /// # Errors
    /// What is wrong.
    pub fn check(&self, provides: &[Interface]) -> Result<(), Text> {
        let (has_runs, has_questions) = (runs(provides), provides.contains(&Interface::Analysis));
        let count = self.analyses.len();
        if count > ANALYSES_MAX {
            return Err(bilingual!(
                "names {count} analyses, at most {ANALYSES_MAX}",
                "列出 {count} 个分析，最多 {ANALYSES_MAX} 个"
            ));
        }
        let is_twice =
            |(place, name): (usize, &String)| self.analyses.iter().take(place).any(|one| one == name);
        if let Some((_, name)) = self.analyses.iter().enumerate().find(|found| is_twice(*found)) {
            return Err(bilingual!("names `{name}` twice", "重复列出 `{name}`"));
        }
        match self.analyses.first() {
            Some(name) if !has_questions => Err(bilingual!(
                "names the analysis `{name}`, but the plugin answers no questions",
                "列出分析 `{name}`，但该插件不提供分析"
            )),
            None if !has_runs => Err(Text::new(
                "has nothing to do: the plugin offers nothing that can be run over customers, and no analysis is named",
                "没有可执行的内容：该插件没有可对客户运行的功能，也未列出分析",
            )),
            _ => Ok(()),
        }
    }
}

/// Whether a plugin has something to run over customers.
pub(super) fn runs(provides: &[Interface]) -> bool {
    provides.iter().any(|interface| matches!(interface, Interface::Segmentation | Interface::Scoring))
}

/// Which model a scheduled run evaluates with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ScheduledModel {
    /// A new one.
    Fit,
    /// That of the last run; a new one where there was none.
    #[default]
    Last,
}

impl ScheduledModel {
    /// Its name in manifests and in the API.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Fit => "fit",
            Self::Last => "last",
        }
    }

    /// The model of a name.
    pub fn named(name: &str) -> Option<Self> {
        [Self::Fit, Self::Last].into_iter().find(|model| model.as_str() == name)
    }
}

/// Moments that come again, as five fields of a crontab. A time of day that a day does not have, since clocks go forward, does not come on
/// that day; one that it has twice comes twice.
///
/// ```
/// use trellis_plugin_host::manifest::Cron;
/// let nights = Cron::parse("30 2 * * *")?;
/// let noon_ms = 1_795_262_400_000; // 2026-11-21T12:00:00Z
/// assert_eq!(nights.next_after(noon_ms, "UTC"), Some(noon_ms + 52_200_000));
/// assert!(Cron::parse("half past two").is_err());
/// # Ok::<_, String>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cron(String);

impl Cron {
    /// Checks an expression.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn parse(text: &str) -> Result<Self, String> {
        if text.len() > CRON_BYTES_MAX {
            return Err(format!("has {} bytes, at most {CRON_BYTES_MAX}", text.len()));
        }
        let fields: Vec<&str> = text.split_whitespace().collect();
        if fields.len() != FIELDS {
            return Err(format!(
                "`{text}` has {} fields, expected {FIELDS}: minute, hour, day of the month, month, day of the week",
                fields.len()
            ));
        }
        let cron = Self(fields.join(" "));
        // The message of the crate draws an arrow under several lines; the first one says what is wrong.
        cron.crontab("UTC").map_err(|error| format!("`{text}` is no crontab: {}", first_line(&error)))?;
        Ok(cron)
    }

    /// The five fields.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The first moment after another, in milliseconds since 1970-01-01T00:00:00Z; `None` where none comes within four years, or the time
    /// zone (by its IANA name) is not known.
    pub fn next_after(&self, now_ms: i64, time_zone: &str) -> Option<i64> {
        let after = MakeTimestamp::from_millisecond(now_ms).ok()?;
        let next = self.crontab(time_zone).ok()?.find_next(after).ok()?;
        Some(next.timestamp().as_millisecond())
    }

    /// The shortest time between two of the next 200 moments.
    pub fn shortest_interval(&self, now_ms: i64, time_zone: &str) -> Option<Duration> {
        let mut moments = Vec::with_capacity(OCCURRENCES);
        let mut at = now_ms;
        while let Some(next) = self.next_after(at, time_zone).filter(|_| moments.len() < OCCURRENCES) {
            moments.push(next);
            at = next;
        }
        let gaps = moments.windows(2).filter_map(|pair| Some(pair.last()? - pair.first()?));
        gaps.min().map(|ms| Duration::from_millis(ms.unsigned_abs()))
    }

    fn crontab(&self, time_zone: &str) -> Result<Crontab, String> {
        cronexpr::parse_crontab(&format!("{} {time_zone}", self.0)).map_err(|error| error.to_string())
    }
}

fn first_line(text: &str) -> &str {
    text.lines().map(str::trim).find(|line| !line.is_empty()).unwrap_or("it cannot be read")
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct RawSchedule {
    cron: Option<String>,
    every: Option<String>,
    model: Option<ScheduledModel>,
    #[serde(default)]
    analyses: Vec<String>,
}

/// Checks the table.
pub(super) fn schedule(raw: RawSchedule, provides: &[Interface]) -> Parse<Schedule> {
    if raw.model.is_some() && !runs(provides) {
        let reason = "is there, but `provides` names neither `segmentation` nor `scoring`: there is no model";
        return Err(problem("schedule.model", reason));
    }
    let (key, text) = match (&raw.cron, &raw.every) {
        (Some(cron), None) => ("schedule.cron", cron.as_str()),
        (None, Some(every)) => {
            let cron = match every.as_str() {
                "hour" => "0 * * * *",
                "day" => "0 3 * * *",
                "week" => "0 3 * * 1",
                "month" => "0 3 1 * *",
                other => {
                    let reason = format!("`{other}` is none of hour, day, week, month");
                    return Err(problem("schedule.every", reason));
                }
            };
            ("schedule.every", cron)
        }
        _ => return Err(problem("schedule", "needs either `cron` or `every`")),
    };
    let cron = Cron::parse(text).map_err(|reason| problem(key, reason))?;
    let schedule = Schedule { cron, model: raw.model.unwrap_or_default(), analyses: raw.analyses };
    schedule.check(provides).map_err(|reason| problem("schedule", reason.en))?;
    Ok(schedule)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ms(text: &str) -> i64 {
        let crontab = cronexpr::parse_crontab("* * * * * UTC").unwrap();
        // The crate reads the text; its next minute is one minute later.
        crontab.find_next(text).unwrap().timestamp().as_millisecond() - 60_000
    }

    #[test]
    fn the_next_moment_is_in_the_time_zone() {
        let check = |cron: &str, zone: &str, after: &str, next: &str| {
            let found = Cron::parse(cron).unwrap().next_after(ms(after), zone);
            assert_eq!(found, Some(ms(next)), "{cron} in {zone} after {after}");
        };
        check("0 3 * * *", "UTC", "2026-11-22T02:59:00Z", "2026-11-22T03:00:00Z");
        check("0 3 * * *", "UTC", "2026-11-22T03:00:00Z", "2026-11-23T03:00:00Z");
        check("0 3 * * *", "Asia/Shanghai", "2026-11-22T00:00:00Z", "2026-11-22T19:00:00Z");
        check("15 9 * * 1-5", "Asia/Shanghai", "2026-11-20T01:15:00Z", "2026-11-23T01:15:00Z");
        check("0 3 1 * *", "America/New_York", "2026-11-22T00:00:00Z", "2026-12-01T08:00:00Z");
    }

    #[test]
    fn clocks_that_are_set_move_the_moment_with_them() {
        let nights = Cron::parse("30 2 * * *").unwrap();
        let next = |after: &str| nights.next_after(ms(after), "Europe/Berlin").unwrap();
        // On 2026-03-29 there is no half past two.
        assert_eq!(next("2026-03-28T12:00:00Z"), ms("2026-03-30T00:30:00Z"));
        // On 2026-10-25 there are two.
        assert_eq!(next("2026-10-24T12:00:00Z"), ms("2026-10-25T00:30:00Z"));
        assert_eq!(next("2026-10-25T00:30:00Z"), ms("2026-10-25T01:30:00Z"));
        let mornings = Cron::parse("0 9 * * *").unwrap();
        assert_eq!(
            mornings.next_after(ms("2026-03-28T12:00:00Z"), "Europe/Berlin"),
            Some(ms("2026-03-29T07:00:00Z"))
        );
    }

    #[test]
    fn what_is_no_crontab_is_refused_with_the_text() {
        for text in ["", "daily", "* * * *", "* * * * * *", "61 * * * *", "* * * * 9", "0 3 * * * UTC"] {
            let error = Cron::parse(text).unwrap_err();
            assert!(error.contains(&format!("`{text}`")), "{text}: {error}");
        }
        assert!(Cron::parse(&"1,".repeat(60)).unwrap_err().contains("at most 100"));
        assert_eq!(Cron::parse("0 0 30 2 *").unwrap().next_after(0, "UTC"), None, "no such day");
        assert_eq!(Cron::parse("0 0 * * *").unwrap().next_after(0, "Nowhere/City"), None);
    }

    #[test]
    fn a_schedule_names_only_what_the_plugin_offers() {
        let read = |text: &str, provides: &[Interface]| schedule(toml::from_str(text).unwrap(), provides);
        let asked = read("every = 'day'\nanalyses = ['lift', 'reasons']", &[Interface::Analysis]).unwrap();
        assert_eq!(
            (asked.analyses, asked.model),
            (vec!["lift".into(), "reasons".into()], ScheduledModel::Last)
        );
        for (text, provides, why) in [
            ("every = 'day'", Interface::Analysis, "has nothing to do"),
            ("every = 'day'\nmodel = 'fit'\nanalyses = ['lift']", Interface::Analysis, "there is no model"),
            ("every = 'day'\nanalyses = ['lift']", Interface::Scoring, "the plugin answers no questions"),
            ("every = 'day'\nanalyses = ['lift', 'lift']", Interface::Analysis, "names `lift` twice"),
        ] {
            let refused = format!("{:?}", read(text, &[provides]).unwrap_err());
            assert!(refused.contains(why), "{text}: {refused}");
        }
    }

    #[test]
    fn the_shortest_interval_is_found() {
        let shortest = |text: &str| Cron::parse(text).unwrap().shortest_interval(0, "UTC").unwrap().as_secs();
        assert_eq!(shortest("*/5 * * * *"), 300);
        assert_eq!(shortest("0,7 4 * * *"), 420);
        assert_eq!(shortest("0 3 * * *"), 86_400);
    }
}
