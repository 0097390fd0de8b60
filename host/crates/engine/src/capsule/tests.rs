use trellis_model::{Batch, Column, ColumnData, RecordId, TextColumn, Validity};
use uuid::Uuid;

use super::*;

fn header() -> Header {
    Header {
        epoch: [1; 16],
        run: [2; 16],
        plugin: "value-pyramid".to_owned(),
        version: "1.0.0".to_owned(),
        plugin_digest: [3; 32],
        config: "{}".to_owned(),
        at: At {
            as_of_day: 10_134,
            now_ms: 1,
            time_zone: "Asia/Shanghai".to_owned(),
            base_currency: "CNY".to_owned(),
            seed: u64::MAX,
        },
        log_number: 7,
        position: 9,
        campaign: Vec::new(),
    }
}

/// Every kind of column, `rows` rows from an ordinal on.
fn batch_from(first: u64, rows: u32) -> Batch {
    let count = rows as usize;
    let texts = || (0..count).map(|row| format!("text {row}")).collect::<TextColumn>();
    let valid = Validity::from_flags((0..count).map(|row| row % 3 != 1));
    let data = [
        ColumnData::Float64((0..rows).map(|row| f64::from(row) / 3.0).collect()),
        ColumnData::Int64((0..i64::from(rows)).map(|row| -row).collect()),
        ColumnData::Boolean(vec![1; count]),
        ColumnData::Date(vec![i32::MIN; count]),
        ColumnData::Time(vec![i64::MAX; count]),
        ColumnData::Money { currency: "EUR".to_owned(), minor_units: vec![-1; count] },
        ColumnData::Text(texts()),
        ColumnData::Dictionary { codes: vec![0; count], values: texts() },
        ColumnData::Reference(vec![u64::MAX; count]),
    ];
    let column = |(number, data)| Column { name: format!("c{number}"), valid: valid.clone(), data };
    Batch {
        rows,
        ordinals: (0..u64::from(rows)).map(|row| first + 2 * row).collect(),
        columns: data.into_iter().enumerate().map(column).collect(),
    }
}

fn inputs(batch: &Batch) -> Vec<u8> {
    let bounds = (*batch.ordinals.first().unwrap(), *batch.ordinals.last().unwrap());
    encode(Kind::Inputs, bounds, &crate::stored::encode(&StoredBatch::from(batch))).unwrap()
}

struct Folder {
    dir: tempfile::TempDir,
    capsules: Capsules,
}

impl Folder {
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let capsules = Capsules::open(dir.path().join("capsules"), |_| true, |_| false).unwrap();
        Self { dir, capsules }
    }

    fn files(&self) -> Vec<PathBuf> {
        fs::read_dir(self.dir.path().join("capsules")).unwrap().map(|entry| entry.unwrap().path()).collect()
    }

    /// A capsule of two batches, and its digest.
    fn filled(&self) -> [u8; 32] {
        let mut writer = self.capsules.create(&header(), u64::MAX).unwrap();
        writer.write(&inputs(&batch_from(10, 5))).unwrap();
        writer.write(&inputs(&batch_from(1_000, 3))).unwrap();
        writer.write(&encode(Kind::Results, (10, 18), b"results").unwrap()).unwrap();
        writer.finish(&End { rows: 8, outputs_digest: [5; 32] }).unwrap().0
    }
}

#[test]
fn what_was_written_comes_back() {
    let folder = Folder::new();
    let digest = folder.filled();
    let mut reader = folder.capsules.verified(&digest).unwrap();
    assert_eq!(reader.header(), &header());
    assert_eq!(reader.end().unwrap(), End { rows: 8, outputs_digest: [5; 32] });
    assert_eq!(reader.next(Kind::Results).unwrap().unwrap().bytes, b"results");
    let mut read = folder.capsules.reader(&digest).unwrap().into_inputs(8);
    for _ in 0..2 {
        assert_eq!(read.next().unwrap(), Some(batch_from(10, 5)));
        assert_eq!(read.next().unwrap(), Some(batch_from(1_000, 3)));
        assert_eq!(read.next().unwrap(), None);
        read.rewind().unwrap();
    }
}

#[test]
fn the_batch_of_an_ordinal_is_found_without_the_others() {
    let folder = Folder::new();
    let mut reader = folder.capsules.reader(&folder.filled()).unwrap();
    let mut at = |ordinal| reader.of_ordinal(Kind::Inputs, ordinal).unwrap().map(|frame| frame.ordinals);
    assert_eq!(at(1_002), Some((1_000, 1_004)));
    assert_eq!(at(10), Some((10, 18)), "an earlier one is found after a later one");
    assert_eq!(at(500), None);
}

