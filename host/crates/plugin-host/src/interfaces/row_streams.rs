//! `row-streams`: data sets that a guest reads batch by batch: the one that it is called with, and those that it opens besides.
//!
//! The guest runs on a thread of its own and the thread that called serves the rows, because a store can hold nothing borrowed. While
//! the guest works on a batch, the caller already makes the next one.

use std::collections::BTreeMap;
use std::sync::mpsc::{self, Receiver, Sender, SyncSender};
use std::time::Instant;

use trellis_model::{Batch, Text};
use wasmtime::component::Resource;

use super::bindings::trellis::plugin::columns::Batch as WitBatch;
use super::bindings::trellis::plugin::row_streams::{self as wit, Host, HostRowStream};
use crate::call::{CallState, CancelFlag, Stop};
use crate::{ClassLimits, convert};

/// A data set that the host can read several times.
pub trait RowStream: Send {
    /// Returns the next batch, or `None` at the end. Called one batch ahead of the plugin.
    ///
    /// # Errors
    /// A text for the admin. The call ends with [`crate::Error::RowStream`]; it is not the plugin's fault.
    fn next(&mut self) -> std::result::Result<Option<Batch>, String>;

    /// Goes back to the first batch. The second pass gives the same rows.
    fn rewind(&mut self);

    /// How many rows a pass gives. The budget of the call depends on it.
    fn rows(&self) -> u64;

    /// The name that the plugin declares it under; `None` where it has none. Opened by this name again it gives a call no more time.
    fn name(&self) -> Option<&str> {
        None
    }

    /// What the columns are, in their order, in words for people. Nothing is known of them unless the source says so.
    fn columns(&self) -> Vec<ColumnDescription> {
        Vec::new()
    }

    /// Opens another dataset of the plugin, of the same moment; `None` where the plugin declares none of that name. Only the stream that a
    /// call was made with is asked.
    ///
    /// # Errors
    /// As [`RowStream::next`].
    fn dataset(&mut self, name: &str) -> std::result::Result<Option<Box<dyn RowStream>>, String> {
        let _ = name;
        Ok(None)
    }
}

/// What a column of a data set is, in words.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ColumnDescription {
    /// Its name within batches.
    pub name: String,
    /// What people call it.
    pub label: Text,
    /// The unit of its field for people; may be empty.
    pub unit: Text,
    /// The values of a choice, each with what people call it.
    pub options: Vec<(String, Text)>,
}

/// What a guest holds. Its number says which stream of the call it is, so the handle needs no content.
#[expect(unreachable_pub, reason = "the generated code re-exports it")]
pub struct StreamHandle;

/// The stream that a call was made with.
const FIRST: u32 = 0;

enum Request {
    Next(u32),
    Rewind(u32),
    Columns(u32),
    Open { id: u32, name: String },
    Close(u32),
}

enum Answer {
    Batch(Option<Batch>),
    /// How many rows a pass of it gives; `None` where there is no such dataset.
    Opened(Option<u64>),
    Columns(Vec<ColumnDescription>),
}

type Reply = Result<Answer, Stop>;
type Read = Result<Option<Batch>, Stop>;

/// Requests of a guest that wait to be served. One that does not wait for an answer must not pile up any number of them.
const REQUESTS_WAITING_MAX: usize = 1;

/// The guest's end of the streams.
pub(crate) struct StreamClient {
    requests: SyncSender<Request>,
    replies: Receiver<Reply>,
    /// What the stream is called that the call was made with.
    own: Option<String>,
    /// How many rows a pass gives, of each stream that is open.
    open: BTreeMap<u32, u64>,
    /// The number of the stream that is opened next: none is used twice.
    next_id: u32,
}

/// The caller's end of the streams.
pub(crate) struct StreamServer<'a> {
    requests: Receiver<Request>,
    replies: Sender<Reply>,
    first: (&'a mut dyn RowStream, Ahead),
    opened: BTreeMap<u32, (Box<dyn RowStream>, Ahead)>,
    reading: Reading,
}

