//! Names with rules. An API name never changes once it exists; labels do.

use crate::{Error, Phrase, Result};

macro_rules! name {
    ($(#[$doc:meta])* $type:ident, $kind:expr, $rule:expr, $check:expr) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $type(std::sync::Arc<str>);

        impl $type {
            /// Checks the rules and returns the name.
            ///
            /// # Errors
            /// [`Error::InvalidName`] with the rule.
            pub fn new(name: &str) -> Result<Self> {
                let check: fn(&str) -> bool = $check;
                if check(name) {
                    Ok(Self(name.into()))
                } else {
                    let (kind, rule) = ($kind, $rule);
                    Err(Error::InvalidName { kind, name: crate::error::shorten(name), rule })
                }
            }

            /// The name.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl std::fmt::Display for $type {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl std::borrow::Borrow<str> for $type {
            fn borrow(&self) -> &str {
                &self.0
            }
        }

        impl std::str::FromStr for $type {
            type Err = Error;
            fn from_str(name: &str) -> Result<Self> {
                Self::new(name)
            }
        }
    };
}

/// The rule of names within the API.
const SNAKE: Phrase =
    Phrase::new("2 to 60 of a-z, 0-9 and _, a letter first", "2 到 60 个字符，限 a-z、0-9 和 _，以字母开头");

name!(
    /// The API name of an object, singular: `account`, `order_line`, or a pack's `telecom__tariff`.
    ObjectName, Phrase::new("object name", "对象名称"), SNAKE, |name| snake(name, 60)
);
name!(
    /// The API name of a field: `amount`, or a pack's `telecom__monthly_bill`.
    FieldName, Phrase::new("field name", "字段名称"), SNAKE, |name| snake(name, 60)
);
name!(
    /// The id of a plugin: `retail-rfm`.
    PluginId, Phrase::new("plugin id", "插件 ID"),
    Phrase::new("2 to 40 of a-z, 0-9 and -, a letter first, no --", "2 到 40 个字符，限 a-z、0-9 和 -，以字母开头，不含 --"), |name| {
        snake(&name.replace('-', "_"), 40) && !name.contains("--") && !name.contains('_')
    }
);
name!(
    /// The API name of a segmentation: `retail_rfm__class`, or an alias such as `rfm`.
    SegmentationName, Phrase::new("segmentation name", "分群名称"),
    Phrase::new("2 to 90 of a-z, 0-9 and _, a letter first", "2 到 90 个字符，限 a-z、0-9 和 _，以字母开头"), |name| snake(name, 90)
);

fn snake(name: &str, length_max: usize) -> bool {
    (2..=length_max).contains(&name.len())
        && name.starts_with(|first: char| first.is_ascii_lowercase())
        && name.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_')
}

impl PluginId {
    /// The prefix of everything that the plugin adds or puts out: `retail_rfm`.
    pub fn prefix(&self) -> String {
        self.as_str().replace('-', "_")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_follow_their_rules() {
        let fields = ["amount", "a1", "telecom__monthly_bill"];
        assert!(fields.iter().all(|name| FieldName::new(name).is_ok()));
        let refused = ["", "a", "1a", "Amount", "a-b", "金额", "a b", &"x".repeat(61)];
        assert!(refused.iter().all(|name| FieldName::new(name).is_err()));
        assert!(PluginId::new("retail-rfm").is_ok_and(|id| id.prefix() == "retail_rfm"));
        assert!(["retail--rfm", "retail_rfm", "-x", "x"].iter().all(|id| PluginId::new(id).is_err()));
    }
}
