use std::fs::{self, File};
use std::io::Read;
use std::path::{Path, PathBuf};

use trellis_storage::{Epoch, Result};

use super::{HEADER_BYTES, Header, segment_path};
use crate::files::{damaged, io_error, list};
use crate::frame::{self, Frame, GroupFrame, MAGIC, Place};

/// A segment file whose header is valid.
#[derive(Debug, Clone)]
pub(crate) struct Segment {
    pub(crate) path: PathBuf,
    pub(crate) header: Header,
}

/// The segment files of a store.
#[derive(Debug, Default)]
pub(crate) struct Segments {
    /// In ascending order, numbers without a gap, of one epoch.
    pub(crate) segments: Vec<Segment>,
    /// A last file that was being created when the process ended: it holds no frame and may be deleted.
    pub(crate) unfinished: Option<PathBuf>,
}

/// Lists the segments in `dir`.
///
/// # Errors
/// Names a missing segment, a damaged header, or a segment of another epoch.
pub(crate) fn list_segments(dir: &Path) -> Result<Segments> {
    let mut found = Segments::default();
    let paths = list(dir, |name| name.ends_with(".journal"))?;
    for (index, path) in paths.iter().enumerate() {
        let header = read_header(path)?;
        let Some(header) = header else {
            let bytes = fs::metadata(path).map_or(0, |metadata| metadata.len());
            if index + 1 == paths.len() && bytes <= HEADER_BYTES as u64 {
                found.unfinished = Some(path.clone());
                break;
            }
            return Err(damaged(format!(
                "journal segment `{}`: its header does not match its checksum",
                path.display()
            )));
        };
        check_successor(dir, path, found.segments.last(), &header)?;
        found.segments.push(Segment { path: path.clone(), header });
    }
    Ok(found)
}

fn read_header(path: &Path) -> Result<Option<Header>> {
    let mut bytes = Vec::with_capacity(HEADER_BYTES);
    let read = File::open(path).and_then(|file| file.take(HEADER_BYTES as u64).read_to_end(&mut bytes));
    read.map_err(io_error(|| format!("cannot read journal segment `{}`", path.display())))?;
    Ok(Header::decode(&bytes))
}

fn check_successor(dir: &Path, path: &Path, before: Option<&Segment>, header: &Header) -> Result<()> {
    if *path != segment_path(dir, header.segment) {
        let (path, segment) = (path.display(), header.segment);
        return Err(damaged(format!("journal segment `{path}` says that it is number {segment}")));
    }
    let Some(before) = before else { return Ok(()) };
    if header.epoch != before.header.epoch {
        return Err(damaged(format!(
            "journal segment `{}` is of another epoch than the one before",
            path.display()
        )));
    }
    let expected = before.header.segment + 1;
    if header.segment != expected {
        let missing = segment_path(dir, expected);
        return Err(damaged(format!("journal segment `{}` is missing", missing.display())));
    }
    Ok(())
}

/// What reading the journal to its end found.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Replayed {
    /// Where the next frame goes.
    pub(crate) end: Place,
    /// The position that the next write set gets.
    pub(crate) next_position: u64,
    /// Bytes behind `end` that are an append which never finished.
    pub(crate) torn_bytes: u64,
    /// Groups handed to `on_group`.
    pub(crate) groups: u64,
}

/// Reads every group from `start` on, the first of which begins with `next_position`.
///
/// # Errors
/// Names a segment that is missing, or file and offset of what is damaged. An append that never finished, with no valid
/// frame behind it, is no damage.
pub(crate) fn replay(
    segments: &[Segment],
    start: Place,
    next_position: u64,
    on_group: &mut dyn FnMut(&GroupFrame<'_>, Place) -> Result<()>,
) -> Result<Replayed> {
    let mut replayed = Replayed { end: start, next_position, torn_bytes: 0, groups: 0 };
    let first = segments.iter().position(|segment| segment.header.segment == start.segment);
    let Some(rest) = first.and_then(|first| segments.get(first..)) else {
        return Err(damaged(format!("journal segment {} is missing", start.segment)));
    };
    let mut offset = start.offset;
    for (index, segment) in rest.iter().enumerate() {
        if offset == HEADER_BYTES as u64 && segment.header.first_position != replayed.next_position {
            let (path, first) = (segment.path.display(), segment.header.first_position);
            let expected = replayed.next_position;
            return Err(damaged(format!(
                "journal segment `{path}` begins with position {first}, not {expected}"
            )));
        }
        let is_last = index + 1 == rest.len();
        let sealed = read_segment(segment, offset, &mut replayed, on_group)?;
        if is_last && sealed {
            let path = segment.path.with_file_name(format!("{:010}.journal", segment.header.segment + 1));
            return Err(damaged(format!("journal segment `{}` is missing", path.display())));
        }
        offset = HEADER_BYTES as u64;
    }
    Ok(replayed)
}

/// Reads one segment; returns whether a seal ends it.
fn read_segment(
    segment: &Segment,
    offset: u64,
    replayed: &mut Replayed,
    on_group: &mut dyn FnMut(&GroupFrame<'_>, Place) -> Result<()>,
) -> Result<bool> {
    let path = segment.path.display();
    let bytes =
        fs::read(&segment.path).map_err(io_error(|| format!("cannot read journal segment `{path}`")))?;
    let number = segment.header.segment;
    let mut at = Place { segment: number, offset };
    replayed.torn_bytes = 0;
    loop {
        replayed.end = at;
        let rest = usize::try_from(at.offset).ok().and_then(|offset| bytes.get(offset..));
        let rest =
            rest.ok_or_else(|| damaged(format!("journal segment `{path}` ends before byte {}", at.offset)))?;
        if rest.is_empty() {
            return Ok(false);
        }
        let (frame, length) = match frame::decode(rest, segment.header.epoch, at) {
            Ok(decoded) => decoded,
            Err(reason) if frame_follows(rest, segment.header.epoch, at) => {
                let at = at.offset;
                return Err(damaged(format!(
                    "journal segment `{path}` at byte {at}: {reason}, and valid frames follow"
                )));
            }
            Err(_) => {
                replayed.torn_bytes = rest.len() as u64;
                return Ok(false);
            }
        };
        at.offset += length as u64;
        let (first, after) = match &frame {
            Frame::Group(group) => (group.first_position, group.first_position + group.sets.len() as u64),
            Frame::Seal(next) => (*next, *next),
        };
        if first != replayed.next_position {
            let (at, expected) = (replayed.end.offset, replayed.next_position);
            return Err(damaged(format!(
                "journal segment `{path}` at byte {at}: position {first} instead of {expected}"
            )));
        }
        replayed.next_position = after;
        match frame {
            Frame::Seal(_) => {
                replayed.end = at;
                return Ok(true);
            }
            Frame::Group(group) => on_group(&group, at)?,
        }
        replayed.groups += 1;
    }
}

/// Whether a valid frame starts anywhere behind the first byte of `bytes`, which lie at `at`.
fn frame_follows(bytes: &[u8], epoch: Epoch, at: Place) -> bool {
    let starts = bytes.windows(MAGIC.len()).enumerate().skip(1).filter(|(_, window)| **window == MAGIC);
    let mut frames = starts.filter_map(|(index, _)| {
        let at = Place { offset: at.offset + index as u64, ..at };
        frame::decode(bytes.get(index..)?, epoch, at).ok()
    });
    frames.next().is_some()
}