/// The batch of a stream that was read ahead.
#[derive(Default)]
struct Ahead(Option<Read>);

/// What ends reading.
#[derive(Clone)]
struct Reading {
    limits: ClassLimits,
    cancel: CancelFlag,
}

/// Connects a guest to the rows that it reads.
pub(crate) fn connect<'a>(
    rows: &'a mut dyn RowStream,
    limits: &ClassLimits,
    cancel: &CancelFlag,
) -> (StreamClient, StreamServer<'a>) {
    let (request_sender, requests) = mpsc::sync_channel(REQUESTS_WAITING_MAX);
    let (replies, reply_receiver) = mpsc::channel();
    let open = BTreeMap::from([(FIRST, rows.rows())]);
    let own = rows.name().map(str::to_owned);
    let client =
        StreamClient { requests: request_sender, replies: reply_receiver, own, open, next_id: FIRST + 1 };
    let first = (rows, Ahead::default());
    let reading = Reading { limits: *limits, cancel: cancel.clone() };
    (client, StreamServer { requests, replies, first, opened: BTreeMap::new(), reading })
}

impl StreamServer<'_> {
    /// Answers until the guest's end is gone.
    pub(crate) fn serve(mut self) {
        while let Ok(request) = self.requests.recv() {
            match request {
                Request::Rewind(id) => match self.stream(id) {
                    Some((rows, ahead)) => ahead.rewind(rows),
                    // Nothing waits for an answer: the next request finds nobody.
                    None => return,
                },
                Request::Next(id) => self.next(id),
                Request::Columns(id) => {
                    let columns = self.stream(id).map(|(rows, _)| Answer::Columns(rows.columns()));
                    drop(self.replies.send(columns.ok_or_else(StreamClient::lost)));
                }
                Request::Open { id, name } => {
                    let opened = self.open(id, &name);
                    drop(self.replies.send(opened.map(Answer::Opened)));
                }
                Request::Close(id) => drop(self.opened.remove(&id)),
            }
        }
    }

    fn stream(&mut self, id: u32) -> Option<(&mut dyn RowStream, &mut Ahead)> {
        match id {
            FIRST => Some((&mut *self.first.0, &mut self.first.1)),
            id => self.opened.get_mut(&id).map(|(rows, ahead)| (rows.as_mut() as &mut dyn RowStream, ahead)),
        }
    }

    /// Answers with the next batch, and reads the one after it while the guest works. A guest that is gone is noticed with its next request.
    fn next(&mut self, id: u32) {
        let (reading, replies) = (self.reading.clone(), self.replies.clone());
        let Some((rows, ahead)) = self.stream(id) else {
            drop(replies.send(Err(StreamClient::lost())));
            return;
        };
        let read = ahead.0.take().unwrap_or_else(|| reading.read(rows));
        let more = matches!(read, Ok(Some(_)));
        let sent = replies.send(read.map(Answer::Batch));
        if more && sent.is_ok() {
            ahead.0 = Some(reading.read(rows));
        }
    }

    fn open(&mut self, id: u32, name: &str) -> Result<Option<u64>, Stop> {
        self.reading.check()?;
        let Some(rows) = self.first.0.dataset(name).map_err(Stop::RowStream)? else { return Ok(None) };
        let count = rows.rows();
        self.opened.insert(id, (rows, Ahead::default()));
        Ok(Some(count))
    }
}

impl Ahead {
    fn rewind(&mut self, rows: &mut dyn RowStream) {
        self.0 = None;
        rows.rewind();
    }
}

impl Reading {
    fn check(&self) -> Result<(), Stop> {
        if self.cancel.is_cancelled() { Err(Stop::Cancelled) } else { Ok(()) }
    }

    fn read(&self, rows: &mut dyn RowStream) -> Read {
        self.check()?;
        let batch = rows.next().map_err(Stop::RowStream)?;
        if let Some(batch) = &batch {
            check_size(batch, &self.limits)?;
        }
        Ok(batch)
    }
}

