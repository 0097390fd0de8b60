use std::fs::File;
use std::io::{self, BufRead, BufReader, BufWriter, Read, Write};
use std::path::{Path, PathBuf};

use trellis_storage::{Epoch, Result};

use crate::bytes::{Reader, crc, length_u32};
use crate::files::{damaged, io_error};
use crate::frame::Place;
use crate::state::StoredRow;
use crate::sums::Sums;

const MAGIC: [u8; 8] = *b"TRLSSNAP";
const FORMAT: u16 = 1;
/// Magic, format, epoch, checksum.
const HEADER_BYTES: usize = 8 + 2 + 16 + 4;
/// A block is written once it holds this much.
const BLOCK_BYTES: usize = 256 << 10;
/// No valid block is larger: a full one, and a row of the largest key and value there can be.
const BLOCK_BYTES_MAX: u32 = 64 << 20;
const KIND_ROWS: u8 = 1;
const KIND_TRAILER: u8 = 2;

/// The end of a snapshot, which says what it is a snapshot of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Trailer {
    /// Every commit up to here is in it.
    pub(crate) from: u64,
    /// No commit after here is in it.
    pub(crate) to: u64,
    /// Where the journal goes on after `from`.
    pub(crate) place: Place,
    pub(crate) rows: u64,
    /// Of all rows as of `to`, which is what snapshot and journal up to there lead to.
    pub(crate) sums: Sums,
}

impl Trailer {
    fn encode(&self) -> Vec<u8> {
        let mut bytes = Vec::new();
        for field in [self.from, self.to, self.place.segment, self.place.offset, self.rows] {
            bytes.extend(field.to_be_bytes());
        }
        self.sums.encode(&mut bytes);
        bytes
    }

    fn decode(body: &[u8]) -> Option<Self> {
        let mut reader = Reader::new(body);
        let (from, to) = (reader.u64()?, reader.u64()?);
        let place = Place { segment: reader.u64()?, offset: reader.u64()? };
        let (rows, sums) = (reader.u64()?, Sums::decode(&mut reader)?);
        reader.is_empty().then_some(Self { from, to, place, rows, sums })
    }
}

/// Writes a snapshot file, block by block.
#[derive(Debug)]
pub(super) struct Writer {
    path: PathBuf,
    file: BufWriter<File>,
    epoch: Epoch,
    blocks: u64,
    rows: u64,
    body: Vec<u8>,
}

impl Writer {
    pub(super) fn create(path: &Path, epoch: Epoch) -> Result<Self> {
        let mut header = MAGIC.to_vec();
        header.extend(FORMAT.to_be_bytes());
        header.extend(epoch.0);
        header.extend(crc(&[&header]).to_be_bytes());
        let created = File::create(path).map(BufWriter::new).and_then(|mut file| {
            file.write_all(&header)?;
            Ok(file)
        });
        let file = created.map_err(io_error(|| format!("cannot create `{}`", path.display())))?;
        Ok(Self { path: path.to_owned(), file, epoch, blocks: 0, rows: 0, body: Vec::new() })
    }

    pub(super) fn write(&mut self, rows: &[StoredRow]) -> Result<()> {
        for row in rows {
            self.body.extend(length_u32(&row.key).to_be_bytes());
            self.body.extend(length_u32(&row.stored).to_be_bytes());
            self.body.extend_from_slice(&row.key);
            self.body.extend_from_slice(&row.stored);
            self.rows += 1;
            if self.body.len() >= BLOCK_BYTES {
                self.write_block(KIND_ROWS)?;
            }
        }
        Ok(())
    }

    /// Writes the end, with the number of rows filled in, and makes the file durable. Returns that number.
    pub(super) fn finish(mut self, trailer: Trailer) -> Result<u64> {
        if !self.body.is_empty() {
            self.write_block(KIND_ROWS)?;
        }
        self.body = Trailer { rows: self.rows, ..trailer }.encode();
        self.write_block(KIND_TRAILER)?;
        let finished = self.file.flush().and_then(|()| self.file.get_ref().sync_all());
        finished.map_err(io_error(|| format!("cannot write `{}`", self.path.display())))?;
        Ok(self.rows)
    }

    fn write_block(&mut self, kind: u8) -> Result<()> {
        let mut head = vec![kind];
        head.extend(length_u32(&self.body).to_be_bytes());
        head.extend(block_checksum(self.epoch, self.blocks, kind, &self.body).to_be_bytes());
        let written = self.file.write_all(&head).and_then(|()| self.file.write_all(&self.body));
        written.map_err(io_error(|| format!("cannot write `{}`", self.path.display())))?;
        self.blocks += 1;
        self.body.clear();
        Ok(())
    }
}

