//! The eight items of a complaint record (R47).

use serde::Deserialize;
use trellis_sdk::WorkItem;

/// An item that the record of a complaint should have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Item {
    /// 1: what happened.
    WhatHappened,
    /// 2: how it happened.
    HowItHappened,
    /// 3: which product, and why it disappointed.
    DissatisfactionReason,
    /// 4: who sold it.
    SalesRepresentative,
    /// 5: what else there may be.
    OtherReasons,
    /// 6: whether the customer can be reasoned with.
    CustomerReasonable,
    /// 7: what the customer wants.
    DesiredResolution,
    /// 8: whether it is an existing customer; the plugin fills it in.
    CustomerKind,
}

impl Item {
    /// All of them, in the order of the form.
    pub const ALL: [Self; 8] = [
        Self::WhatHappened,
        Self::HowItHappened,
        Self::DissatisfactionReason,
        Self::SalesRepresentative,
        Self::OtherReasons,
        Self::CustomerReasonable,
        Self::DesiredResolution,
        Self::CustomerKind,
    ];

    /// The case's field.
    pub fn field(self) -> &'static str {
        match self {
            Self::WhatHappened => "what_happened",
            Self::HowItHappened => "how_it_happened",
            Self::DissatisfactionReason => "dissatisfaction_reason",
            Self::SalesRepresentative => "sales_representative",
            Self::OtherReasons => "other_reasons",
            Self::CustomerReasonable => "customer_reasonable",
            Self::DesiredResolution => "desired_resolution",
            Self::CustomerKind => "customer_kind",
        }
    }

    /// English and Chinese, as in “still missing: …”.
    pub fn words(self) -> (&'static str, &'static str) {
        match self {
            Self::WhatHappened => ("what happened", "发生了什么"),
            Self::HowItHappened => ("how it happened", "如何发生"),
            Self::DissatisfactionReason => ("the product and why it disappointed", "商品及不满原因"),
            Self::SalesRepresentative => ("who sold it", "导购代表"),
            Self::OtherReasons => ("other reasons", "其他原因"),
            Self::CustomerReasonable => ("whether the customer can be reasoned with", "顾客是否讲理"),
            Self::DesiredResolution => ("what the customer wants", "希望怎样解决"),
            Self::CustomerKind => ("existing or new customer", "老顾客或新顾客"),
        }
    }
}

/// The items that are still empty, in the order of the form.
pub(crate) fn missing(case: &WorkItem) -> Vec<Item> {
    Item::ALL.into_iter().filter(|item| case.is_blank(item.field())).collect()
}

/// A list of items for a sentence, in English and Chinese.
pub(crate) fn listed(items: &[Item]) -> (String, String) {
    let words = |pick: fn(Item) -> &'static str| items.iter().map(|item| pick(*item)).collect::<Vec<_>>();
    (words(|item| item.words().0).join(", "), words(|item| item.words().1).join("、"))
}
