//! What an uploaded file says of itself, which nobody believes.

/// Characters of a name.
const NAME_CHARACTERS_MAX: usize = 255;
/// Characters of a media type.
const MEDIA_TYPE_CHARACTERS_MAX: usize = 127;
/// What a file is called that says nothing that can be used.
const NAMELESS: &str = "file";
const UNKNOWN: &str = "application/octet-stream";

/// How files of a type begin.
const SIGNATURES: [(&[u8], &str); 12] = [
    (b"%PDF-", "application/pdf"),
    (b"\x89PNG\r\n\x1a\n", "image/png"),
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"GIF87a", "image/gif"),
    (b"GIF89a", "image/gif"),
    (b"BM", "image/bmp"),
    (b"\x1f\x8b", "application/gzip"),
    (b"7z\xbc\xaf\x27\x1c", "application/x-7z-compressed"),
    (b"Rar!\x1a\x07", "application/vnd.rar"),
    (b"ID3", "audio/mpeg"),
    (b"OggS", "audio/ogg"),
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "application/x-ole-storage"),
];

/// The name without folders, control characters and marks that turn the direction of writing around; never empty, at most 255 characters.
pub(super) fn clean(name: &str) -> String {
    let last = name.rsplit(['/', '\\']).next().unwrap_or_default();
    let is_seen = |character: &char| {
        !character.is_control()
            && !matches!(character, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}')
    };
    let seen: String = last.chars().filter(is_seen).collect();
    let trimmed = seen.trim_matches(|character: char| character.is_whitespace() || character == '.');
    let name: String = trimmed.chars().take(NAME_CHARACTERS_MAX).collect();
    if name.is_empty() { NAMELESS.into() } else { name }
}

/// The media type: by how the content begins, otherwise what the upload says, where that is a type at all.
pub(super) fn media_type(head: &[u8], said: Option<&str>) -> String {
    let known = SIGNATURES.iter().find(|(start, _)| head.starts_with(start));
    if let Some((_, media_type)) = known.filter(|(_, media_type)| !is_container(media_type)) {
        return (*media_type).into();
    }
    let said = said.map(|said| said.split(';').next().unwrap_or_default().trim().to_ascii_lowercase());
    let said = said.filter(|said| is_media_type(said) && *said != UNKNOWN);
    said.unwrap_or_else(|| known.map_or(UNKNOWN, |(_, media_type)| media_type).into())
}

/// Whether files of many types begin so.
fn is_container(media_type: &str) -> bool {
    matches!(media_type, "application/x-ole-storage" | "application/gzip" | "image/bmp")
}

fn is_media_type(text: &str) -> bool {
    let is_token = |part: &str| {
        !part.is_empty()
            && part.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"!#$&^_.+-".contains(&byte))
    };
    text.len() <= MEDIA_TYPE_CHARACTERS_MAX
        && text.split_once('/').is_some_and(|(kind, subtype)| is_token(kind) && is_token(subtype))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_lead_nowhere() {
        let check = |name: &str, expected: &str| assert_eq!(clean(name), expected, "{name:?}");
        check("合同 2026.pdf", "合同 2026.pdf");
        check("../../etc/passwd", "passwd");
        check("C:\\Users\\Ann\\offer.docx", "offer.docx");
        check("a\r\nSet-Cookie: x\0.txt", "aSet-Cookie: x.txt");
        check("invoice\u{202e}fdp.exe", "invoicefdp.exe");
        check("..", "file");
        check(" .hidden ", "hidden");
        check("", "file");
        assert_eq!(clean(&"长".repeat(300)).chars().count(), 255);
    }

    #[test]
    fn content_says_what_it_is_before_the_upload_does() {
        let check = |head: &[u8], said: Option<&str>, expected: &str| {
            assert_eq!(media_type(head, said), expected, "{said:?}");
        };
        check(b"%PDF-1.7", Some("text/html"), "application/pdf");
        check(b"name,age", Some("text/csv; charset=utf-8"), "text/csv");
        check(b"name,age", None, "application/octet-stream");
        check(b"x", Some("text/html\r\nx: y"), "application/octet-stream");
        check(b"x", Some("nothing"), "application/octet-stream");
        check(b"x", Some(&format!("text/{}", "a".repeat(200))), "application/octet-stream");
        check(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", Some("application/msword"), "application/msword");
        check(b"\x1f\x8b", None, "application/gzip");
    }
}
