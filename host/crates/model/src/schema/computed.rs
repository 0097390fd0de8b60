use crate::{FieldName, Filter, ObjectName};

/// Where the value of a field comes from that nobody writes.
#[derive(Debug, Clone, PartialEq)]
pub enum Computed {
    /// From other fields of the record.
    Formula(Formula),
    /// From the records that refer to it.
    RollUp(RollUp),
}

/// A rhai expression over the fields of the record, such as `record.amount * record.probability / 100`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Formula {
    /// The expression. It sees the record's own fields, formulas and roll-ups, and nothing else.
    pub expression: String,
    /// Whether its values are kept as a column, so that filters and sorts need not compute them. They never bump a record's version.
    pub stored: bool,
}

/// One figure over the records of a child object that refer to a record. Deleted ones do not count, nulls neither.
#[derive(Debug, Clone, PartialEq)]
pub struct RollUp {
    /// The child object: `opportunity`.
    pub object: ObjectName,
    /// The child's reference to the record: `account`.
    pub reference: FieldName,
    /// What is computed.
    pub function: RollUpFunction,
    /// The child's field that it is computed from; none for a count.
    pub field: Option<FieldName>,
    /// For `last`: the child's date or time that says which one is the last; of equal ones the greater id. None is `created_at`.
    pub by: Option<FieldName>,
    /// Which children count; none is all.
    pub filter: Option<Filter>,
}

/// What a roll-up computes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum RollUpFunction {
    /// How many.
    Count,
    /// The sum; 0 where there is none. Money is summed in the base currency.
    Sum,
    /// The least; null where there is none.
    Min,
    /// The greatest; null where there is none.
    Max,
    /// The value of the last; null where there is none.
    Last,
}

impl RollUpFunction {
    /// All of them.
    pub const ALL: [Self; 5] = [Self::Count, Self::Sum, Self::Min, Self::Max, Self::Last];

    /// Its API name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Count => "count",
            Self::Sum => "sum",
            Self::Min => "min",
            Self::Max => "max",
            Self::Last => "last",
        }
    }
}
