//! Scores and segmentations as inputs of others: what is shown of them at one moment, as columns, and whose values are others than at
//! an earlier moment.
//!
//! A result is taken as readers see it: nobody has a value of one that is cleared, and one whose plugin is away keeps its last values.

use std::collections::{BTreeSet, HashMap};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;

use trellis_model::{ColumnData, Published, PublishedKind, TextColumn, Validity};

use crate::generation::Cell;
use crate::output::{Output, OutputKind};
use crate::room::{Room, text_bytes};
use crate::{ColumnSource, Columns, DatasetSpec};

/// What is shown of some scores and segmentations at one moment. Cheap to clone; later changes are not seen.
#[derive(Debug, Clone, Default)]
pub struct PublishedValues {
    /// Each once, ascending; `None` where there is none of its name.
    of: Arc<[(Published, Option<Arc<Output>>)]>,
}

/// How a score or segmentation stands that is read by its name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PublishedState {
    /// It is there and kept up to date.
    Current,
    /// Its last values are shown, and nothing keeps them up to date.
    Stale,
    /// Nobody has a value until what puts it out is back.
    Cleared,
    /// Nothing has put it out yet.
    Missing,
}

impl Columns {
    /// What is shown now of the scores and segmentations that a dataset reads; not of what is withheld.
    pub fn published(&self, spec: &DatasetSpec) -> PublishedValues {
        let read = spec.columns.iter().filter_map(|column| match &column.source {
            ColumnSource::Published(published) => Some(published.clone()),
            _ => None,
        });
        let read: BTreeSet<_> = read.collect();
        if read.is_empty() {
            return PublishedValues::default();
        }
        let schema = self.records.schema();
        let object = schema.object(spec.object.as_str()).map(|object| object.id);
        let state = self.results.state();
        let shown = |published: Published| {
            let output = state.get(published.name.as_str());
            let output = output.filter(|output| Some(output.object) == object && fits(&published, output));
            let output = output.cloned();
            (published, output)
        };
        PublishedValues { of: read.into_iter().map(shown).collect() }
    }

    /// How a score or segmentation stands.
    pub fn published_state(&self, published: &Published) -> PublishedState {
        let state = self.results.state();
        match state.get(published.name.as_str()).filter(|output| fits(published, output)) {
            None => PublishedState::Missing,
            Some(output) if output.pointer.current.is_none() => PublishedState::Missing,
            Some(output) if output.is_cleared() => PublishedState::Cleared,
            Some(output) if output.pointer.is_stale() => PublishedState::Stale,
            Some(_) => PublishedState::Current,
        }
    }
}

impl PublishedValues {
    /// Whether nothing is read.
    pub fn is_empty(&self) -> bool {
        self.of.is_empty()
    }

    /// Whether nobody's values can be others than they were in `earlier`: without a look at them.
    pub fn is_same(&self, earlier: &Self) -> bool {
        let same = |(now, before): (&Option<Arc<Output>>, &Option<Arc<Output>>)| match (now, before) {
            (Some(now), Some(before)) => Arc::ptr_eq(now, before),
            (None, None) => true,
            _ => false,
        };
        self.of.len() == earlier.of.len()
            && self
                .of
                .iter()
                .zip(earlier.of.iter())
                .all(|((name, now), (before_name, before))| name == before_name && same((now, before)))
    }

    /// The ordinals, ascending, of whom another value is shown than in `earlier`; one that is read here or there only counts as another.
    pub fn changed_since(&self, earlier: &Self) -> Vec<u64> {
        let names: BTreeSet<_> = self.of.iter().chain(earlier.of.iter()).map(|(name, _)| name).collect();
        let changed =
            names.into_iter().flat_map(|name| differing(name.kind, earlier.output(name), self.output(name)));
        changed.collect::<BTreeSet<_>>().into_iter().collect()
    }

    /// A number that is another, as good as certainly, where anybody's values are others: for telling after a restart that nothing changed.
    pub fn digest(&self) -> u64 {
        let mut hasher = DefaultHasher::new();
        for (published, output) in self.of.iter() {
            published.hash(&mut hasher);
            let Some(output) = output else { continue };
            output.class_names().hash(&mut hasher);
            if let (PublishedKind::Band, OutputKind::Score(score)) = (published.kind, &output.kind) {
                let bands = &score.definition.bands;
                bands.iter().for_each(|band| band.lowest.to_bits().hash(&mut hasher));
            }
            output.shown().column.hash_values(&mut hasher);
        }
        hasher.finish()
    }

