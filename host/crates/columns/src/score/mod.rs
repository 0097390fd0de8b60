//! Scores: what they are called, which bands they have, who has which number.

mod define;
mod state;
mod stored;
mod types;

pub(crate) use state::{CurrentScore, Score};
pub(crate) use stored::{decode_definition, encode_definition};
pub use types::{BandDefinition, ScoreDefinition, ScoreInfo};
