//! Writes made-up customers as comma-separated values, ready to be imported: `cargo run --example demo -- 5000 1 > customers.csv` (how many, which
//! seed).

use std::io::Write;

use telecom_targeting::demo;

fn main() -> std::io::Result<()> {
    let mut arguments = std::env::args().skip(1);
    let mut number =
        |otherwise: u64| arguments.next().and_then(|text| text.parse().ok()).unwrap_or(otherwise);
    let (count, seed) = (number(5_000), number(1));
    let table = demo::table(usize::try_from(count).unwrap_or(usize::MAX), seed);
    std::io::stdout().lock().write_all(table.as_bytes())
}