/// The block's number is part of the checksum, so that no block can stand in for another.
fn block_checksum(epoch: Epoch, number: u64, kind: u8, body: &[u8]) -> u32 {
    crc(&[&epoch.0, &number.to_be_bytes(), &[kind], &length_u32(body).to_be_bytes(), body])
}

/// Takes a row: its key, then its position and value.
pub(crate) type OnRow<'a> = dyn FnMut(&[u8], &[u8]) -> Result<()> + 'a;

/// Reads a whole snapshot, handing each row to `on_row`.
///
/// # Errors
/// [`trellis_storage::Error::Damaged`] names the file and the byte at which it stops being what was written.
pub(crate) fn read(path: &Path, epoch: Epoch, on_row: &mut OnRow<'_>) -> Result<Trailer> {
    let open = File::open(path).map_err(io_error(|| format!("cannot read `{}`", path.display())))?;
    let mut file = BufReader::with_capacity(BLOCK_BYTES, open);
    let broken = |at: u64, what: &str| damaged(format!("snapshot `{}` at byte {at}: {what}", path.display()));
    let header: [u8; HEADER_BYTES] =
        read_array(&mut file).map_err(|_| broken(0, "it has no whole header"))?;
    check_header(&header, epoch).map_err(|what| broken(0, what))?;

    let (mut at, mut rows) = (HEADER_BYTES as u64, 0);
    for number in 0.. {
        let (kind, body) = read_block(&mut file, epoch, number).map_err(|what| broken(at, what))?;
        if kind == KIND_TRAILER {
            let trailer = Trailer::decode(&body).ok_or_else(|| broken(at, "its end is not readable"))?;
            let complete = trailer.rows == rows && file.fill_buf().is_ok_and(<[u8]>::is_empty);
            return if complete {
                Ok(trailer)
            } else {
                Err(broken(at, "rows are missing, or bytes follow the end"))
            };
        }
        let mut reader = Reader::new(&body);
        while !reader.is_empty() {
            let (key, stored) = read_row(&mut reader).ok_or_else(|| broken(at, "a row is not readable"))?;
            on_row(key, stored)?;
            rows += 1;
        }
        at += 9 + body.len() as u64;
    }
    Err(broken(at, "it has no end"))
}

fn check_header(header: &[u8; HEADER_BYTES], epoch: Epoch) -> Result<(), &'static str> {
    let mut reader = Reader::new(header);
    let fields = (reader.array(), reader.u16(), reader.array(), reader.u32());
    let (Some(magic), Some(format), Some(found), Some(expected)) = fields else {
        return Err("it has no whole header");
    };
    let contents = header.split_last_chunk::<4>().map_or(&[][..], |(contents, _)| contents);
    if crc(&[contents]) != expected || magic != MAGIC || format != FORMAT {
        return Err("its header does not match its checksum");
    }
    if Epoch(found) == epoch { Ok(()) } else { Err("it is of another epoch") }
}

fn read_block(file: &mut BufReader<File>, epoch: Epoch, number: u64) -> Result<(u8, Vec<u8>), &'static str> {
    let head: [u8; 9] = read_array(file).map_err(|_| "it ends without its last block")?;
    let mut reader = Reader::new(&head);
    let (Some(kind), Some(length), Some(expected)) = (reader.u8(), reader.u32(), reader.u32()) else {
        return Err("it ends without its last block");
    };
    if length > BLOCK_BYTES_MAX {
        return Err("a block's length is not readable");
    }
    let mut body = vec![0; length as usize];
    file.read_exact(&mut body).map_err(|_| "it ends within a block")?;
    if block_checksum(epoch, number, kind, &body) != expected {
        return Err("a block does not match its checksum");
    }
    Ok((kind, body))
}

fn read_row<'a>(reader: &mut Reader<'a>) -> Option<(&'a [u8], &'a [u8])> {
    let (key, stored) = (reader.u32()?, reader.u32()?);
    Some((reader.take(key as usize)?, reader.take(stored as usize)?))
}

fn read_array<const N: usize>(file: &mut impl Read) -> io::Result<[u8; N]> {
    let mut bytes = [0; N];
    file.read_exact(&mut bytes)?;
    Ok(bytes)
}
