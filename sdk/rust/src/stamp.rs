//! Telling the host which SDK a plugin was written with.

const TEXT: &str = concat!("trellis-sdk-rust ", env!("CARGO_PKG_VERSION"), "\n");

/// The text of the custom section `trellis:sdk`: one line for each interface that the plugin exports.
#[doc(hidden)]
pub const STAMP: [u8; TEXT.len()] = {
    let mut bytes = [0; TEXT.len()];
    bytes.copy_from_slice(TEXT.as_bytes());
    bytes
};

/// Puts the stamp into the plugin. A section of a library that nothing refers to would be lost, so the export macros do it.
#[doc(hidden)]
#[macro_export]
macro_rules! stamp {
    () => {
        #[cfg(target_family = "wasm")]
        #[expect(unsafe_code, reason = "naming a section is the only way to add one")]
        #[unsafe(link_section = "trellis:sdk")]
        #[used]
        static STAMP: [u8; $crate::STAMP.len()] = $crate::STAMP;
    };
}
