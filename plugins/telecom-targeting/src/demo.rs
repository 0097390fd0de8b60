//! Made-up customers of a mobile operator, for trying the pack out: who uses the service follows a rule that the tree has to find again.

use trellis_sdk::Rng;

/// A made-up customer.
#[derive(Debug, Clone, PartialEq)]
pub struct DemoCustomer {
    /// In years.
    pub age: i64,
    /// An option of the field.
    pub occupation: &'static str,
    /// A month, in whole units.
    pub income: i64,
    /// An option of the field.
    pub marital_status: &'static str,
    /// The average bill of a month, in whole units.
    pub monthly_bill: i64,
    /// An option of the field.
    pub industry: &'static str,
    /// Whether the telephone plays music.
    pub uses_mp3: bool,
    /// Whether the customer uses the service.
    pub uses_service: bool,
    /// Minutes of calls a month with the service; 0 without it.
    pub call_minutes: i64,
}

/// The occupations of the field.
pub const OCCUPATIONS: [&str; 8] =
    ["sales", "engineer", "manager", "teacher", "civil_servant", "self_employed", "student", "other"];
const MARITAL: [&str; 3] = ["single", "married", "divorced"];
const INDUSTRIES: [&str; 6] = ["retail", "manufacturing", "it", "finance", "education", "other"];

/// Whether a customer is one of those whom the rule names: 20 to 30 years old, in sales, with a bill of 150 to 200 and an income of
/// 3,000 to 5,000. Nine of ten of them use the service, of all others one in twenty.
pub fn is_target(customer: &DemoCustomer) -> bool {
    (20..=30).contains(&customer.age)
        && customer.occupation == "sales"
        && (150..=200).contains(&customer.monthly_bill)
        && (3_000..=5_000).contains(&customer.income)
}

/// Makes so many customers; the same seed makes the same. A fifth of them is drawn from around the rule, so that some thousand customers hold enough of
/// those whom it names.
pub fn customers(count: usize, seed: u64) -> Vec<DemoCustomer> {
    let mut rng = Rng::from_seed(seed);
    (0..count).map(|_| customer(&mut rng)).collect()
}

/// The customers as a table of comma-separated values, ready to be imported: the names of the fields, then a line each. A usage stands only where the service is
/// used.
pub fn table(count: usize, seed: u64) -> String {
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
    let mut table = format!("external_id,name,{header}\n");
    for (number, one) in (1..).zip(customers(count, seed)) {
        let minutes = if one.uses_service { one.call_minutes.to_string() } else { String::new() };
        let DemoCustomer {
            age,
            occupation,
            income,
            marital_status,
            monthly_bill,
            industry,
            uses_mp3,
            uses_service,
            ..
        } = one;
        table += &format!(
            "demo-{number},Customer {number},{age},{occupation},{income},{marital_status},{monthly_bill},{industry},{uses_mp3},{uses_service},{minutes}\n"
        );
    }
    table
}

fn customer(rng: &mut Rng) -> DemoCustomer {
    let is_near = rng.below(5) == 0;
    let between = |rng: &mut Rng, from: i64, to: i64| from + rng.below((to - from + 1).unsigned_abs()) as i64;
    let pick = |rng: &mut Rng, options: &[&'static str]| {
        options.get(rng.below(options.len() as u64) as usize).copied().unwrap_or_default()
    };
    let mut customer = DemoCustomer {
        age: if is_near { between(rng, 18, 35) } else { between(rng, 16, 70) },
        occupation: if is_near && rng.below(2) == 0 { "sales" } else { pick(rng, &OCCUPATIONS) },
        income: if is_near { between(rng, 2_500, 5_500) } else { between(rng, 1_000, 12_000) },
        marital_status: pick(rng, &MARITAL),
        monthly_bill: if is_near { between(rng, 130, 220) } else { between(rng, 20, 400) },
        industry: pick(rng, &INDUSTRIES),
        uses_mp3: rng.below(3) == 0,
        uses_service: false,
        call_minutes: 0,
    };
    let share = if is_target(&customer) { 0.9 } else { 0.05 };
    customer.uses_service = rng.unit() < share;
    if customer.uses_service {
        customer.call_minutes = customer.monthly_bill * 2 + between(rng, 0, 60);
    }
    customer
}
