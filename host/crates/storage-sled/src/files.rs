//! The few things done to files, in one place, so that tests can make each of them fail.

use std::fmt;
use std::fs::{self, File};
use std::io::{self, Write};
use std::path::Path;
use std::sync::Arc;

use trellis_storage::{Error, Result};

/// What is about to be done to a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Op {
    Append,
    SyncJournal,
    SyncState,
    Replace,
}

type Fault = Arc<dyn Fn(Op) -> io::Result<()> + Send + Sync>;

/// The file operations whose failure matters.
#[derive(Clone, Default)]
pub(crate) struct Files {
    fault: Option<Fault>,
}

impl fmt::Debug for Files {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Files").field("faulty", &self.fault.is_some()).finish()
    }
}

impl Files {
    /// Files that ask `fault` before each operation.
    #[cfg(test)]
    pub(crate) fn failing(fault: impl Fn(Op) -> io::Result<()> + Send + Sync + 'static) -> Self {
        Self { fault: Some(Arc::new(fault)) }
    }

    fn before(&self, op: Op) -> io::Result<()> {
        self.fault.as_ref().map_or(Ok(()), |fault| fault(op))
    }

    pub(crate) fn append(&self, file: &mut File, bytes: &[u8]) -> io::Result<()> {
        self.before(Op::Append)?;
        file.write_all(bytes)
    }

    pub(crate) fn sync(&self, file: &File, op: Op) -> io::Result<()> {
        self.before(op)?;
        file.sync_data()
    }

    /// Gives `path` the contents `bytes`, all or nothing, durable when it returns.
    pub(crate) fn replace(&self, path: &Path, bytes: &[u8]) -> Result<()> {
        let temporary = path.with_extension("tmp");
        let written = (|| {
            self.before(Op::Replace)?;
            let mut file = File::create(&temporary)?;
            file.write_all(bytes)?;
            file.sync_all()?;
            fs::rename(&temporary, path)
        })();
        written.map_err(io_error(|| format!("cannot write `{}`", path.display())))?;
        sync_dir_of(path)
    }
}

/// Makes the entries of `dir` durable: new, renamed and removed names.
pub(crate) fn sync_dir(dir: &Path) -> Result<()> {
    let synced = File::open(dir).and_then(|dir| dir.sync_all());
    synced.map_err(io_error(|| format!("cannot sync folder `{}`", dir.display())))
}

pub(crate) fn sync_dir_of(path: &Path) -> Result<()> {
    path.parent().map_or(Ok(()), sync_dir)
}

/// Bytes that an ordinary process may still write beside `path`.
pub(crate) fn free_bytes(path: &Path) -> Result<u64> {
    let found = rustix::fs::statvfs(path).map_err(io::Error::from);
    let found =
        found.map_err(io_error(|| format!("cannot ask for the free space of `{}`", path.display())))?;
    Ok(found.f_bavail.saturating_mul(found.f_frsize))
}

/// Bytes of the files of a folder and its folders; what vanishes meanwhile counts as nothing.
pub(crate) fn bytes_of(dir: &Path) -> u64 {
    let Ok(entries) = fs::read_dir(dir) else { return 0 };
    let sizes = entries.flatten().map(|entry| match entry.metadata() {
        Ok(metadata) if metadata.is_dir() => bytes_of(&entry.path()),
        Ok(metadata) => metadata.len(),
        Err(_) => 0,
    });
    sizes.sum()
}

/// The paths in `dir` whose file name `wanted` accepts, sorted; none where there is no such folder.
pub(crate) fn list(dir: &Path, wanted: impl Fn(&str) -> bool) -> Result<Vec<std::path::PathBuf>> {
    let entries = match fs::read_dir(dir) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(io_error(|| format!("cannot list `{}`", dir.display()))(error)),
    };
    let names = entries.map(|entry| entry.map(|entry| entry.path())).collect::<io::Result<Vec<_>>>();
    let mut names = names.map_err(io_error(|| format!("cannot list `{}`", dir.display())))?;
    names.retain(|path| path.file_name().and_then(|name| name.to_str()).is_some_and(&wanted));
    names.sort();
    Ok(names)
}

/// Turns what the operating system says into [`Error::Io`].
pub(crate) fn io_error(doing: impl FnOnce() -> String) -> impl FnOnce(io::Error) -> Error {
    move |source| Error::Io { doing: doing(), source }
}

pub(crate) fn damaged(what: impl Into<String>) -> Error {
    Error::Damaged { what: what.into() }
}
