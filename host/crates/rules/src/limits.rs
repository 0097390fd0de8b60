use serde::Deserialize;

/// What one rule may use. Each limit has a test that reaches it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Limits {
    /// Steps of the interpreter in one call.
    pub operations_max: u64,
    /// How deep the rule's own functions may call each other.
    pub call_levels_max: usize,
    /// How deep expressions may nest; within functions half of it.
    pub expression_depth_max: usize,
    /// Bytes of all texts within one value.
    pub string_bytes_max: usize,
    /// Items of an array, those of arrays within it included.
    pub array_len_max: usize,
    /// Entries of a map, those of maps within it included.
    pub map_len_max: usize,
    /// Bytes of the source. It also bounds the time of compiling, which nothing else interrupts.
    pub source_bytes_max: usize,
    /// Bytes of the expression of a formula field.
    pub formula_bytes_max: usize,
    /// Functions that a source may define, closures included.
    pub functions_max: usize,
    /// Variables at one time.
    pub variables_max: usize,
    /// Processor time of one call in milliseconds; what look-ups take is not counted.
    pub time_ms_max: u64,
    /// Actions that one call may return, and reasons likewise.
    pub actions_max: usize,
    /// Vetoes that one call may return.
    pub vetoes_max: usize,
    /// Look-ups that one call may make.
    pub lookups_max: u32,
    /// Lines that are kept of what a call prints; further ones are dropped.
    pub print_lines_max: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            operations_max: 500_000,
            call_levels_max: 32,
            expression_depth_max: 64,
            string_bytes_max: 65_536,
            array_len_max: 10_000,
            map_len_max: 1_000,
            source_bytes_max: 65_536,
            formula_bytes_max: 4_000,
            functions_max: 100,
            variables_max: 200,
            time_ms_max: 50,
            actions_max: 100,
            vetoes_max: 20,
            lookups_max: 50,
            print_lines_max: 50,
        }
    }
}
