//! `row-streams`: a data set that a guest reads batch by batch.
//!
//! The guest runs on a thread of its own and the thread that called serves the rows, because a store can hold nothing borrowed. While
//! the guest works on a batch, the caller already makes the next one.

use std::sync::mpsc::{self, Receiver, Sender, SyncSender};
use std::time::Instant;

use trellis_model::Batch;
use wasmtime::component::Resource;

use super::bindings::trellis::plugin::columns::Batch as WitBatch;
use super::bindings::trellis::plugin::row_streams::{Host, HostRowStream};
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
}

/// What a guest holds: there is one stream in a call, so the handle needs no content.
#[expect(unreachable_pub, reason = "the generated code re-exports it")]
pub struct StreamHandle;

enum Request {
    Next,
    Rewind,
}

type Reply = Result<Option<Batch>, Stop>;

/// Requests of a guest that wait to be served. One that does not wait for an answer must not pile up any number of them.
const REQUESTS_WAITING_MAX: usize = 1;

/// The guest's end of the stream.
pub(crate) struct StreamClient {
    requests: SyncSender<Request>,
    replies: Receiver<Reply>,
    rows: u64,
}

/// The caller's end of the stream.
pub(crate) struct StreamServer<'a> {
    requests: Receiver<Request>,
    replies: Sender<Reply>,
    rows: &'a mut dyn RowStream,
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
    let client = StreamClient { requests: request_sender, replies: reply_receiver, rows: rows.rows() };
    (client, StreamServer { requests, replies, rows, limits: *limits, cancel: cancel.clone() })
}

impl StreamServer<'_> {
    /// Answers until the guest's end is gone.
    pub(crate) fn serve(mut self) {
        let mut ahead: Option<Reply> = None;
        while let Ok(request) = self.requests.recv() {
            match request {
                Request::Rewind => {
                    ahead = None;
                    self.rows.rewind();
                }
                Request::Next => {
                    let reply = ahead.take().unwrap_or_else(|| self.read());
                    let more = matches!(reply, Ok(Some(_)));
                    if self.replies.send(reply).is_err() {
                        return;
                    }
                    ahead = more.then(|| self.read());
                }
            }
        }
    }

    fn read(&mut self) -> Reply {
        if self.cancel.is_cancelled() {
            return Err(Stop::Cancelled);
        }
        let batch = self.rows.next().map_err(Stop::RowStream)?;
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

    fn next(&self) -> Reply {
        self.send(Request::Next)?;
        self.replies.recv().map_err(|_| Self::lost())?
    }
}

impl CallState {
    /// The stream, if the call has one. A guest without one cannot have a handle.
    fn stream(&self) -> Result<&StreamClient, Stop> {
        self.stream.as_ref().ok_or_else(StreamClient::lost)
    }
}

impl HostRowStream for CallState {
    fn next(&mut self, _stream: Resource<StreamHandle>) -> wasmtime::Result<Option<WitBatch>> {
        let began = Instant::now();
        let reply = self.stream()?.next();
        self.waited += began.elapsed();
        Ok(reply?.map(convert::batch_to_guest))
    }

    fn rewind(&mut self, _stream: Resource<StreamHandle>) -> wasmtime::Result<()> {
        self.begin_pass()?;
        let began = Instant::now();
        let sent = self.stream()?.send(Request::Rewind);
        self.waited += began.elapsed();
        Ok(sent?)
    }

    fn rows(&mut self, _stream: Resource<StreamHandle>) -> wasmtime::Result<u64> {
        Ok(self.stream()?.rows)
    }

    fn dataset(
        &mut self,
        _stream: Resource<StreamHandle>,
        _name: String,
    ) -> wasmtime::Result<Option<Resource<StreamHandle>>> {
        Ok(None)
    }

    /// Guests only borrow the stream.
    fn drop(&mut self, _stream: Resource<StreamHandle>) -> wasmtime::Result<()> {
        Ok(())
    }
}

impl Host for CallState {}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Limits;

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
            std::iter::from_fn(|| client.next().unwrap()).map(|batch| batch.ordinals[0]).collect::<Vec<_>>()
        };
        let mut rows = Counting { next: 0, reads: 0 };
        with_stream(&mut rows, &CancelFlag::default(), |client| {
            assert_eq!(ordinals(&client), [1, 2]);
            client.send(Request::Rewind).unwrap();
            client.next().unwrap();
            client.send(Request::Rewind).unwrap();
            assert_eq!(ordinals(&client), [1, 2], "what was read ahead is forgotten");
        });
        assert_eq!(rows.reads, 8);
    }

    #[test]
    fn a_guest_that_only_rewinds_waits_for_who_serves_it() {
        let mut rows = Counting { next: 0, reads: 0 };
        let (client, server) = connect(&mut rows, &Limits::default().training, &CancelFlag::default());
        for _ in 0..REQUESTS_WAITING_MAX {
            client.requests.try_send(Request::Rewind).unwrap();
        }
        assert!(client.requests.try_send(Request::Rewind).is_err(), "nobody serves: no more of them wait");
        drop(server);
        assert!(matches!(client.send(Request::Rewind), Err(Stop::RowStream(_))));
    }

    #[test]
    fn a_cancelled_call_gets_no_more_rows() {
        let cancel = CancelFlag::default();
        cancel.cancel();
        with_stream(&mut Counting { next: 0, reads: 0 }, &cancel, |client| {
            assert!(matches!(client.next(), Err(Stop::Cancelled)));
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
