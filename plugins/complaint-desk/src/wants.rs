//! The five things that people who complain want (R46).

use trellis_sdk::WorkItem;

/// The field that holds which of them were met.
pub(crate) const FIELD: &str = "complaint_desk__wants_met";

/// Something that people who complain want.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Want {
    /// To be taken seriously.
    Serious,
    /// To be listened to.
    Heard,
    /// That somebody acts.
    Action,
    /// That the damage is made good.
    Compensation,
    /// To be respected.
    Respect,
}

impl Want {
    /// All of them, in the order in which they are met.
    pub const ALL: [Self; 5] = [Self::Serious, Self::Heard, Self::Action, Self::Compensation, Self::Respect];

    /// The option of the field.
    pub fn option(self) -> &'static str {
        match self {
            Self::Serious => "serious",
            Self::Heard => "heard",
            Self::Action => "action",
            Self::Compensation => "compensation",
            Self::Respect => "respect",
        }
    }

    /// English and Chinese.
    pub fn words(self) -> (&'static str, &'static str) {
        match self {
            Self::Serious => ("to be taken seriously", "得到认真对待"),
            Self::Heard => ("to be listened to", "得到聆听"),
            Self::Action => ("that somebody acts", "及时采取行动"),
            Self::Compensation => ("to be compensated", "得到补偿"),
            Self::Respect => ("to be respected", "受到认同和尊重"),
        }
    }

    /// A sentence of an answer that meets it.
    pub(crate) fn sentence(self) -> (&'static str, &'static str) {
        match self {
            Self::Serious => (
                "We take what you told us seriously; one person looks after it until it is settled.",
                "您反映的问题我们非常重视，已指定专人负责，直至妥善解决。",
            ),
            Self::Heard => (
                "As we understood you, this is what happened: … Please tell us if we got something wrong.",
                "据您所述，事情经过为：……。如有出入，请随时指正。",
            ),
            Self::Action => {
                ("This is what we do, and by when: …", "我们将采取以下措施，并在以下时间前完成：……。")
            }
            Self::Compensation => (
                "For the damage and the trouble we offer you: …",
                "对由此造成的损失和不便，我们愿意为您提供：……。",
            ),
            Self::Respect => (
                "You were right to tell us. We value you as a customer and would like to keep your trust.",
                "感谢您坦诚相告。您的意见对我们十分宝贵，我们珍惜您的信任。",
            ),
        }
    }
}

/// Those that nobody has ticked as met.
pub(crate) fn open(case: &WorkItem) -> Vec<Want> {
    let met = case.choices(FIELD);
    Want::ALL.into_iter().filter(|want| !met.iter().any(|option| option == want.option())).collect()
}
