//! Generated purchases: seeded, so that every run has the same.

use std::io::{BufWriter, Write};
use std::path::Path;

/// How the import reads the file.
pub(crate) const MAPPING: &str = include_str!("../../../examples/cdnow/orders.toml");

/// Writes a file of purchases with the columns of the sample data. Every customer has at least one; dates are within 1997 and 1998.
pub(crate) fn write(path: &Path, customers: u64, purchases: u64) {
    let mut file = BufWriter::new(std::fs::File::create(path).expect("a file"));
    writeln!(file, "customer_id,master_id,date,cds,amount").expect("a line");
    let mut random = trellis_sdk::Rng::from_seed(20_261_121);
    let mut next = |below: u64| random.next_u64() % below;
    for purchase in 0..purchases {
        let customer = if purchase < customers { purchase + 1 } else { next(customers) + 1 };
        let (year, month, day) = (1997 + next(2), 1 + next(12), 1 + next(28));
        let (cds, cents) = (1 + next(5), 500 + next(20_000));
        writeln!(
            file,
            "{customer},{purchase},{year}-{month:02}-{day:02},{cds},{}.{:02}",
            cents / 100,
            cents % 100
        )
        .expect("a line");
    }
    file.flush().expect("a whole file");
}
