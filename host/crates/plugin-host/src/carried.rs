//! What a component may carry besides its manifest: golden cases, objects, rules. Here it is only found and bounded; whoever uses it
//! reads it as what it is, a stranger's text.

use std::sync::Arc;

/// Bytes of one of these sections.
pub const CARRIED_BYTES_MAX: usize = 1 << 20;

/// The texts that a component carries beside its manifest.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Carried {
    /// Golden cases, from section `trellis:tests`.
    pub tests: Option<Arc<str>>,
    /// Objects and fields that it brings, from section `trellis:schema`.
    pub schema: Option<Arc<str>>,
    /// Rules that it brings, from section `trellis:rules`.
    pub rules: Option<Arc<str>>,
}

impl Carried {
    /// Keeps the section if it is one of these.
    ///
    /// # Errors
    /// Says why it cannot be: too large, there twice, no text.
    pub(crate) fn take(&mut self, name: &str, data: &[u8]) -> Result<(), String> {
        let place = match name {
            "trellis:tests" => &mut self.tests,
            "trellis:schema" => &mut self.schema,
            "trellis:rules" => &mut self.rules,
            _ => return Ok(()),
        };
        if place.is_some() {
            return Err(format!("it carries two `{name}` sections"));
        }
        if data.len() > CARRIED_BYTES_MAX {
            let bytes = data.len();
            return Err(format!("its `{name}` section has {bytes} bytes, at most {CARRIED_BYTES_MAX}"));
        }
        let text = std::str::from_utf8(data).map_err(|_| format!("its `{name}` section is not UTF-8"))?;
        *place = Some(text.into());
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_section_is_a_bounded_text_and_there_once() {
        let mut carried = Carried::default();
        carried.take("name", &[0xff]).unwrap();
        carried.take("trellis:tests", b"{}").unwrap();
        carried.take("trellis:rules", &vec![b' '; CARRIED_BYTES_MAX]).unwrap();
        assert_eq!(carried.tests.as_deref(), Some("{}"));
        let mut refused = |name, data: &[u8]| carried.take(name, data).unwrap_err();
        assert_eq!(refused("trellis:tests", b"{}"), "it carries two `trellis:tests` sections");
        assert_eq!(refused("trellis:schema", &[0xff]), "its `trellis:schema` section is not UTF-8");
        assert_eq!(
            refused("trellis:schema", &vec![b' '; CARRIED_BYTES_MAX + 1]),
            "its `trellis:schema` section has 1048577 bytes, at most 1048576"
        );
    }
}
