//! A schedule in words, for the admin who reads what a plugin does by itself.

use trellis_model::{Language, Text, bilingual};

use super::{Cron, Schedule, ScheduledModel};

/// What a field of five says: each part of its list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Part {
    /// `*`.
    Any,
    /// `*/n`.
    Every(u8),
    /// One value.
    One(u8),
    /// From one to another.
    Range(u8, u8),
    /// `L` of the days of a month.
    Last,
}

/// Which field.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Field {
    Number,
    DayOfMonth,
    Month,
    DayOfWeek,
}

const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];
/// From Sunday, which is 0 and 7.
const DAYS: [(&str, &str); 7] = [
    ("Sunday", "日"),
    ("Monday", "一"),
    ("Tuesday", "二"),
    ("Wednesday", "三"),
    ("Thursday", "四"),
    ("Friday", "五"),
    ("Saturday", "六"),
];
/// Letters of the short names of months and days.
const SHORT_NAME: usize = 3;

impl Schedule {
    /// When it is and with which model, in words: `at 03:00 on Monday`.
    ///
    /// ```
    /// use trellis_plugin_host::manifest::{Cron, Schedule, ScheduledModel};
    /// let mut schedule = Schedule::of_runs(Cron::parse("0 3 * * 1")?, ScheduledModel::Fit);
    /// assert_eq!(schedule.in_words().en, "at 03:00 on Monday, and learns a new model");
    /// assert_eq!(schedule.in_words().zh_cn, "每周一 03:00，并学习新模型");
    /// schedule.analyses.push("churn_reasons".to_owned());
    /// assert_eq!(schedule.in_words().en, "at 03:00 on Monday, and learns a new model; asks `churn_reasons`");
    /// # Ok::<_, String>(())
    /// ```
    pub fn in_words(&self) -> Text {
        let Text { en, zh_cn } = self.cron.in_words();
        let Text { en, zh_cn } = match self.model {
            ScheduledModel::Last => Text { en, zh_cn },
            ScheduledModel::Fit => bilingual!("{en}, and learns a new model", "{zh_cn}，并学习新模型"),
        };
        if self.analyses.is_empty() {
            return Text { en, zh_cn };
        }
        let quoted: Vec<String> = self.analyses.iter().map(|name| format!("`{name}`")).collect();
        Text::new(
            format!("{en}; asks {}", quoted.join(", ")),
            format!("{zh_cn}；并执行分析 {}", quoted.join("、")),
        )
    }
}

impl Cron {
    /// Its moments in words. What is said in no simple words is quoted.
    pub fn in_words(&self) -> Text {
        let text = self.as_str();
        words(text).unwrap_or_else(|| bilingual!("at the moments of `{text}`", "按定时表达式 `{text}` 运行"))
    }
}

fn words(text: &str) -> Option<Text> {
    let fields: Vec<&str> = text.split_whitespace().collect();
    let [minute, hour, day, month, weekday] = fields.as_slice() else { return None };
    let (minute, hour) = (parts(minute, Field::Number)?, parts(hour, Field::Number)?);
    let (time, is_often) = time(&minute, &hour);
    let days = days((day, &parts(day, Field::DayOfMonth)?), (weekday, &parts(weekday, Field::DayOfWeek)?));
    let months = parts(month, Field::Month)?;
    let (mut en, mut zh) = (time.en, String::new());
    match &days {
        Some(days) => en = format!("{en} {}", days.en),
        None if !is_often => en.push_str(" every day"),
        None => {}
    }
    if months != [Part::Any] {
        let in_months = list(&months, Field::Month);
        en = format!("{en} in {}", in_months.en);
        zh = format!("仅 {}，", in_months.zh_cn);
    }
    match days {
        Some(days) => zh.push_str(&format!("{} ", days.zh_cn)),
        None if !is_often => zh.push_str("每天 "),
        None => {}
    }
    zh.push_str(&time.zh_cn);
    Some(Text::new(en, zh))
}

