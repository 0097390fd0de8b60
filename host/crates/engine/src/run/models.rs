//! Models in the store, by the digest of their bytes, in chunks; so they are in the journal and in every backup.

use trellis_model::PluginId;
use trellis_records::Records;
use trellis_storage::{ScanRange, WriteSet};

use super::evaluator::PerInterface;
use crate::{Error, Result, keys, plugins::hex};

/// Bytes of a chunk: what the store takes as one value without complaint.
const CHUNK_BYTES: usize = 4 << 10;
/// Chunks of a write set: 3 MiB.
const CHUNKS_PER_SET: usize = 768;
/// Keys of a page when chunks are read or deleted.
const PAGE_ROWS: usize = 1_024;

/// Stores a model and returns its digest. A model that is there already costs one read.
pub(super) async fn put(records: &Records, plugin: &PluginId, bytes: &[u8]) -> Result<[u8; 32]> {
    let digest = *blake3::hash(bytes).as_bytes();
    if records.store().get(&keys::model(plugin, &digest)).await?.is_some() {
        return Ok(digest);
    }
    for (number, group) in (0_u32..).zip(bytes.chunks(CHUNK_BYTES * CHUNKS_PER_SET)) {
        let first = number * u32::try_from(CHUNKS_PER_SET).expect("a small constant");
        let mut set = WriteSet::new();
        for (chunk, bytes) in (first..).zip(group.chunks(CHUNK_BYTES)) {
            set.put(keys::model_chunk(plugin, &digest, chunk), bytes);
        }
        records.commit(set, None).await?;
    }
    // Last: a model whose length is there is whole.
    let mut set = WriteSet::new();
    set.put(keys::model(plugin, &digest), (bytes.len() as u64).to_be_bytes());
    records.commit(set, None).await?;
    Ok(digest)
}

/// Whether a model is kept.
pub(super) async fn is_kept(records: &Records, plugin: &PluginId, digest: &[u8; 32]) -> Result<bool> {
    Ok(records.store().get(&keys::model(plugin, digest)).await?.is_some())
}

/// Reads a model; `None` where it was never stored or is no longer kept.
pub(super) async fn get(records: &Records, plugin: &PluginId, digest: &[u8; 32]) -> Result<Option<Vec<u8>>> {
    if records.store().get(&keys::model(plugin, digest)).await?.is_none() {
        return Ok(None);
    }
    let mut bytes = Vec::new();
    let mut range = ScanRange::prefix(&keys::model_chunks(plugin, digest));
    loop {
        let page = records.store().scan(range.clone(), PAGE_ROWS).await?;
        page.rows.iter().for_each(|row| bytes.extend_from_slice(&row.value));
        match page.rows.last() {
            Some(last) if page.more => range = range.after(&last.key),
            _ => break,
        }
    }
    if blake3::hash(&bytes).as_bytes() == digest {
        Ok(Some(bytes))
    } else {
        Err(Error::Damaged { what: format!("model {} of plugin `{plugin}` has another digest", hex(digest)) })
    }
}

/// Reads the models of a run; `None` where one of them is no longer kept.
pub(super) async fn get_all(
    records: &Records,
    plugin: &PluginId,
    digests: &PerInterface<[u8; 32]>,
) -> Result<Option<PerInterface<Vec<u8>>>> {
    let mut models = PerInterface::default();
    for (digest, model) in
        [(&digests.segmentation, &mut models.segmentation), (&digests.scoring, &mut models.scoring)]
    {
        let Some(digest) = digest else { continue };
        *model = get(records, plugin, digest).await?;
        if model.is_none() {
            return Ok(None);
        }
    }
    Ok(Some(models))
}

/// Deletes a model.
pub(super) async fn delete(records: &Records, plugin: &PluginId, digest: &[u8; 32]) -> Result<()> {
    // First: what is half deleted is no model.
    let mut set = WriteSet::new();
    set.delete(keys::model(plugin, digest));
    records.commit(set, None).await?;
    let range = ScanRange::prefix(&keys::model_chunks(plugin, digest));
    loop {
        let page = records.store().scan(range.clone(), PAGE_ROWS).await?;
        let mut set = WriteSet::new();
        page.rows.iter().for_each(|row| {
            set.delete(row.key.to_vec());
        });
        if !set.is_empty() {
            records.commit(set, None).await?;
        }
        if !page.more {
            return Ok(());
        }
    }
}
