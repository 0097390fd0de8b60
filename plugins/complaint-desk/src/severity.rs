//! How severe a complaint is, from the five visible forms of dissatisfaction (R45).

/// The options of the case's field `severity`; they compare.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// `low`
    Low,
    /// `medium`
    Medium,
    /// `high`
    High,
    /// `critical`
    Critical,
}

impl Severity {
    /// What a form of dissatisfaction means. Without one it is medium: somebody complains, nobody knows how.
    pub fn of(dissatisfaction: Option<&str>) -> Self {
        match dissatisfaction {
            Some("spread_dissatisfaction") => Self::Low,
            Some("complained_to_authority") => Self::High,
            Some("legal_action") => Self::Critical,
            _ => Self::Medium,
        }
    }

    /// One more, at most critical.
    #[must_use]
    pub fn raised(self) -> Self {
        match self {
            Self::Low => Self::Medium,
            Self::Medium => Self::High,
            Self::High | Self::Critical => Self::Critical,
        }
    }

    /// The severity that a case's field holds.
    pub fn parse(option: Option<&str>) -> Option<Self> {
        [Self::Low, Self::Medium, Self::High, Self::Critical]
            .into_iter()
            .find(|severity| Some(severity.option()) == option)
    }

    /// The option of the field `severity`.
    pub fn option(self) -> &'static str {
        match self {
            Self::Low => "low",
            Self::Medium => "medium",
            Self::High => "high",
            Self::Critical => "critical",
        }
    }

    /// The option of the case's field `priority` that goes with it.
    pub fn priority(self) -> &'static str {
        match self {
            Self::Low => "low",
            Self::Medium => "normal",
            Self::High => "high",
            Self::Critical => "urgent",
        }
    }

    /// English and Chinese.
    pub fn words(self) -> (&'static str, &'static str) {
        match self {
            Self::Low => ("low", "轻微"),
            Self::Medium => ("medium", "一般"),
            Self::High => ("high", "较重"),
            Self::Critical => ("critical", "严重"),
        }
    }
}

/// A form of dissatisfaction in English and Chinese.
pub(crate) fn form_words(dissatisfaction: Option<&str>) -> (&'static str, &'static str) {
    match dissatisfaction {
        Some("spread_dissatisfaction") => ("tells others about it", "向他人传递不满"),
        Some("stopped_buying") => ("stopped buying", "不再重复购买"),
        Some("complained_to_company") => ("complained to us", "向商店或制造商投诉"),
        Some("complained_to_authority") => ("complained to an authority or association", "向部门或组织投诉"),
        Some("legal_action") => ("takes legal action", "采取法律行动"),
        _ => ("complained in a way that is not recorded", "表现形式未记录"),
    }
}
