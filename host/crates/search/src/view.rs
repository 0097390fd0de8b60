//! A commit of the index as readers see it, and how a query runs over it.
//!
//! Tantivy's own queries score by word statistics, which differ from one merge of the index to the next. Here a score says only where the
//! words were found: so the same records always come in the same order.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use tantivy::columnar::ColumnValues;
use tantivy::fastfield::AliveBitSet;
use tantivy::postings::TermInfo;
use tantivy::schema::{Field, IndexRecordOption};
use tantivy::{DocId, DocSet, InvertedIndexReader, Searcher, SegmentReader, TERMINATED};
use trellis_model::{ObjectId, RecordId};
use uuid::Uuid;

use crate::Result;
use crate::document::{Part, TextFields};
use crate::error::guarded;
use crate::generation::Commit;
use crate::text::{Query, Term};

/// What the query being the whole title adds to a score.
const WHOLE_TITLE: u32 = 4;
/// Lists of a word that are looked into for each candidate; more of them are read whole.
const SEEK_LISTS_MAX: usize = 16;

/// What can be found at some moment.
pub(crate) struct View {
    segments: Vec<Segment>,
    /// How the fields of each object were taken apart.
    pub(crate) objects: Arc<BTreeMap<u32, TextFields>>,
    /// The folder of its generation.
    pub(crate) folder: PathBuf,
}

impl std::fmt::Debug for View {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "View({} segments)", self.segments.len())
    }
}

/// A record that a query finds. The greatest is the best; of equally good ones the newest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Match {
    pub(crate) score: u32,
    pub(crate) id: RecordId,
    pub(crate) object: ObjectId,
}

/// Where to look.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Within<'a> {
    pub(crate) parts: &'a [Part],
    /// Ascending; none is all.
    pub(crate) objects: Option<&'a [ObjectId]>,
    pub(crate) prefix_words_max: usize,
}

/// What was found, and whether it is all.
#[derive(Debug, Default)]
pub(crate) struct Found {
    pub(crate) matches: Vec<Match>,
    pub(crate) cut: bool,
}

struct Segment {
    parts: BTreeMap<Part, Arc<InvertedIndexReader>>,
    alive: Option<AliveBitSet>,
    object: Arc<dyn ColumnValues<u64>>,
    high: Arc<dyn ColumnValues<u64>>,
    low: Arc<dyn ColumnValues<u64>>,
}

/// The lists of records that a term stands for, each with what it adds to the score.
#[derive(Default)]
struct Lists<'a> {
    lists: Vec<(&'a InvertedIndexReader, TermInfo, u32)>,
    records: u64,
}

/// Documents in ascending order with their scores.
type Scored = Vec<(DocId, u32)>;

impl View {
    pub(crate) fn new(
        searcher: &Searcher,
        parts: &[Field; 3],
        commit: &Commit,
        folder: PathBuf,
    ) -> Result<Self> {
        let segments = searcher.segment_readers().iter().map(|reader| Segment::new(reader, parts));
        let segments = segments.collect::<Result<_>>()?;
        Ok(Self { segments, objects: Arc::clone(&commit.objects), folder })
    }

    /// Adds what a query finds, in no order.
    pub(crate) fn find(&self, query: &Query, within: &Within<'_>, found: &mut Found) -> Result<()> {
        guarded(|| self.segments.iter().try_for_each(|segment| segment.find(query, within, found)))
    }
}

impl Segment {
    fn new(reader: &SegmentReader, parts: &[Field; 3]) -> Result<Self> {
        let column = |name| reader.fast_fields().column_first_or_default::<u64>(name);
        let parts =
            Part::ALL.into_iter().zip(parts).map(|(part, field)| Ok((part, reader.inverted_index(*field)?)));
        Ok(Self {
            parts: parts.collect::<Result<_>>()?,
            alive: reader.alive_bitset().cloned(),
            object: column("object")?,
            high: column("id_high")?,
            low: column("id_low")?,
        })
    }

    fn find(&self, query: &Query, within: &Within<'_>, found: &mut Found) -> Result<()> {
        let mut scored = Scored::new();
        for terms in &query.any_of {
            scored.append(&mut self.with_all(terms, within, &mut found.cut)?);
        }
        if query.any_of.len() > 1 {
            keep_best(&mut scored);
        }
        if scored.is_empty() {
            return Ok(());
        }
        if let Some(titles) = self.parts.get(&Part::Title).filter(|_| within.parts.contains(&Part::Title))
            && let Some(term) = titles.terms().get(&query.whole)?
        {
            let whole = Lists { records: 0, lists: vec![(titles, term, WHOLE_TITLE)] };
            add(&mut scored, &whole.read()?);
        }
        for (document, score) in scored {
            let object = ObjectId(u32::try_from(self.object.get_val(document)).unwrap_or(u32::MAX));
            let wanted = within.objects.is_none_or(|objects| objects.binary_search(&object).is_ok());
            if wanted && self.alive.as_ref().is_none_or(|alive| alive.is_alive(document)) {
                let id = Uuid::from_u64_pair(self.high.get_val(document), self.low.get_val(document));
                found.matches.push(Match { score, id: RecordId(id), object });
            }
        }
        Ok(())
    }