/// Whether a batch is within the limits of its class.
pub(crate) fn check_size(batch: &Batch, limits: &ClassLimits) -> Result<(), Stop> {
    let check = |found: u64, limit: u64, unit| {
        if found > limit { Err(Stop::BatchTooLarge { found, limit, unit }) } else { Ok(()) }
    };
    check(batch.rows.into(), limits.rows_max.into(), "rows")?;
    check(batch.bytes() as u64, limits.columns_bytes_max, "bytes")
}

impl StreamClient {
    /// The caller's end lives as long as the guest's thread, unless the row stream panicked.
    fn lost() -> Stop {
        Stop::RowStream("the row stream ended early".to_owned())
    }

    fn send(&self, request: Request) -> Result<(), Stop> {
        self.requests.send(request).map_err(|_| Self::lost())
    }

    fn ask(&self, request: Request) -> Reply {
        self.send(request)?;
        self.replies.recv().map_err(|_| Self::lost())?
    }

    fn next(&self, id: u32) -> Read {
        match self.ask(Request::Next(id))? {
            Answer::Batch(batch) => Ok(batch),
            Answer::Opened(_) | Answer::Columns(_) => Err(Self::lost()),
        }
    }

    fn columns(&self, id: u32) -> Result<Vec<ColumnDescription>, Stop> {
        match self.ask(Request::Columns(id))? {
            Answer::Columns(columns) => Ok(columns),
            Answer::Batch(_) | Answer::Opened(_) => Err(Self::lost()),
        }
    }

    /// Opens a dataset; returns the number of its stream and how many rows it has.
    fn open(&mut self, name: String, streams_max: u32) -> Result<Option<(u32, u64)>, Stop> {
        if self.open.len() >= streams_max as usize {
            return Err(Stop::Streams);
        }
        let id = self.next_id;
        self.next_id = id.checked_add(1).ok_or(Stop::Streams)?;
        match self.ask(Request::Open { id, name })? {
            Answer::Opened(Some(rows)) => {
                self.open.insert(id, rows);
                Ok(Some((id, rows)))
            }
            Answer::Opened(None) => Ok(None),
            Answer::Batch(_) | Answer::Columns(_) => Err(Self::lost()),
        }
    }

    fn close(&mut self, id: u32) -> Result<(), Stop> {
        match self.open.remove(&id) {
            Some(_) => self.send(Request::Close(id)),
            None => Ok(()),
        }
    }
}

impl CallState {
    /// The streams, if the call has any. A guest without one cannot have a handle.
    fn streams(&mut self) -> Result<&mut StreamClient, Stop> {
        self.stream.as_mut().ok_or_else(StreamClient::lost)
    }

    /// Asks something of the caller's end. The time until it answers is not the guest's.
    fn waiting<T>(&mut self, ask: impl FnOnce(&mut StreamClient) -> Result<T, Stop>) -> Result<T, Stop> {
        let began = Instant::now();
        let answer = self.streams().and_then(ask);
        self.waited += began.elapsed();
        answer
    }
}

impl HostRowStream for CallState {
    fn next(&mut self, stream: Resource<StreamHandle>) -> wasmtime::Result<Option<WitBatch>> {
        let batch = self.waiting(|streams| streams.next(stream.rep()))?;
        Ok(batch.map(convert::batch_to_guest))
    }

    fn rewind(&mut self, stream: Resource<StreamHandle>) -> wasmtime::Result<()> {
        self.begin_pass()?;
        Ok(self.waiting(|streams| streams.send(Request::Rewind(stream.rep())))?)
    }

    fn rows(&mut self, stream: Resource<StreamHandle>) -> wasmtime::Result<u64> {
        let rows = self.streams()?.open.get(&stream.rep()).copied();
        Ok(rows.ok_or_else(StreamClient::lost)?)
    }

    fn columns(&mut self, stream: Resource<StreamHandle>) -> wasmtime::Result<Vec<wit::ColumnDescription>> {
        let columns = self.waiting(|streams| streams.columns(stream.rep()))?;
        Ok(columns.into_iter().map(convert::column_description).collect())
    }

