use crate::{Error, Position, Result};

/// The limits on what one commit may hold. The same for every backend, so that code that fits one fits all.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of all keys and values of a write set (default 4 MiB).
    pub write_set_bytes_max: usize,
    /// Puts, deletes and adds of a write set (default 5,000).
    pub write_set_keys_max: usize,
    /// Bytes of a key (default 1 KiB).
    pub key_bytes_max: usize,
    /// Bytes of a value (default 6 KiB); callers chunk from 4 KiB on.
    pub value_bytes_max: usize,
}

impl Limits {
    /// Rows of a page that may be read on a thread that must not wait.
    pub const PAGE_ROWS_INLINE_MAX: usize = 200;
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            write_set_bytes_max: 4 << 20,
            write_set_keys_max: 5_000,
            key_bytes_max: 1 << 10,
            value_bytes_max: 6 << 10,
        }
    }
}

/// A put of a [`WriteSet`], by the order in which puts were added.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct PutIndex(pub(crate) usize);

/// An add of a [`WriteSet`], by the order in which adds were made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct AddIndex(pub(crate) usize);

/// A key and the value that it shall have.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Put {
    /// The key, before stamps.
    pub key: Vec<u8>,
    /// The value, before stamps.
    pub value: Vec<u8>,
}

/// A key that shall no longer exist. Deleting a key that does not exist is no error.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Delete {
    /// The key.
    pub key: Vec<u8>,
}

/// An atomic addition to a counter. A counter is a key whose value is eight bytes, big-endian; a missing one is 0.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Add {
    /// The counter's key.
    pub key: Vec<u8>,
    /// What is added; may be negative. Going below 0 or over `i64::MAX` is [`Error::InvalidWriteSet`].
    pub delta: i64,
}

/// Where a stamp is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StampPlace {
    /// Into the key of a put, at this byte offset.
    Key(PutIndex, usize),
    /// Into the value of a put, at this byte offset.
    Value(PutIndex, usize),
}

/// What a stamp is filled with, as eight bytes, big-endian.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StampSource {
    /// The position that the write set gets.
    Position,
    /// The value of a counter just after this add of the same write set.
    Counter(AddIndex),
}

/// Eight bytes that the writer fills in, because nobody else can know them before the commit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stamp {
    /// Where.
    pub place: StampPlace,
    /// With what.
    pub source: StampSource,
}

/// A bound on a counter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Bound {
    /// The counter is at most this before the write set.
    AtMost(u64),
    /// The counter is at least this before the write set.
    AtLeast(u64),
}

/// What a precondition demands of its key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PreconditionKind {
    /// The key does not exist.
    Absent,
    /// The key was last written by the commit at this position.
    WrittenAt(Position),
    /// The counter is within a bound.
    Counter(Bound),
}

/// A demand that must hold when the write set is applied. Write sets of one group see each other.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Precondition {
    /// The key it is about.
    pub key: Vec<u8>,
    /// What must hold.
    pub kind: PreconditionKind,
}

/// Changes that are applied together or not at all.
///
/// Within one write set adds come first, then deletes, then puts; a key that is put twice keeps the last value.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct WriteSet {
    preconditions: Vec<Precondition>,
    adds: Vec<Add>,
    deletes: Vec<Delete>,
    puts: Vec<Put>,
    stamps: Vec<Stamp>,
}

impl WriteSet {
    /// An empty write set.
    pub fn new() -> Self {
        Self::default()
    }

    /// Demands that `key` does not exist.
    pub fn expect_absent(&mut self, key: impl Into<Vec<u8>>) -> &mut Self {
        self.expect(key, PreconditionKind::Absent)
    }

    /// Demands that `key` was last written at `position`.
    pub fn expect_written_at(&mut self, key: impl Into<Vec<u8>>, position: Position) -> &mut Self {
        self.expect(key, PreconditionKind::WrittenAt(position))
    }

    /// Demands that the counter `key` is within `bound` before this write set.
    pub fn expect_counter(&mut self, key: impl Into<Vec<u8>>, bound: Bound) -> &mut Self {
        self.expect(key, PreconditionKind::Counter(bound))
    }

    fn expect(&mut self, key: impl Into<Vec<u8>>, kind: PreconditionKind) -> &mut Self {
        self.preconditions.push(Precondition { key: key.into(), kind });
        self
    }

    /// Gives `key` the value `value`.
    pub fn put(&mut self, key: impl Into<Vec<u8>>, value: impl Into<Vec<u8>>) -> PutIndex {
        self.puts.push(Put { key: key.into(), value: value.into() });
        PutIndex(self.puts.len() - 1)
    }

    /// Removes `key`.
    pub fn delete(&mut self, key: impl Into<Vec<u8>>) -> &mut Self {
        self.deletes.push(Delete { key: key.into() });
        self
    }

