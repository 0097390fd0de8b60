//! The writer: the one thread that decides about commits. It groups those that wait, makes them durable with one append
//! and sync, shows them to readers, and answers.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use tokio::sync::{mpsc, oneshot};
use trellis_storage::{Change, Committed, Error, Position, Result, Versioned, WriteSet};

use crate::files::free_bytes;
use crate::filter::{self, Filter};
use crate::frame::encode_group;
use crate::journal::{AppendError, Journal};
use crate::overlay::{Changes, Entry, bytes_of};
use crate::shared::{Group, Shared};
use crate::sums::{Digester, Sums};

/// How often the free space is looked at.
const SPACE_INTERVAL: Duration = Duration::from_millis(200);

/// What the writer is asked for.
#[derive(Debug)]
pub(crate) enum Work {
    Commit(Request),
    /// Go on in a new segment; answers its number.
    Rotate(oneshot::Sender<Result<u64>>),
}

/// A commit that waits.
#[derive(Debug)]
pub(crate) struct Request {
    pub(crate) set: WriteSet,
    pub(crate) answer: oneshot::Sender<Result<Committed>>,
}

/// A commit whose outcome is known, to be told once the group is durable.
type Answer = (oneshot::Sender<Result<Committed>>, Result<Committed>);

pub(crate) struct Writer {
    shared: Arc<Shared>,
    journal: Journal,
    next_position: u64,
    digester: Digester,
    /// Look-ups that found nothing before there was a filter.
    misses: u64,
    filling: Option<JoinHandle<()>>,
    frame: Vec<u8>,
    space_checked: Option<Instant>,
    free_bytes: u64,
}

/// The group that is being put together.
#[derive(Default)]
struct Draft {
    sets: Vec<Vec<Change>>,
    changes: Changes,
    sums: Sums,
    answers: Vec<Answer>,
}

impl Writer {
    pub(crate) fn new(shared: Arc<Shared>, journal: Journal) -> Self {
        let next_position = shared.head.load(Ordering::Acquire) + 1;
        Self {
            shared,
            journal,
            next_position,
            digester: Digester::default(),
            misses: 0,
            filling: None,
            frame: Vec::new(),
            space_checked: None,
            free_bytes: u64::MAX,
        }
    }

    /// Runs until every sender is gone and everything sent is answered.
    pub(crate) fn run(mut self, mut work: mpsc::Receiver<Work>) {
        let sets_max = self.shared.config.group_write_sets_max.max(1);
        let mut received = Vec::new();
        let mut waiting = VecDeque::new();
        let mut rotations = Vec::new();
        loop {
            if waiting.is_empty() && work.blocking_recv_many(&mut received, sets_max) == 0 {
                break;
            }
            while waiting.len() + received.len() < sets_max
                && let Ok(next) = work.try_recv()
            {
                received.push(next);
            }
            for next in received.drain(..) {
                match next {
                    Work::Commit(request) => waiting.push_back(request),
                    Work::Rotate(answer) => rotations.push(answer),
                }
            }
            if !waiting.is_empty() {
                self.write_group(&mut waiting);
                self.make_filter();
            }
            for answer in rotations.drain(..) {
                _ = answer.send(self.rotate());
            }
        }
        if let Some(filling) = self.filling.take() {
            // A panic has been reported by the panic hook already; without the filter everything is looked up.
            _ = filling.join();
        }
        self.shared.queue.end();
    }

    /// Makes the filter, and has it filled while every commit from now on adds its keys.
    fn make_filter(&mut self) {
        let config = &self.shared.config;
        if self.misses < config.filter_after_misses || config.filter_bytes == 0 || self.filling.is_some() {
            return;
        }
        self.shared.filter.get_or_init(|| Filter::new(config.filter_bytes));
        let shared = Arc::clone(&self.shared);
        let fill = move || {
            if let Some(filter) = shared.filter.get()
                && let Err(error) = filter::fill(&shared, filter)
            {
                tracing::error!(%error, "no filter for keys that do not exist");
            }
        };
        match thread::Builder::new().name("store-filter".into()).spawn(fill) {
            Ok(filling) => self.filling = Some(filling),
            Err(error) => {
                tracing::error!(%error, "cannot start a thread that fills the filter");
                self.misses = 0;
            }
        }
    }

    /// Takes a group's worth of requests and answers them.
    fn write_group(&mut self, waiting: &mut VecDeque<Request>) {
        if let Err(error) = self.wait_for_room().and_then(|()| self.check_space()) {
            for request in waiting.drain(..) {
                _ = request.answer.send(Err(same_refusal(&error)));
            }
            return;
        }
        let mut draft = Draft::default();
        let mut bytes = 0;
        while bytes < self.shared.config.group_bytes_max
            && draft.answers.len() < self.shared.config.group_write_sets_max.max(1)
            && let Some(request) = waiting.pop_front()
        {
            bytes += request.set.bytes();
            let outcome = self.add_to(&mut draft, request.set);
            draft.answers.push((request.answer, outcome));
        }
        let written = if draft.sets.is_empty() { Ok(()) } else { self.write(&mut draft) };
        for (answer, outcome) in draft.answers {
            let outcome = match &written {
                Ok(()) => outcome,
                Err(error) => Err(same_refusal(error)),
            };
            // A caller that went away has its commit all the same.
            _ = answer.send(outcome);
        }
    }