/// The time of a day; whether it comes more often than some times a day, so that "every day" goes without saying.
fn time(minute: &[Part], hour: &[Part]) -> (Text, bool) {
    let one = |part: &Part| matches!(part, Part::One(_));
    match (minute, hour) {
        ([Part::Any], [Part::Any]) => (Text::new("every minute", "每分钟"), true),
        ([Part::Every(n)], [Part::Any]) => (bilingual!("every {n} minutes", "每 {n} 分钟"), true),
        ([Part::One(0)], [Part::Any]) => (Text::new("every hour", "每小时整点"), true),
        ([Part::One(m)], [Part::Any]) => {
            (bilingual!("every hour at minute {m}", "每小时的第 {m} 分钟"), true)
        }
        ([Part::One(m)], [Part::Every(n)]) => {
            (bilingual!("every {n} hours at minute {m}", "每 {n} 小时的第 {m} 分钟"), true)
        }
        ([Part::One(m)], hours) if hours.iter().all(one) => {
            let clock = hours.iter().filter_map(|part| match part {
                Part::One(hour) => Some(format!("{hour:02}:{m:02}")),
                _ => None,
            });
            let clock: Vec<String> = clock.collect();
            (Text::new(format!("at {}", clock.join(" and ")), clock.join("、")), false)
        }
        _ => {
            let minutes = match minute {
                [Part::Any] => Text::new("every minute", "每分钟"),
                [Part::Every(n)] => bilingual!("every {n} minutes", "每 {n} 分钟"),
                some => {
                    let Text { en, zh_cn } = list(some, Field::Number);
                    bilingual!("at minute {en}", "第 {zh_cn} 分")
                }
            };
            let hours = match hour {
                [Part::Any] => Text::new("every hour", "每小时"),
                [Part::Every(n)] => bilingual!("every {n} hours", "每 {n} 小时"),
                some => {
                    let Text { en, zh_cn } = list(some, Field::Number);
                    bilingual!("hour {en}", "第 {zh_cn} 时")
                }
            };
            let text = Text::new(
                format!("{} of {}", minutes.en, hours.en),
                format!("{}的{}", hours.zh_cn, minutes.zh_cn),
            );
            (text, false)
        }
    }
}

/// The days; `None` for all of them. Where both fields say something, either does, unless one of them begins with an asterisk.
fn days(day: (&str, &[Part]), weekday: (&str, &[Part])) -> Option<Text> {
    let of_month = (day.1 != [Part::Any]).then(|| {
        let Text { en, zh_cn } = list(day.1, Field::DayOfMonth);
        let on = if matches!(day.1, [Part::Every(_)]) { "" } else { "on " };
        bilingual!("{on}{en} of the month", "每月{zh_cn}")
    });
    let of_week = (weekday.1 != [Part::Any]).then(|| {
        let Text { en, zh_cn } = list(weekday.1, Field::DayOfWeek);
        bilingual!("on {en}", "每周{zh_cn}")
    });
    match (of_month, of_week) {
        (Some(month), Some(week)) => {
            let both = day.0.starts_with('*') || weekday.0.starts_with('*');
            let (en, zh) = if both { (" that is also ", "且为") } else { (" or ", "或") };
            let text = |language: Language, word: &str| {
                let of = |text: &Text| text.get(language).to_owned();
                format!("{}{word}{}", of(&month), of(&week))
            };
            Some(Text::new(text(Language::En, en), text(Language::ZhCn, zh)))
        }
        (one, other) => one.or(other),
    }
}

fn list(parts: &[Part], field: Field) -> Text {
    let texts: Vec<Text> = parts.iter().map(|part| part.words(field)).collect();
    let join = |language: Language, separator: &str| {
        texts.iter().map(|text| text.get(language)).collect::<Vec<_>>().join(separator)
    };
    Text::new(join(Language::En, " and "), join(Language::ZhCn, "、"))
}

impl Part {
    fn words(self, field: Field) -> Text {
        match self {
            Self::Any => Text::new("every", "每"),
            Self::Every(n) => match field {
                Field::Number => bilingual!("every {n}", "每 {n}"),
                Field::DayOfMonth | Field::DayOfWeek => bilingual!("every {n} days", "每 {n} 天"),
                Field::Month => bilingual!("every {n} months", "每 {n} 个月"),
            },
            Self::Last => Text::new("the last day", "最后一天"),
            Self::One(value) => {
                let text = field.value(value);
                match field {
                    Field::DayOfMonth => bilingual!("day {value}", " {value} 日"),
                    _ => text,
                }
            }
            Self::Range(from, to) => {
                let (from, to) = (field.value(from), field.value(to));
                let prefix = if field == Field::DayOfMonth { "day " } else { "" };
                Text::new(
                    format!("{prefix}{} to {}", from.en, to.en),
                    match field {
                        Field::DayOfWeek => format!("{}至周{}", from.zh_cn, to.zh_cn),
                        Field::DayOfMonth => format!(" {} 至 {} 日", from.zh_cn, to.zh_cn),
                        Field::Number | Field::Month => format!("{} 至 {}", from.zh_cn, to.zh_cn),
                    },
                )
            }
        }
    }
}

