//! One generation of the index: a folder that begins empty and is filled from all records, then follows the log.
//!
//! A commit of tantivy is atomic and carries the log number up to which it has everything, so that an end at any moment leaves the last
//! commit and what to go on from.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use tantivy::indexer::{IndexWriterOptions, LogMergePolicy};
use tantivy::schema::{FAST, Field, INDEXED, IndexRecordOption, Schema, TextFieldIndexing, TextOptions};
use tantivy::{Index, IndexReader, IndexWriter, ReloadPolicy, TantivyDocument, Term};
use trellis_model::{Fields, ObjectId, RecordId};

use crate::document::{Part, TextFields};
use crate::error::guarded;
use crate::view::View;
use crate::{Config, Error, Result};

/// Grows whenever the same text is taken apart otherwise, or the fields of the index change: an index of another number is built anew.
const FORMAT: u32 = 1;
/// The share of deleted documents from which on a part of the index is written anew.
const DELETED_SHARE_MAX: f32 = 0.3;

/// What a commit says about itself.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Commit {
    format: u32,
    /// The store's epoch.
    epoch: String,
    /// Number of the last log entry that is in.
    pub(crate) log: u64,
    /// Up to this number records may be in before the entry that created them is.
    pub(crate) scanned: u64,
    /// How the fields of each object were taken apart.
    pub(crate) objects: Arc<BTreeMap<u32, TextFields>>,
}

/// The fields of a document.
#[derive(Debug, Clone, Copy)]
struct Columns {
    id: Field,
    object: Field,
    high: Field,
    low: Field,
    title: Field,
    plain: Field,
    personal: Field,
}

/// A generation that can be written.
pub(crate) struct Generation {
    folder: PathBuf,
    columns: Columns,
    writer: IndexWriter,
    reader: IndexReader,
    /// As the next commit will say it.
    pub(crate) commit: Commit,
    /// Documents added or deleted since the last commit.
    pub(crate) pending: usize,
}

impl std::fmt::Debug for Generation {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Generation({})", self.folder.display())
    }
}

impl Generation {
    /// Begins a generation in an empty folder.
    pub(crate) fn create(folder: &Path, epoch: String, log: u64, config: &Config) -> Result<Self> {
        fs::create_dir_all(folder).map_err(|source| Error::Io {
            doing: "create folder",
            path: folder.to_path_buf(),
            source,
        })?;
        let index = Index::create_in_dir(folder, schema())?;
        let commit = Commit { format: FORMAT, epoch, log, scanned: log, objects: Arc::default() };
        Self::over(folder, index, commit, config)
    }

    /// Opens a generation as its last commit left it; `None` where there is none that follows this store's log.
    pub(crate) fn open(folder: &Path, epoch: &str, log_head: u64, config: &Config) -> Result<Option<Self>> {
        let index = Index::open_in_dir(folder)?;
        let payload = index.load_metas()?.payload;
        let commit = payload.and_then(|payload| serde_json::from_str::<Commit>(&payload).ok());
        let commit = commit.filter(|commit| {
            commit.format == FORMAT
                && commit.epoch == epoch
                && commit.log <= log_head
                && index.schema() == schema()
        });
        commit.map(|commit| Self::over(folder, index, commit, config)).transpose()
    }

    fn over(folder: &Path, index: Index, commit: Commit, config: &Config) -> Result<Self> {
        let schema = index.schema();
        let columns = Columns {
            id: schema.get_field("id")?,
            object: schema.get_field("object")?,
            high: schema.get_field("id_high")?,
            low: schema.get_field("id_low")?,
            title: schema.get_field("title")?,
            plain: schema.get_field("plain")?,
            personal: schema.get_field("personal")?,
        };
        let options = IndexWriterOptions::builder()
            .memory_budget_per_thread(config.writer_heap_bytes)
            .num_worker_threads(1)
            .num_merge_threads(1)
            .build();
        let writer: IndexWriter = index.writer_with_options(options)?;
        let mut policy = LogMergePolicy::default();
        policy.set_del_docs_ratio_before_merge(DELETED_SHARE_MAX);
        writer.set_merge_policy(Box::new(policy));
        let reader = index.reader_builder().reload_policy(ReloadPolicy::Manual).try_into()?;
        Ok(Self { folder: folder.to_path_buf(), columns, writer, reader, commit, pending: 0 })
    }

    /// How the fields of an object are taken apart, as far as this generation has met it.
    pub(crate) fn fields_of(&self, object: ObjectId) -> Option<&TextFields> {
        self.commit.objects.get(&object.0)
    }

    /// Takes the fields of an object apart in this way from now on.
    pub(crate) fn set_fields(&mut self, object: ObjectId, fields: TextFields) {
        Arc::make_mut(&mut self.commit.objects).insert(object.0, fields);
    }

    /// Adds a record that is not in, as [`Generation::set_fields`] said.
    pub(crate) fn add(&mut self, object: ObjectId, id: RecordId, fields: &Fields) -> Result<()> {
        let Some(words) =
            self.fields_of(object).map(|uses| uses.words(fields)).filter(|words| !words.is_empty())
        else {
            return Ok(());
        };
        let (high, low) = id.0.as_u64_pair();
        let mut document = TantivyDocument::new();
        document.add_bytes(self.columns.id, id.as_bytes());
        document.add_u64(self.columns.object, u64::from(object.0));
        document.add_u64(self.columns.high, high);
        document.add_u64(self.columns.low, low);
        for part in Part::ALL {
            let (column, text) = match part {
                Part::Title => (self.columns.title, &words.title),
                Part::Plain => (self.columns.plain, &words.plain),
                Part::Personal => (self.columns.personal, &words.personal),
            };
            if !text.is_empty() {
                document.add_text(column, text);
            }
        }
        self.writer.add_document(document)?;
        self.pending += 1;
        Ok(())
    }

    /// Takes a record out, if it is in.
    pub(crate) fn remove(&mut self, id: RecordId) {
        self.writer.delete_term(Term::from_field_bytes(self.columns.id, id.as_bytes()));
        self.pending += 1;
    }

    /// Makes durable what was added and removed, and shows it.
    pub(crate) fn commit(&mut self) -> Result<View> {
        let payload = serde_json::to_string(&self.commit).expect("numbers and texts");
        let mut prepared = self.writer.prepare_commit()?;
        prepared.set_payload(&payload);
        prepared.commit()?;
        self.pending = 0;
        self.view()
    }

    /// The last commit for readers.
    pub(crate) fn view(&self) -> Result<View> {
        let parts = [self.columns.title, self.columns.plain, self.columns.personal];
        guarded(|| {
            self.reader.reload()?;
            View::new(&self.reader.searcher(), &parts, &self.commit, self.folder.clone())
        })
    }

    pub(crate) fn folder(&self) -> &Path {
        &self.folder
    }
}

fn schema() -> Schema {
    let mut schema = Schema::builder();
    schema.add_bytes_field("id", INDEXED);
    for column in ["object", "id_high", "id_low"] {
        schema.add_u64_field(column, FAST);
    }
    let words = TextFieldIndexing::default()
        .set_tokenizer("whitespace")
        .set_index_option(IndexRecordOption::Basic)
        .set_fieldnorms(false);
    for part in ["title", "plain", "personal"] {
        schema.add_text_field(part, TextOptions::default().set_indexing_options(words.clone()));
    }
    schema.build()
}
