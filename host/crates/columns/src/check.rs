/// What a check of columns found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CheckReport {
    /// Customers whose features were compared with a fresh scan.
    pub feature_rows: u64,
    /// Blocks of all kept generations that were read.
    pub blocks: u64,
    /// What does not agree, each named; the first 1,000.
    pub differences: Vec<String>,
    /// How many differences there are.
    pub differences_total: u64,
}

impl CheckReport {
    /// Whether everything agrees.
    pub fn is_clean(&self) -> bool {
        self.differences_total == 0
    }
}