impl Field {
    fn value(self, value: u8) -> Text {
        let place = usize::from(value);
        match self {
            Self::Number | Self::DayOfMonth => Text::new(value.to_string(), value.to_string()),
            Self::Month => {
                let name = place.checked_sub(1).and_then(|place| MONTHS.get(place));
                Text::new(name.copied().unwrap_or_default(), format!("{value} 月"))
            }
            Self::DayOfWeek => {
                let (en, zh) = DAYS.get(place % DAYS.len()).copied().unwrap_or_default();
                Text::new(en, zh)
            }
        }
    }

    /// A value by number, or by the short name that months and days have.
    fn read(self, text: &str) -> Option<u8> {
        if let Ok(number) = text.parse() {
            return Some(number);
        }
        let is = |name: &str| name.get(..SHORT_NAME).is_some_and(|short| short.eq_ignore_ascii_case(text));
        let place = match self {
            Self::Month => MONTHS.iter().position(|name| is(name))? + 1,
            Self::DayOfWeek => DAYS.iter().position(|(name, _)| is(name))?,
            Self::Number | Self::DayOfMonth => return None,
        };
        u8::try_from(place).ok()
    }
}

/// What a field says; `None` where it is said in no simple words.
fn parts(text: &str, field: Field) -> Option<Vec<Part>> {
    let part = |part: &str| {
        if part == "*" {
            return Some(Part::Any);
        }
        if part == "L" && field == Field::DayOfMonth {
            return Some(Part::Last);
        }
        if let Some(step) = part.strip_prefix("*/") {
            return Some(Part::Every(step.parse().ok()?));
        }
        match part.split_once('-') {
            Some((from, to)) => Some(Part::Range(field.read(from)?, field.read(to)?)),
            None => Some(Part::One(field.read(part)?)),
        }
    };
    text.split(',').map(part).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_are_said_in_both_languages() {
        let check = |cron: &str, en: &str, zh: &str| {
            let found = Cron::parse(cron).unwrap().in_words();
            assert_eq!((found.en.as_str(), found.zh_cn.as_str()), (en, zh), "{cron}");
        };
        check("* * * * *", "every minute", "每分钟");
        check("0 * * * *", "every hour", "每小时整点");
        check("*/15 * * * *", "every 15 minutes", "每 15 分钟");
        check("5 */6 * * *", "every 6 hours at minute 5", "每 6 小时的第 5 分钟");
        check("0 3 * * *", "at 03:00 every day", "每天 03:00");
        check("0 3,15 * * *", "at 03:00 and 15:00 every day", "每天 03:00、15:00");
        check("30 2 * * 1-5", "at 02:30 on Monday to Friday", "每周一至周五 02:30");
        check("0 3 * * 0", "at 03:00 on Sunday", "每周日 03:00");
        check("0 3 * * 7", "at 03:00 on Sunday", "每周日 03:00");
        check("0 3 1 * *", "at 03:00 on day 1 of the month", "每月 1 日 03:00");
        check("0 3 L * *", "at 03:00 on the last day of the month", "每月最后一天 03:00");
        check(
            "0 3 1 JAN,7 *",
            "at 03:00 on day 1 of the month in January and July",
            "仅 1 月、7 月，每月 1 日 03:00",
        );
        check("0 3 1 * mon", "at 03:00 on day 1 of the month or on Monday", "每月 1 日或每周一 03:00");
        check(
            "0 3 */2 * 2",
            "at 03:00 every 2 days of the month that is also on Tuesday",
            "每月每 2 天且为每周二 03:00",
        );
        check(
            "0,30 8-18 * * *",
            "at minute 0 and 30 of hour 8 to 18 every day",
            "每天 第 8 至 18 时的第 0、30 分",
        );
        check(
            "*/20 8-18 * * 6",
            "every 20 minutes of hour 8 to 18 on Saturday",
            "每周六 第 8 至 18 时的每 20 分钟",
        );
        check("0 3 15W * *", "at the moments of `0 3 15W * *`", "按定时表达式 `0 3 15W * *` 运行");
        check("0 3 * * 5#3", "at the moments of `0 3 * * 5#3`", "按定时表达式 `0 3 * * 5#3` 运行");
    }
}