    /// Opening a dataset begins a pass of it, and is counted as one.
    fn dataset(
        &mut self,
        _stream: Resource<StreamHandle>,
        name: String,
    ) -> wasmtime::Result<Option<Resource<StreamHandle>>> {
        self.begin_pass()?;
        let streams_max = self.streams_max();
        let asked = name.clone();
        let opened = self.waiting(|streams| streams.open(asked, streams_max))?;
        let Some((id, rows)) = opened else { return Ok(None) };
        // The call has had the time for its own rows from the start.
        if self.streams()?.own.as_ref() != Some(&name) {
            self.add_dataset(name, rows);
        }
        Ok(Some(Resource::new_own(id)))
    }

    /// Guests only borrow the stream that they are called with, and own those that they opened.
    fn drop(&mut self, stream: Resource<StreamHandle>) -> wasmtime::Result<()> {
        Ok(self.waiting(|streams| streams.close(stream.rep()))?)
    }
}

impl Host for CallState {}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::call::Call;
    use crate::interfaces::host_lookups::LookupDesk;
    use crate::{LimitClass, Limits};

    struct Counting {
        next: u64,
        reads: u64,
    }

    impl RowStream for Counting {
        fn next(&mut self) -> Result<Option<Batch>, String> {
            self.reads += 1;
            self.next += 1;
            match self.next {
                1..=2 => Ok(Some(Batch { rows: 1, ordinals: vec![self.next], columns: Vec::new() })),
                3 => Ok(None),
                _ => Err("read beyond the end".to_owned()),
            }
        }

        fn rewind(&mut self) {
            self.next = 0;
        }

        fn rows(&self) -> u64 {
            2
        }

        fn name(&self) -> Option<&str> {
            Some("customers")
        }

        fn dataset(&mut self, name: &str) -> Result<Option<Box<dyn RowStream>>, String> {
            match name {
                "others" | "customers" => Ok(Some(Box::new(Self { next: 0, reads: 0 }))),
                "broken" => Err("the disk is gone".to_owned()),
                _ => Ok(None),
            }
        }
    }

    /// Serves `rows` while `guest` plays the guest's part.
    fn with_stream(rows: &mut Counting, cancel: &CancelFlag, guest: impl FnOnce(StreamClient) + Send) {
        let limits = Limits::default().training;
        let (client, server) = connect(rows, &limits, cancel);
        std::thread::scope(|scope| {
            scope.spawn(move || guest(client));
            server.serve();
        });
    }

    #[test]
    fn a_second_pass_gives_the_same_rows() {
        let ordinals = |client: &StreamClient| {
            std::iter::from_fn(|| client.next(FIRST).unwrap())
                .map(|batch| batch.ordinals[0])
                .collect::<Vec<_>>()
        };
        let mut rows = Counting { next: 0, reads: 0 };
        with_stream(&mut rows, &CancelFlag::default(), |client| {
            assert_eq!(ordinals(&client), [1, 2]);
            client.send(Request::Rewind(FIRST)).unwrap();
            client.next(FIRST).unwrap();
            client.send(Request::Rewind(FIRST)).unwrap();
            assert_eq!(ordinals(&client), [1, 2], "what was read ahead is forgotten");
        });
        assert_eq!(rows.reads, 8);
    }

    #[test]
    fn a_guest_that_only_rewinds_waits_for_who_serves_it() {
        let mut rows = Counting { next: 0, reads: 0 };
        let (client, server) = connect(&mut rows, &Limits::default().training, &CancelFlag::default());
        for _ in 0..REQUESTS_WAITING_MAX {
            client.requests.try_send(Request::Rewind(FIRST)).unwrap();
        }
        assert!(
            client.requests.try_send(Request::Rewind(FIRST)).is_err(),
            "nobody serves: no more of them wait"
        );
        drop(server);
        assert!(matches!(client.send(Request::Rewind(FIRST)), Err(Stop::RowStream(_))));
    }

    #[test]
    fn streams_of_a_call_are_read_apart() {
        let ordinal = |client: &StreamClient, id| client.next(id).unwrap().map(|batch| batch.ordinals[0]);
        let mut rows = Counting { next: 0, reads: 0 };
        with_stream(&mut rows, &CancelFlag::default(), |mut client| {
            let (one, rows) = client.open("others".to_owned(), 3).unwrap().unwrap();
            let (two, _) = client.open("others".to_owned(), 3).unwrap().unwrap();
            assert_eq!((rows, one, two), (2, 1, 2));
            assert_eq!([FIRST, one, FIRST, two].map(|id| ordinal(&client, id)), [1, 1, 2, 1].map(Some));
            client.send(Request::Rewind(one)).unwrap();
            assert_eq!([FIRST, one, two, two].map(|id| ordinal(&client, id)), [None, Some(1), Some(2), None]);
            assert!(matches!(client.open("others".to_owned(), 3), Err(Stop::Streams)), "three are open");
            client.close(two).unwrap();
            client.close(two).unwrap();
            assert!(matches!(client.next(two), Err(Stop::RowStream(_))), "it is closed");
            let (three, _) = client.open("others".to_owned(), 3).unwrap().unwrap();
            assert_eq!((three, ordinal(&client, three)), (3, Some(1)), "no number is used twice");
        });
        assert_eq!(rows.reads, 3, "what others read is theirs");
    }

    #[test]
    fn a_dataset_gives_a_call_the_time_for_its_rows_once() {
        let mut rows = Counting { next: 0, reads: 0 };
        with_stream(&mut rows, &CancelFlag::default(), |client| {
            let limits = Limits::default().training;
            let call = Call::new("analyse", LimitClass::Training).rows(2);
            let mut state =
                CallState::new(&call, &limits, crate::Config::default().parts(), LookupDesk::closed());
            state.stream = Some(client);
            for name in ["customers", "others", "others", "customers"] {
                let opened = state.dataset(Resource::new_own(FIRST), name.to_owned()).unwrap();
                assert!(opened.is_some(), "{name}");
            }
            assert_eq!(state.finish(None).1.rows, 4, "two of its own, and two others");
        });
    }

    #[test]
    fn a_stream_that_is_not_open_is_neither_read_nor_rewound() {
        for request in [Request::Next(7), Request::Rewind(7)] {
            with_stream(&mut Counting { next: 0, reads: 0 }, &CancelFlag::default(), |client| {
                let is_next = matches!(request, Request::Next(_));
                let asked = client.send(request).and_then(|()| match is_next {
                    true => client.replies.recv().map_err(|_| StreamClient::lost())?.map(drop),
                    false => client.next(FIRST).map(drop),
                });
                assert!(matches!(asked, Err(Stop::RowStream(_))));
            });
        }
    }

    #[test]
    fn a_dataset_that_is_not_there_or_cannot_be_read_is_said() {
        with_stream(&mut Counting { next: 0, reads: 0 }, &CancelFlag::default(), |mut client| {
            assert!(client.open("carts".to_owned(), 9).unwrap().is_none());
            let broken = client.open("broken".to_owned(), 9);
            assert!(matches!(broken, Err(Stop::RowStream(why)) if why == "the disk is gone"));
            assert_eq!(client.open.len(), 1);
        });
    }

    #[test]
    fn a_cancelled_call_gets_no_more_rows() {
        let cancel = CancelFlag::default();
        cancel.cancel();
        with_stream(&mut Counting { next: 0, reads: 0 }, &cancel, |client| {
            assert!(matches!(client.next(FIRST), Err(Stop::Cancelled)));
        });
    }

    #[test]
    fn a_batch_over_the_limit_is_the_hosts_fault() {
        let limits = ClassLimits { rows_max: 1, ..Limits::default().training };
        let batch = Batch { rows: 2, ordinals: vec![1, 2], columns: Vec::new() };
        assert!(matches!(
            check_size(&batch, &limits),
            Err(Stop::BatchTooLarge { found: 2, limit: 1, unit: "rows" })
        ));
    }
}