    /// Adds `delta` to the counter `key`. Several adds to one counter in one write set apply in order.
    pub fn add(&mut self, key: impl Into<Vec<u8>>, delta: i64) -> AddIndex {
        self.adds.push(Add { key: key.into(), delta });
        AddIndex(self.adds.len() - 1)
    }

    /// Has the writer fill eight bytes at `place` from `source`.
    pub fn stamp(&mut self, place: StampPlace, source: StampSource) -> &mut Self {
        self.stamps.push(Stamp { place, source });
        self
    }

    /// The preconditions in the order they were added.
    pub fn preconditions(&self) -> &[Precondition] {
        &self.preconditions
    }

    /// The adds in the order they were made.
    pub fn adds(&self) -> &[Add] {
        &self.adds
    }

    /// The deletes.
    pub fn deletes(&self) -> &[Delete] {
        &self.deletes
    }

    /// The puts before their stamps.
    pub fn puts(&self) -> &[Put] {
        &self.puts
    }

    /// Whether there is nothing in it. Preconditions alone are not nothing: they are a check. Either way a commit of it
    /// gets a position of its own.
    pub fn is_empty(&self) -> bool {
        self.preconditions.is_empty()
            && self.puts.is_empty()
            && self.deletes.is_empty()
            && self.adds.is_empty()
    }

    /// Bytes of all keys and values, as the limit counts them.
    pub fn bytes(&self) -> usize {
        self.puts.iter().map(|put| put.key.len() + put.value.len()).sum::<usize>()
            + self.deletes.iter().map(|delete| delete.key.len()).sum::<usize>()
            + self.adds.iter().map(|add| add.key.len() + 8).sum::<usize>()
    }

    /// Puts, deletes and adds, as the limit counts them.
    pub fn keys(&self) -> usize {
        self.puts.len() + self.deletes.len() + self.adds.len()
    }

    /// Checks the write set against `limits` and its stamps against its puts. Backends call it before anything else.
    ///
    /// # Errors
    /// Names the limit or the stamp.
    pub fn validate(&self, limits: &Limits) -> Result<()> {
        let (bytes, keys) = (self.bytes(), self.keys());
        if bytes > limits.write_set_bytes_max || keys > limits.write_set_keys_max {
            return Err(Error::WriteSetTooLarge {
                bytes,
                keys,
                bytes_max: limits.write_set_bytes_max,
                keys_max: limits.write_set_keys_max,
            });
        }
        let key_lengths = self.puts.iter().map(|put| put.key.len());
        let key_lengths = key_lengths.chain(self.deletes.iter().map(|delete| delete.key.len()));
        let longest = key_lengths.chain(self.adds.iter().map(|add| add.key.len())).max().unwrap_or(0);
        if longest > limits.key_bytes_max {
            return Err(Error::KeyTooLong { bytes: longest, bytes_max: limits.key_bytes_max });
        }
        let longest = self.puts.iter().map(|put| put.value.len()).max().unwrap_or(0);
        if longest > limits.value_bytes_max {
            return Err(Error::ValueTooLong { bytes: longest, bytes_max: limits.value_bytes_max });
        }
        self.stamps.iter().try_for_each(|stamp| self.validate_stamp(stamp))
    }

    fn validate_stamp(&self, stamp: &Stamp) -> Result<()> {
        let (index, offset) = match stamp.place {
            StampPlace::Key(PutIndex(index), offset) | StampPlace::Value(PutIndex(index), offset) => {
                (index, offset)
            }
        };
        let length = self.puts.get(index).map(|put| match stamp.place {
            StampPlace::Key(..) => put.key.len(),
            StampPlace::Value(..) => put.value.len(),
        });
        let fits = length.is_some_and(|length| offset.checked_add(8).is_some_and(|end| end <= length));
        let known = match stamp.source {
            StampSource::Position => true,
            StampSource::Counter(AddIndex(index)) => index < self.adds.len(),
        };
        if fits && known {
            Ok(())
        } else {
            Err(Error::InvalidWriteSet { reason: format!("{stamp:?} is out of bounds") })
        }
    }

    /// Returns the puts with their stamps filled in: `counters[i]` is the value after the i-th add.
    ///
    /// # Panics
    /// When called on a write set that [`WriteSet::validate`] refuses, or with too few counters.
    #[expect(clippy::indexing_slicing, reason = "validate has checked every stamp")]
    pub fn into_stamped_puts(mut self, position: Position, counters: &[u64]) -> (Vec<Put>, Vec<Delete>) {
        for stamp in &self.stamps {
            let number = match stamp.source {
                StampSource::Position => position.0,
                StampSource::Counter(AddIndex(index)) => counters[index],
            };
            let target = match stamp.place {
                StampPlace::Key(PutIndex(index), offset) => &mut self.puts[index].key[offset..offset + 8],
                StampPlace::Value(PutIndex(index), offset) => &mut self.puts[index].value[offset..offset + 8],
            };
            target.copy_from_slice(&number.to_be_bytes());
        }
        (self.puts, self.deletes)
    }
}