    fn output(&self, published: &Published) -> Option<&Output> {
        let found = self.of.binary_search_by(|(known, _)| known.cmp(published)).ok()?;
        self.of.get(found)?.1.as_deref()
    }

    /// The values of some ordinals.
    pub(crate) fn column(&self, published: &Published, ordinals: &[u64]) -> (Validity, ColumnData) {
        let output = self.output(published);
        if published.kind == PublishedKind::Score {
            let numbers: Vec<_> = ordinals.iter().map(|ordinal| number(output, *ordinal)).collect();
            let valid = Validity::from_flags(numbers.iter().map(Option::is_some));
            let numbers = numbers.into_iter().map(Option::unwrap_or_default);
            return (valid, ColumnData::Float64(numbers.collect()));
        }
        let (mut known, mut values) = (HashMap::<&str, u32>::new(), TextColumn::default());
        let texts = ordinals.iter().map(|ordinal| text(published.kind, output?, *ordinal));
        let texts: Vec<Option<&str>> = texts.collect();
        let mut codes = Vec::with_capacity(texts.len());
        for text in &texts {
            codes.push(text.map_or(0, |text| code_of(&mut known, &mut values, text)));
        }
        let valid = Validity::from_flags(texts.iter().map(Option::is_some));
        (valid, ColumnData::Dictionary { codes, values })
    }

    /// Takes the room that the texts of some ordinals need.
    pub(crate) fn take_texts(&self, published: &Published, ordinals: &[u64], room: &mut Room) {
        let Some(output) = self.output(published).filter(|_| published.kind != PublishedKind::Score) else {
            return;
        };
        let mut known = BTreeSet::new();
        room.take(ordinals.iter().map(|ordinal| {
            let text = text(published.kind, output, *ordinal).filter(|text| known.insert(*text));
            text.map_or(0, text_bytes)
        }));
    }
}

/// The place of a text in a dictionary, which it is added to where it is new.
fn code_of<'a>(known: &mut HashMap<&'a str, u32>, values: &mut TextColumn, text: &'a str) -> u32 {
    let next = known.len() as u32;
    *known.entry(text).or_insert_with(|| {
        values.push(text);
        next
    })
}

/// Whether what is read of a name is what the name stands for.
fn fits(published: &Published, output: &Output) -> bool {
    output.is_score() == (published.kind != PublishedKind::Segment)
}

fn number(output: Option<&Output>, ordinal: u64) -> Option<f64> {
    match output?.shown().column.get(ordinal) {
        Cell::Number(number) => number.get(),
        Cell::Code(_) => None,
    }
}

fn text(kind: PublishedKind, output: &Output, ordinal: u64) -> Option<&str> {
    let class = output.classes().of(output.shown().column.get(ordinal));
    match &output.kind {
        OutputKind::Segmentation(of) => of.value(class),
        OutputKind::Score(of) if kind == PublishedKind::Band => of.band(class),
        OutputKind::Score(_) => None,
    }
}

/// Of whom another value is shown.
fn differing(kind: PublishedKind, before: Option<&Output>, now: Option<&Output>) -> Vec<u64> {
    let (before, now) = match (before, now) {
        (None, None) => return Vec::new(),
        (Some(before), Some(now)) if std::ptr::eq(before, now) => return Vec::new(),
        (Some(before), Some(now)) => (before, now),
        (Some(one), None) | (None, Some(one)) => return one.shown().column.valued(),
    };
    if kind != PublishedKind::Band {
        return now.shown().column.differing(&before.shown().column);
    }
    // Bands may have been defined anew over the same numbers.
    let mut asked = now.shown().column.valued();
    asked.extend(before.shown().column.valued());
    asked.sort_unstable();
    asked.dedup();
    asked.retain(|ordinal| text(kind, before, *ordinal) != text(kind, now, *ordinal));
    asked
}
