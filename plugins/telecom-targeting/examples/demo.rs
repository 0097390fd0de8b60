//! Writes made-up customers as CSV, ready to be imported: `cargo run --example demo -- 5000 1 > customers.csv` (how many, which seed).

use std::io::Write;

use telecom_targeting::demo;

fn main() -> std::io::Result<()> {
    let mut arguments = std::env::args().skip(1);
    let mut number =
        |otherwise: u64| arguments.next().and_then(|text| text.parse().ok()).unwrap_or(otherwise);
    let (count, seed) = (number(5_000), number(1));
    let mut out = std::io::BufWriter::new(std::io::stdout().lock());
    let fields = [
        "age",
        "occupation",
        "income",
        "marital_status",
        "monthly_bill",
        "industry",
        "uses_mp3",
        "uses_service",
        "call_minutes",
    ];
    let header = fields.map(|field| format!("telecom_targeting__{field}")).join(",");
    writeln!(out, "external_id,name,{header}")?;
    for (place, one) in demo::customers(usize::try_from(count).unwrap_or(usize::MAX), seed).iter().enumerate()
    {
        let number = place + 1;
        writeln!(
            out,
            "demo-{number},Customer {number},{},{},{},{},{},{},{},{},{}",
            one.age,
            one.occupation,
            one.income,
            one.marital_status,
            one.monthly_bill,
            one.industry,
            one.uses_mp3,
            one.uses_service,
            one.call_minutes
        )?;
    }
    out.flush()
}
