use crate::{Currency, Text};

/// What a value should have been. `Display` is English, with an article: "a whole number".
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Expected {
    /// Any number.
    Number,
    /// A number that is neither infinite nor NaN.
    FiniteNumber,
    /// A whole number.
    WholeNumber,
    /// True or false.
    Bool,
    /// Money as JSON.
    Money,
    /// Money as text.
    AmountAndCurrency,
    /// An amount without its currency.
    Amount,
    /// An amount that the currency can have.
    AmountOf(Currency),
    /// A text.
    Text,
    /// A text without NUL characters.
    TextWithoutNul,
    /// A day.
    Date,
    /// A moment.
    Time,
    /// One of the options of a choice.
    Option,
    /// Some of the options of a choice.
    Options,
    /// The id of a record.
    RecordId,
    /// A list that is not too long.
    List,
    /// A list without nulls.
    ListWithoutNulls,
    /// JSON.
    Json,
    /// JSON that is not too long.
    ShortJson,
    /// Anything but null.
    Value,
}

impl Expected {
    /// In both languages. The Chinese form follows upon 应为, so one that begins with Latin letters begins with a space.
    pub fn text(self) -> Text {
        let (en, zh_cn) = match self {
            Self::Number => ("a number", "数字"),
            Self::FiniteNumber => ("a finite number", "有限的数字"),
            Self::WholeNumber => ("a whole number", "整数"),
            Self::Bool => ("true or false", " true 或 false"),
            Self::Money => (
                "money ({\"amount\": \"12.34\", \"currency\": \"USD\"})",
                "金额（{\"amount\": \"12.34\", \"currency\": \"USD\"}）",
            ),
            Self::AmountAndCurrency => {
                ("an amount and a currency (`12.34 USD`)", "金额加币种（`12.34 USD`）")
            }
            Self::Amount => ("an amount", "金额"),
            Self::AmountOf(currency) => {
                let decimals = currency.decimals();
                return crate::bilingual!(
                    "an amount of {currency} with at most {decimals} decimals and 15 digits",
                    " {currency} 金额（整数部分最多 15 位，小数最多 {decimals} 位）"
                );
            }
            Self::Text => ("a text", "文本"),
            Self::TextWithoutNul => ("a text without NUL characters", "不含 NUL 字符的文本"),
            Self::Date => ("a date (YYYY-MM-DD)", "日期（YYYY-MM-DD）"),
            Self::Time => ("a time (RFC 3339)", "时间（RFC 3339）"),
            Self::Option => ("one of the options", "可选值之一"),
            Self::Options => ("a list of options", "可选值的列表"),
            Self::RecordId => ("a record id (a UUID)", "记录 ID（UUID）"),
            Self::List => ("a list of at most 1,000 values", "最多 1,000 个值的列表"),
            Self::ListWithoutNulls => ("a list without nulls", "不含空值的列表"),
            Self::Json => ("JSON", " JSON"),
            Self::ShortJson => ("JSON of at most 64 KiB", "不超过 64 KiB 的 JSON"),
            Self::Value => ("a value", "非空的值"),
        };
        Text::new(en, zh_cn)
    }
}

impl std::fmt::Display for Expected {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.text().en)
    }
}