    /// Evaluates `set` on top of everything before it, earlier write sets of the group included.
    fn add_to(&mut self, draft: &mut Draft, set: WriteSet) -> Result<Committed> {
        let position = Position(self.next_position + draft.sets.len() as u64);
        let shared = &self.shared;
        let evaluated = set.evaluate(position, |key| read(shared, &draft.changes, key))?;
        for change in &evaluated.changes {
            // The journal says by how much a group changes counts and digests, so that they never depend on what sled claims
            // to have replaced. A failure here leaves the draft half filled, but it also stops the store.
            match read(shared, &draft.changes, &change.key)? {
                Some(before) => {
                    let digest = self.digester.row(&change.key, before.position.0, &before.value);
                    draft.sums.remove_row(&change.key, digest);
                }
                None => self.misses += 1,
            }
            if let Some(value) = &change.value {
                draft.sums.add_row(&change.key, self.digester.row(&change.key, position.0, value));
            }
            let entry = Entry { position: position.0, value: change.value.clone() };
            draft.changes.insert(Arc::clone(&change.key), entry);
        }
        draft.sets.push(evaluated.changes);
        Ok(Committed { position, counters: evaluated.counters })
    }

    /// Makes the draft durable, then visible.
    fn write(&mut self, draft: &mut Draft) -> Result<()> {
        self.shared.check_running()?;
        self.journal.rotate_if_full(self.next_position).map_err(|error| self.append_failed(error))?;
        self.frame.clear();
        let (epoch, at) = (self.shared.epoch, self.journal.end());
        encode_group(&mut self.frame, epoch, at, self.next_position, &draft.sums, &draft.sets);
        let started = Instant::now();
        let place = self.journal.append(&self.frame).map_err(|error| self.append_failed(error))?;
        let figures = &self.shared.figures;
        figures.journal_sync.add_since(started);
        figures.groups.fetch_add(1, Ordering::Relaxed);
        figures.commits.fetch_add(draft.sets.len() as u64, Ordering::Relaxed);
        self.shared.snapshots.journal_grew(self.frame.len());

        self.next_position += draft.sets.len() as u64;
        let last_position = self.next_position - 1;
        let changes = std::mem::take(&mut draft.changes);
        let bytes = bytes_of(&changes);
        let sums = std::mem::take(&mut draft.sums);
        if let Some(filter) = self.shared.filter.get() {
            changes.keys().for_each(|key| filter.add(key));
        }
        self.shared.assigned.store(last_position, Ordering::Release);
        self.shared.overlay.insert(&changes);
        self.shared.queue.push(Arc::new(Group { last_position, place, sums, changes, bytes }));
        self.shared.head.store(last_position, Ordering::Release);
        Ok(())
    }

    /// Ends the segment. The applier is told with a group of nothing, so that its place leaves the segment too.
    fn rotate(&mut self) -> Result<u64> {
        self.shared.check_running()?;
        self.journal.rotate(self.next_position).map_err(|error| self.append_failed(error))?;
        let (last_position, place) = (self.next_position - 1, self.journal.end());
        let (sums, changes) = (Sums::default(), Changes::new());
        self.shared.queue.push(Arc::new(Group { last_position, place, sums, changes, bytes: 0 }));
        Ok(place.segment)
    }

    fn append_failed(&self, error: AppendError) -> Error {
        match error {
            AppendError::Full(_) => {
                let free_bytes = free_bytes(&self.shared.dir).unwrap_or(0);
                Error::DiskFull { free_bytes, free_bytes_min: self.shared.config.free_bytes_min }
            }
            AppendError::Fatal(reason) => self.shared.stop(&reason),
        }
    }

    /// Waits while the overlay is over its limit.
    fn wait_for_room(&self) -> Result<()> {
        let queue = &self.shared.queue;
        let mut waiting = queue.waiting.lock();
        while waiting.bytes >= self.shared.config.overlay_bytes_max {
            self.shared.check_running()?;
            queue.progress.wait_for(&mut waiting, Duration::from_secs(1));
        }
        drop(waiting);
        self.shared.check_running()
    }

    /// Refuses commits while the disk is nearly full.
    fn check_space(&mut self) -> Result<()> {
        let free_bytes_min = self.shared.config.free_bytes_min;
        if free_bytes_min > 0 && self.space_checked.is_none_or(|checked| checked.elapsed() >= SPACE_INTERVAL)
        {
            self.free_bytes = free_bytes(&self.shared.dir)?;
            self.space_checked = Some(Instant::now());
        }
        if self.free_bytes < free_bytes_min {
            return Err(Error::DiskFull { free_bytes: self.free_bytes, free_bytes_min });
        }
        Ok(())
    }
}

fn read(shared: &Shared, draft: &Changes, key: &[u8]) -> Result<Option<Versioned>> {
    match draft.get(key) {
        Some(Entry { position, value }) => {
            Ok(value.clone().map(|value| Versioned { position: Position(*position), value }))
        }
        None => shared.read(key),
    }
}

/// The refusal of a whole group, once for each of its callers.
fn same_refusal(error: &Error) -> Error {
    match error {
        Error::DiskFull { free_bytes, free_bytes_min } => {
            Error::DiskFull { free_bytes: *free_bytes, free_bytes_min: *free_bytes_min }
        }
        Error::Io { doing, source } => Error::Io { doing: doing.clone(), source: source.kind().into() },
        Error::Stopped { reason } => Error::Stopped { reason: reason.clone() },
        other => Error::Stopped { reason: other.to_string() },
    }
}