#[test]
fn every_damaged_byte_is_noticed() {
    let folder = Folder::new();
    let digest = folder.filled();
    let path = folder.files().pop().unwrap();
    let whole = fs::read(&path).unwrap();
    for place in (0..whole.len()).step_by(7) {
        let mut damaged = whole.clone();
        damaged[place] ^= 0x10;
        fs::write(&path, damaged).unwrap();
        let why = folder.capsules.verified(&digest).unwrap_err();
        assert!(why.0.en.contains("damaged"), "byte {place}: {}", why.0.en);
    }
    fs::write(&path, &whole[..whole.len() - 3]).unwrap();
    assert!(folder.capsules.verified(&digest).unwrap_err().0.en.contains("another digest"));
    fs::remove_file(&path).unwrap();
    assert_eq!(folder.capsules.verified(&digest).unwrap_err().0.en, "its capsule is missing");
}

#[test]
fn a_damaged_frame_is_noticed_without_reading_the_whole_file() {
    let folder = Folder::new();
    let digest = folder.filled();
    let path = folder.files().pop().unwrap();
    let mut bytes = fs::read(&path).unwrap();
    let first = encode(Kind::Header, (0, 0), &crate::stored::encode(&reader::Opening::V1(header()))).unwrap();
    // Within the content of the first batch.
    bytes[first.len() + 60] ^= 1;
    fs::write(&path, bytes).unwrap();
    let mut reader = folder.capsules.reader(&digest).unwrap();
    let why = reader.of_ordinal(Kind::Inputs, 10).unwrap_err();
    assert_eq!(why.0.en, "its capsule is damaged: a frame has another checksum");
    assert!(reader.of_ordinal(Kind::Inputs, 1_000).unwrap().is_some(), "the others can be read");
}

#[test]
fn a_capsule_over_the_limit_leaves_nothing() {
    let folder = Folder::new();
    let mut writer = folder.capsules.create(&header(), 300).unwrap();
    let why = writer.write(&inputs(&batch_from(0, 100))).unwrap_err();
    assert!(why.0.en.contains("over 300 bytes (`engine.capsule_bytes_max`)"), "{}", why.0.en);
    drop(writer);
    assert_eq!(folder.files(), [] as [PathBuf; 0]);
}

#[test]
fn what_is_not_listed_goes_when_the_folder_is_opened() {
    let folder = Folder::new();
    let digest = folder.filled();
    let dir = folder.dir.path().join("capsules");
    fs::write(dir.join(RecordId(Uuid::nil()).to_string()).with_extension(GENERATING), b"half").unwrap();
    Capsules::open(dir.clone(), |name| name == hex(&digest), |_| false).unwrap();
    assert_eq!(folder.files().len(), 1, "the listed one stays");
    Capsules::open(dir, |_| false, |_| false).unwrap();
    assert_eq!(folder.files().len(), 0);
}

#[tokio::test]
async fn inputs_go_after_so_many_days() {
    use trellis_records::{Config, Records, SystemClock, SystemIds};
    use trellis_storage::{MemoryStore, WriteSet};
    let (clock, ids) = (std::sync::Arc::new(SystemClock), std::sync::Arc::new(SystemIds::default()));
    let store = std::sync::Arc::new(MemoryStore::new());
    let records = Records::open(store, clock, ids, Config::default()).await.unwrap();
    let dir = tempfile::tempdir().unwrap();
    let capsules = Capsules::open(dir.path().join("capsules"), |_| true, |_| false).unwrap();
    let plugin = trellis_model::PluginId::new("made-up").unwrap();
    let day_ms = 86_400_000;
    let of_day = |day: u64| {
        let high = (day * day_ms) << 16 | 0x7000;
        trellis_model::RecordId(uuid::Uuid::from_u64_pair(high, 1 << 63 | day))
    };
    for (day, digest) in [(10, [1; 32]), (11, [2; 32])] {
        let mut set = WriteSet::new();
        super::entry(&mut set, &plugin, of_day(day), &digest);
        records.commit(set, None).await.unwrap();
    }
    let retention = |days_max| super::Retention { days_max, bytes_max: u64::MAX };
    let now_ms = 15 * i64::try_from(day_ms).unwrap();
    let expire =
        async |days_max| super::expire(&records, &capsules, retention(days_max), now_ms).await.unwrap();
    assert_eq!(expire(0).await, 0, "without end");
    assert_eq!(expire(5).await, 0, "not more than five days");
    assert_eq!(expire(4).await, 1);
    assert_eq!(super::digest_of(&records, &plugin, of_day(10)).await.unwrap(), None);
    assert_eq!(super::digest_of(&records, &plugin, of_day(11)).await.unwrap(), Some([2; 32]));
}
