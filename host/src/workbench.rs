//! The files of the browser's side, built into the program.
//!
//! `host/web/dist` is made by `npm run build` in `host/web`, which `cargo xtask` does before it compiles this crate. Without that folder the
//! program is complete but for the workbench.

use rust_embed::{Embed, EmbeddedFile};
use trellis_http::{Workbench, WorkbenchFile};

#[derive(Embed)]
#[folder = "web/dist"]
#[allow_missing = true]
struct Files;

/// The files that were there when the program was compiled.
#[derive(Debug, Clone, Copy)]
pub(crate) struct BuiltIn;

impl Workbench for BuiltIn {
    fn file(&self, path: &str) -> Option<WorkbenchFile> {
        let media_type = media_type(path)?;
        let bytes = |file: EmbeddedFile| match file.data {
            std::borrow::Cow::Borrowed(bytes) => bytes.into(),
            std::borrow::Cow::Owned(bytes) => bytes.into(),
        };
        let file = Files::get(path)?;
        Some(WorkbenchFile {
            media_type,
            bytes: bytes(file),
            gzip: Files::get(&format!("{path}.gz")).map(bytes),
        })
    }
}

/// Of the kinds of files that a build makes; others are not served.
fn media_type(path: &str) -> Option<&'static str> {
    Some(match path.rsplit_once('.')?.1 {
        "html" => "text/html; charset=utf-8",
        "js" => "text/javascript; charset=utf-8",
        "css" => "text/css; charset=utf-8",
        "svg" => "image/svg+xml",
        "png" => "image/png",
        "woff2" => "font/woff2",
        _ => return None,
    })
}