    /// The documents that have all terms, with the sum of what each adds.
    fn with_all(&self, terms: &[Term], within: &Within<'_>, cut: &mut bool) -> Result<Scored> {
        let mut all = Vec::with_capacity(terms.len());
        for term in terms {
            let lists = self.lists(term, within, cut)?;
            if lists.lists.is_empty() {
                return Ok(Scored::new());
            }
            all.push(lists);
        }
        all.sort_by_key(|lists| lists.records);
        let mut all = all.into_iter();
        let mut scored = all.next().map(|lists| lists.read()).transpose()?.unwrap_or_default();
        for lists in all {
            if scored.is_empty() {
                break;
            }
            scored = if lists.lists.len() <= SEEK_LISTS_MAX {
                lists.among(&scored)?
            } else {
                both(&scored, &lists.read()?)
            };
        }
        Ok(scored)
    }

    fn lists(&self, term: &Term, within: &Within<'_>, cut: &mut bool) -> Result<Lists<'_>> {
        let mut lists = Lists::default();
        for part in within.parts {
            let Some(words) = self.parts.get(part) else { continue };
            let (exact, begins) = if *part == Part::Title { (3, 2) } else { (1, 0) };
            if !term.prefix {
                if let Some(found) = words.terms().get(&term.text)? {
                    lists.push(words, &found, exact);
                }
                continue;
            }
            // No byte of a text is 255.
            let end = [term.text.as_bytes(), &[255]].concat();
            let mut all = words.terms().range().ge(&term.text).lt(&end).into_stream()?;
            let mut count = 0;
            while all.advance() {
                count += 1;
                if count > within.prefix_words_max {
                    *cut = true;
                    break;
                }
                let score = if all.key().len() == term.text.len() { exact } else { begins };
                lists.push(words, all.value(), score);
            }
        }
        Ok(lists)
    }
}

impl<'a> Lists<'a> {
    fn push(&mut self, words: &'a InvertedIndexReader, term: &TermInfo, score: u32) {
        self.records += u64::from(term.doc_freq);
        self.lists.push((words, term.clone(), score));
    }

    /// All documents of the lists.
    fn read(&self) -> Result<Scored> {
        let mut scored = Scored::with_capacity(usize::try_from(self.records).unwrap_or_default());
        for (words, term, score) in &self.lists {
            let mut block = words.read_block_postings_from_terminfo(term, IndexRecordOption::Basic)?;
            while !block.docs().is_empty() {
                scored.extend(block.docs().iter().map(|document| (*document, *score)));
                block.advance();
            }
        }
        if self.lists.len() > 1 {
            keep_best(&mut scored);
        }
        Ok(scored)
    }

    /// Those of some documents that are in the lists.
    fn among(&self, scored: &Scored) -> Result<Scored> {
        let mut best: Vec<Option<u32>> = vec![None; scored.len()];
        for (words, term, score) in &self.lists {
            let mut list = words.read_postings_from_terminfo(term, IndexRecordOption::Basic)?;
            for ((document, _), best) in scored.iter().zip(&mut best) {
                if list.doc() < *document && list.seek(*document) == TERMINATED {
                    break;
                }
                if list.doc() == *document {
                    *best = (*best).max(Some(*score));
                }
            }
        }
        let kept = scored.iter().zip(best);
        Ok(kept.filter_map(|((document, sum), best)| Some((*document, sum + best?))).collect())
    }
}

/// Brings documents in order and keeps the best score of each.
fn keep_best(scored: &mut Scored) {
    scored.sort_unstable_by(|(a, a_score), (b, b_score)| a.cmp(b).then(b_score.cmp(a_score)));
    scored.dedup_by_key(|(document, _)| *document);
}

/// The documents that are in both, with the sums of their scores.
fn both(a: &Scored, b: &Scored) -> Scored {
    let mut b = b.iter().copied().peekable();
    let kept = a.iter().filter_map(|(document, score)| {
        while b.next_if(|(other, _)| other < document).is_some() {}
        b.next_if(|(other, _)| other == document).map(|(_, more)| (*document, score + more))
    });
    kept.collect()
}

/// Adds the scores of those documents that are there.
fn add(scored: &mut Scored, more: &Scored) {
    let mut more = more.iter().copied().peekable();
    for (document, score) in scored {
        while more.next_if(|(other, _)| other < document).is_some() {}
        *score += more.next_if(|(other, _)| other == document).map_or(0, |(_, more)| more);
    }
}
