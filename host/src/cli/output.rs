//! What the command line prints. The one place that may.
#![expect(clippy::print_stderr, reason = "a command line prints")]

use std::io::Write;

/// Prints a line of the answer. Where nobody reads any more (`| head`) the program ends, as others do.
pub(crate) fn line(text: &str) {
    if let Err(why) = writeln!(std::io::stdout(), "{text}") {
        if why.kind() != std::io::ErrorKind::BrokenPipe {
            error(&format!("cannot write the answer: {why}"));
        }
        std::process::exit(1);
    }
}

/// Prints a line beside the answer: progress, warnings.
pub(crate) fn note(text: &str) {
    eprintln!("{text}");
}

/// Prints why the command failed.
pub(crate) fn error(text: &str) {
    eprintln!("error: {text}");
}

/// Replaces the current line of a terminal by a progress line; prints nothing where the output is no terminal.
pub(crate) fn progress(text: &str) {
    use std::io::IsTerminal;
    let mut stderr = std::io::stderr();
    if stderr.is_terminal() {
        let _ = write!(stderr, "\r\x1b[K{text}");
        let _ = stderr.flush();
    }
}

/// Prints rows under a header, each column as wide as its widest cell.
pub(crate) fn table<const N: usize>(header: [&str; N], rows: &[[String; N]]) {
    grid(&header, rows);
}

/// As [`table`], for a table whose columns are known only when it is there.
pub(crate) fn grid<H: AsRef<str>, R: AsRef<[String]>>(header: &[H], rows: &[R]) {
    let mut widths: Vec<usize> = header.iter().map(|head| width(head.as_ref())).collect();
    for row in rows {
        for (widest, cell) in widths.iter_mut().zip(row.as_ref()) {
            *widest = (*widest).max(width(cell));
        }
    }
    let print = |cells: &mut dyn Iterator<Item = &str>| {
        let padded =
            cells.zip(&widths).map(|(cell, wide)| format!("{cell}{}", " ".repeat(wide - width(cell))));
        line(padded.collect::<Vec<_>>().join("  ").trim_end());
    };
    print(&mut header.iter().map(AsRef::as_ref));
    rows.iter().for_each(|row| print(&mut row.as_ref().iter().map(String::as_str)));
}

/// Columns of a terminal that a text takes: Chinese characters take two.
fn width(text: &str) -> usize {
    text.chars()
        .map(|c| {
            if ('\u{1100}'..='\u{115f}').contains(&c) || ('\u{2e80}'..='\u{ffe6}').contains(&c) {
                2
            } else {
                1
            }
        })
        .sum()
}
