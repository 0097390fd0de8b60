use crate::FieldName;

/// What makes a record a good one: R1. Its score is the mean of three shares of 0 to 100: complete, valid, fresh.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Quality {
    /// The fields that a complete record has.
    pub fields: Vec<FieldName>,
    /// For how many days after its last change a record is wholly fresh; after twice as many it is not fresh at all.
    pub fresh_days: u32,
}

/// What a text means, beyond being text. A value that does not look so is kept, and counts as not valid in the record's quality.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum TextFormat {
    /// An e-mail address.
    Email,
    /// A telephone number.
    Phone,
    /// An `http` or `https` address.
    Url,
    /// The name of a person or company: found by pinyin initials too.
    Name,
}

impl TextFormat {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Email, Self::Phone, Self::Url, Self::Name];

    /// Its API name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Email => "email",
            Self::Phone => "phone",
            Self::Url => "url",
            Self::Name => "name",
        }
    }
}
