use std::sync::Arc;

use super::state::Score;
use super::types::{ScoreDefinition, ScoreInfo};
use crate::output::{Output, OutputKind, check_names, check_texts, merged_aliases};
use crate::{Columns, Error, Origin, Result};

/// The greatest band is below this, so that classes fit 16 bits.
const BANDS_MAX: usize = 65_534;
const UNIT_CHARACTERS_MAX: usize = 40;

impl Columns {
    /// Defines a score, or defines it anew: labels, unit, range and bands become the new ones, aliases are added. Customers
    /// whose band is another only because the bands are others have not crossed: nothing is told. Defining the same again writes nothing.
    ///
    /// # Errors
    /// [`Error::InvalidScore`], [`Error::NameTaken`] (by a segmentation too), [`Error::UnknownObject`].
    pub async fn define_score(self: &Arc<Self>, definition: ScoreDefinition) -> Result<Arc<ScoreInfo>> {
        let object = self.object_with_ordinals(&definition.object)?;
        self.validate_score(&definition)
            .map_err(|reason| Error::InvalidScore { name: definition.name.to_string(), reason })?;
        let name = definition.name.clone();
        {
            let _changing = self.results.change.lock().await;
            let state = self.results.state();
            let known = state.get(name.as_str());
            let before = match known.map(|known| &known.kind) {
                Some(OutputKind::Score(before)) => Some(&before.definition),
                Some(OutputKind::Segmentation(of)) => {
                    return Err(Error::NameTaken {
                        name: name.to_string(),
                        holder: of.definition.name.to_string(),
                    });
                }
                None => None,
            };
            let definition = match before {
                Some(before) => merge(before, definition)?,
                None => definition,
            };
            if before != Some(&definition) {
                let bands = definition.bands.iter().map(|band| band.name.as_str()).collect::<Vec<_>>();
                let data = serde_json::json!({ "score": name.as_str(), "bands": bands });
                let kind = OutputKind::Score(Arc::new(Score::new(definition)));
                let output = match known {
                    Some(known) => known.redefined(kind),
                    None => Output::new(state.next_id(), kind, object),
                };
                let known = known.map(Arc::as_ref);
                self.store_definition(
                    &Arc::new(output),
                    known,
                    &Origin::system("columns"),
                    ("score.defined", data),
                )
                .await?;
            }
        }
        self.ensure_population(object).await?;
        self.score(name.as_str()).ok_or(Error::UnknownScore { name: name.to_string() })
    }

    fn validate_score(&self, definition: &ScoreDefinition) -> Result<(), String> {
        let bands = &definition.bands;
        let bands_max = self.config.values_max.min(BANDS_MAX);
        if bands.len() > bands_max {
            return Err(format!("{} bands, expected at most {bands_max}", bands.len()));
        }
        if let Some(band) = bands.iter().find(|band| !band.lowest.is_finite()) {
            return Err(format!("band `{}` begins at {}, which is no finite number", band.name, band.lowest));
        }
        let pairs = bands.iter().zip(bands.iter().skip(1));
        if let Some((low, high)) = pairs.into_iter().find(|(low, high)| low.lowest >= high.lowest) {
            return Err(format!(
                "band `{}` begins at {}, which is not above `{}` at {}",
                high.name, high.lowest, low.name, low.lowest
            ));
        }
        check_range(definition.minimum, definition.maximum)?;
        let is_unit =
            |unit: &str| unit.chars().count() <= UNIT_CHARACTERS_MAX && !unit.chars().any(char::is_control);
        if !is_unit(&definition.unit.en) || !is_unit(&definition.unit.zh_cn) {
            return Err(format!(
                "its unit is over {UNIT_CHARACTERS_MAX} characters or has control characters"
            ));
        }
        check_names("band", bands.iter().map(|band| band.name.as_str()))?;
        let texts = bands.iter().map(|band| (&band.label, &band.description));
        check_texts(texts.chain([(&definition.label, &definition.description)]))
    }
}

fn check_range(minimum: Option<f64>, maximum: Option<f64>) -> Result<(), String> {
    for (what, bound) in [("lowest", minimum), ("highest", maximum)] {
        if let Some(bound) = bound.filter(|bound| !bound.is_finite()) {
            return Err(format!("its {what} number is {bound}, which is not finite"));
        }
    }
    match (minimum, maximum) {
        (Some(minimum), Some(maximum)) if minimum > maximum => {
            Err(format!("its lowest number {minimum} is above its highest {maximum}"))
        }
        _ => Ok(()),
    }
}

/// What a new definition says of a score that is defined.
fn merge(known: &ScoreDefinition, new: ScoreDefinition) -> Result<ScoreDefinition> {
    let wrong =
        |reason: &str| Err(Error::InvalidScore { name: known.name.to_string(), reason: reason.to_owned() });
    if known.name != new.name {
        return Err(Error::NameTaken { name: new.name.to_string(), holder: known.name.to_string() });
    }
    if known.object != new.object {
        return wrong("its object cannot change");
    }
    if known.source != new.source {
        return wrong("its source cannot change");
    }
    Ok(ScoreDefinition { aliases: merged_aliases(&known.aliases, new.aliases), ..new })
}
