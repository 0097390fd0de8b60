//! What is kept about every customer and shown by name: scores, their bands, segmentations.

use std::fmt::{self, Display};

use crate::SegmentationName;

/// What about a name is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum PublishedKind {
    /// The number of a score.
    Score,
    /// The band that the number of a score is in.
    Band,
    /// The value of a segmentation.
    Segment,
}

impl PublishedKind {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Score, Self::Band, Self::Segment];

    /// Its name in filters, lists and settings.
    pub fn name(self) -> &'static str {
        match self {
            Self::Score => "score",
            Self::Band => "band",
            Self::Segment => "segment",
        }
    }
}

/// A score, the band of a score or a segmentation, named as in filters: `score.customer_lifetime__clv`, `segment.rfm`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Published {
    /// What is read of it.
    pub kind: PublishedKind,
    /// Its name, or an alias.
    pub name: SegmentationName,
}

impl Published {
    /// Reads `score.<name>`, `band.<name>` or `segment.<name>`; `None` for anything else.
    pub fn parse(text: &str) -> Option<Self> {
        let (kind, name) = text.split_once('.')?;
        let kind = PublishedKind::ALL.into_iter().find(|known| known.name() == kind)?;
        Some(Self { kind, name: SegmentationName::new(name).ok()? })
    }
}

impl Display for Published {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}.{}", self.kind.name(), self.name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_as_filters_write_them() {
        for text in ["score.customer_lifetime__clv", "band.churn_risk__risk", "segment.rfm"] {
            assert_eq!(Published::parse(text).unwrap().to_string(), text);
        }
        for text in ["clv", "score", "score.", "score.CLV", "score.a.b", "owner.name", "Score.clv", ".clv"] {
            assert_eq!(Published::parse(text), None, "{text}");
        }
    }
}
