use std::sync::{Arc, LazyLock};

use trellis_model::{ObjectId, ObjectName, PluginId, SegmentationName};
use trellis_storage::Position;

use super::{Classes, CurrentResult, Pointer, Presence, Source};
use crate::GenerationId;
use crate::generation::Loaded;
use crate::keys::{KeyKind, OutputId};
use crate::population::Population;
use crate::score::{self, Score};
use crate::segmentation::{self, Segmentation};

/// What is shown of a segmentation, and of a score, that is cleared: nobody has a value.
static NO_CODES: LazyLock<Loaded> = LazyLock::new(|| Loaded::empty(&Classes::Values(0)));
static NO_NUMBERS: LazyLock<Loaded> = LazyLock::new(|| Loaded::empty(&Classes::Bands([].into())));

/// A segmentation or score with its current values. Cheap to clone.
#[derive(Debug, Clone)]
pub(crate) struct Output {
    pub(crate) id: OutputId,
    pub(crate) object: ObjectId,
    pub(crate) kind: OutputKind,
    pub(crate) pointer: Pointer,
    pub(crate) pointer_position: Option<Position>,
    pub(crate) loaded: Arc<Loaded>,
    pub(crate) damaged: Option<String>,
}

#[derive(Debug, Clone)]
pub(crate) enum OutputKind {
    Segmentation(Arc<Segmentation>),
    Score(Arc<Score>),
}

impl OutputKind {
    /// The kind of key that its definition has, and its stored form.
    pub(crate) fn encode(&self) -> (KeyKind, Vec<u8>) {
        match self {
            Self::Segmentation(of) => {
                (KeyKind::Segmentation, segmentation::encode_definition(&of.definition))
            }
            Self::Score(of) => (KeyKind::Score, score::encode_definition(&of.definition)),
        }
    }

    /// The object whose records it is about.
    pub(crate) fn object_name(&self) -> &ObjectName {
        match self {
            Self::Segmentation(of) => &of.definition.object,
            Self::Score(of) => &of.definition.object,
        }
    }

    fn classes(&self) -> &Classes {
        match self {
            Self::Segmentation(of) => &of.classes,
            Self::Score(of) => &of.classes,
        }
    }
}

impl Output {
    pub(crate) fn new(id: OutputId, kind: OutputKind, object: ObjectId) -> Self {
        Self {
            id,
            object,
            pointer: Pointer::default(),
            pointer_position: None,
            loaded: Arc::new(Loaded::empty(kind.classes())),
            damaged: None,
            kind,
        }
    }

    /// The same output by another definition, which leaves the meaning of its values as it is.
    pub(crate) fn redefined(&self, kind: OutputKind) -> Self {
        let loaded = self.loaded.recounted(self.classes(), kind.classes());
        Self { kind, loaded, ..self.clone() }
    }

    pub(crate) fn name(&self) -> &SegmentationName {
        match &self.kind {
            OutputKind::Segmentation(of) => &of.definition.name,
            OutputKind::Score(of) => &of.definition.name,
        }
    }

    /// Its name and aliases.
    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        let aliases = match &self.kind {
            OutputKind::Segmentation(of) => &of.definition.aliases,
            OutputKind::Score(of) => &of.definition.aliases,
        };
        std::iter::once(self.name().as_str()).chain(aliases.iter().map(|alias| alias.as_str()))
    }

    pub(crate) fn object_name(&self) -> &ObjectName {
        self.kind.object_name()
    }

    pub(crate) fn classes(&self) -> &Classes {
        self.kind.classes()
    }

    /// The API names of its values or bands: of class 1, 2, …
    pub(crate) fn class_names(&self) -> Vec<&str> {
        match &self.kind {
            OutputKind::Segmentation(of) => {
                of.definition.values.iter().map(|value| value.name.as_str()).collect()
            }
            OutputKind::Score(of) => of.definition.bands.iter().map(|band| band.name.as_str()).collect(),
        }
    }

    pub(crate) fn is_score(&self) -> bool {
        matches!(self.kind, OutputKind::Score(_))
    }

    /// Whether a plugin's output is what it holds.
    pub(crate) fn is_of(&self, plugin: &PluginId) -> bool {
        self.plugin() == Some(plugin)
    }

    fn source(&self) -> &Source {
        match &self.kind {
            OutputKind::Segmentation(of) => &of.definition.source,
            OutputKind::Score(of) => &of.definition.source,
        }
    }

    /// Whether a filter says who has its value.
    pub(crate) fn is_by_filter(&self) -> bool {
        matches!(self.source(), Source::Filter { .. })
    }

    /// The plugin whose output it is.
    pub(crate) fn plugin(&self) -> Option<&PluginId> {
        match self.source() {
            Source::Plugin { plugin, .. } => Some(plugin),
            Source::Filter { .. } | Source::Manual => None,
        }
    }

    /// Whether its values are not shown, since what keeps them up to date is away.
    pub(crate) fn is_cleared(&self) -> bool {
        self.pointer.presence == Presence::Cleared
    }

    /// The values that readers see. Whoever writes goes by `loaded`, which stays as it is while nobody sees it.
    pub(crate) fn shown(&self) -> &Loaded {
        match (self.is_cleared(), &self.kind) {
            (false, _) => &self.loaded,
            (true, OutputKind::Segmentation(_)) => &NO_CODES,
            (true, OutputKind::Score(_)) => &NO_NUMBERS,
        }
    }

    pub(crate) fn current(&self) -> Option<CurrentResult> {
        let result = self.pointer.current.and_then(|current| self.pointer.result(current))?;
        Some(result.to_current())
    }

    /// Generations that can be rolled back to, the newest first.
    pub(crate) fn kept(&self) -> Vec<GenerationId> {
        self.pointer.results.iter().rev().map(|result| result.generation).collect()
    }

    /// How many customers that are not deleted have each class; that of null means nothing.
    pub(crate) fn live_counts(&self, population: &Population) -> Vec<u64> {
        let shown = self.shown();
        let mut counts = shown.counts.clone();
        counts.resize(self.classes().count() + 1, 0);
        for ordinal in population.deleted() {
            let class = self.classes().of(shown.column.get(*ordinal));
            if let Some(count) = counts.get_mut(usize::from(class)) {
                *count = count.saturating_sub(1);
            }
        }
        counts
    }
}
