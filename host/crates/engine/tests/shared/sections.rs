//! Components with other custom sections.

/// The same component with another version in its manifest.
pub(crate) fn as_version(component: &[u8], version: &str) -> Vec<u8> {
    with_manifest(component, |line| match line.strip_prefix("version = ") {
        Some(_) => format!("version = \"{version}\""),
        None => line.to_owned(),
    })
}

/// The same component with other lines in its manifest.
pub(crate) fn with_manifest(component: &[u8], change: impl Fn(&str) -> String) -> Vec<u8> {
    let manifest: String = trellis_plugin_host::read_manifest(component).unwrap();
    let changed = manifest.lines().map(change).collect::<Vec<_>>().join("\n");
    with_section(&without_manifest(component), "trellis:manifest", changed.as_bytes())
}

/// The same component with one more custom section.
pub(crate) fn with_section(component: &[u8], name: &str, data: &[u8]) -> Vec<u8> {
    let section = [&leb(name.len()), name.as_bytes(), data].concat();
    [component, &[0], &leb(section.len()), &section].concat()
}

/// The sections of a component but its manifest: after eight bytes, each is an id, a length and so many bytes.
fn without_manifest(component: &[u8]) -> Vec<u8> {
    let (header, mut rest) = component.split_at(8);
    let mut kept = header.to_vec();
    while !rest.is_empty() {
        let length_bytes = rest[1..].iter().position(|byte| byte & 0x80 == 0).unwrap() + 1;
        let length = rest[1..=length_bytes]
            .iter()
            .rev()
            .fold(0, |length, byte| length << 7 | usize::from(byte & 0x7f));
        let (section, after) = rest.split_at(1 + length_bytes + length);
        let content = &section[1 + length_bytes..];
        if section[0] != 0 || !content[1..].starts_with(b"trellis:manifest") {
            kept.extend_from_slice(section);
        }
        rest = after;
    }
    kept
}

/// The form in which WebAssembly writes lengths: seven bits a byte, lowest first.
fn leb(mut number: usize) -> Vec<u8> {
    let mut bytes = Vec::new();
    loop {
        let low = u8::try_from(number & 0x7f).unwrap();
        number >>= 7;
        bytes.push(low | if number > 0 { 0x80 } else { 0 });
        if number == 0 {
            return bytes;
        }
    }
}
