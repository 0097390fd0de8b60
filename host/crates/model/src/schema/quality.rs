use super::ObjectDefinition;
use super::parts::twice;
use crate::{FieldName, Text, bilingual};

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

impl Quality {
    /// Checks that there are fields, and that they are the object's.
    ///
    /// # Errors
    /// What is wrong.
    pub(super) fn validate(&self, object: &ObjectDefinition) -> Result<(), Text> {
        if self.fields.is_empty() {
            return Err(Text::new("no fields", "没有字段"));
        }
        if self.fresh_days == 0 {
            return Err(Text::new("fresh_days is 1 or more", "fresh_days 至少为 1"));
        }
        if let Some(name) = self.fields.iter().find(|name| object.field(name.as_str()).is_none()) {
            return Err(bilingual!("`{name}` is no field", "`{name}` 不是字段"));
        }
        match twice(&self.fields) {
            Some(name) => Err(bilingual!("`{name}` is there twice", "`{name}` 重复")),
            None => Ok(()),
        }
    }
}
