//! What others notice of plugins that misbehave: how long reads and saves take in peace, and how long beside plugins that loop, hoard,
//! flood and trap without pause.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;
use trellis_model::{Batch, Column, ColumnData, Validity};
use trellis_plugin_host::{
    CallContext, CancelFlag, Config, Plugin, PluginHost, RowStream, Supervision, yield_to_others,
};

use crate::figures::{percentile, print};
use crate::http::{read_answer, serve_ours};
use crate::setup::{Parts, caller, guest};

/// How long each measurement lasts.
const FOR: Duration = Duration::from_secs(5);
/// Connections that read, and as many that save.
const CONNECTIONS: usize = 2;
/// A pause between two requests of a connection: people are no benchmark.
const PAUSE: Duration = Duration::from_millis(5);
const ACCOUNTS: usize = 200;
/// Rows of a batch that the plugins are called with.
const ROWS: u64 = 10_000;
/// What the plugins do wrong, one after the other.
const SINS: [&str; 9] = [
    "fit-loop",
    "loop",
    "fit-memory",
    "memory",
    "stack",
    "trap",
    "huge-output",
    "log-flood",
    "wrong-lengths",
];

/// Times of requests, by what they do.
#[derive(Default)]
struct Times {
    reads: Vec<Duration>,
    saves: Vec<Duration>,
}

pub(crate) fn measure() {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().expect("a runtime");
    runtime.block_on(async {
        let parts = Parts::new().await;
        let ids = fill(&parts).await;
        let (address, _) = serve_ours(&parts).await;
        drop(requests(address, &parts.token, &ids, Duration::from_secs(1)).await);
        let quiet = requests(address, &parts.token, &ids, FOR).await;
        let hostile = Hostile::start();
        let beside = requests(address, &parts.token, &ids, FOR).await;
        let calls = hostile.stop();
        show("reads", quiet.reads, beside.reads);
        show("saves", quiet.saves, beside.saves);
        print("calls of hostile plugins meanwhile", calls as f64, "", "");
        parts.shutdown().await;
    });
}

fn show(what: &str, mut quiet: Vec<Duration>, mut beside: Vec<Duration>) {
    for (name, share) in [("p50", 0.5), ("p99", 0.99)] {
        let (quiet, beside) = (percentile(&mut quiet, share), percentile(&mut beside, share));
        let ratio = beside.as_secs_f64() / quiet.as_secs_f64().max(1e-9);
        print(
            &format!("{what} beside hostile plugins, {name}"),
            beside.as_secs_f64() * 1e3,
            "ms",
            &format!("in peace {:.2} ms: {ratio:.2} times it; aim 2", quiet.as_secs_f64() * 1e3),
        );
    }
}

async fn fill(parts: &Parts) -> Vec<String> {
    let csv = parts.folder.path().join("accounts.csv");
    let mut text = String::from("external_id,name\n");
    (0..ACCOUNTS).for_each(|number| text += &format!("c{number},Customer {number}\n"));
    std::fs::write(&csv, text).expect("a file");
    parts.import_object("account", None, &csv).await;
    let query = trellis_records::Query {
        limit: ACCOUNTS,
        ..trellis_records::Query::new("account".parse().expect("a name"))
    };
    let page = parts.records.list(&caller().scope, &query).await.expect("a list");
    page.records.iter().map(|record| record.id.to_string()).collect()
}

async fn requests(address: SocketAddr, token: &str, ids: &[String], lasting: Duration) -> Times {
    let started = Instant::now();
    let client = |number: usize, saves: bool| {
        // Each connection has records of its own, so that no save meets another.
        let own: Vec<String> = ids.iter().skip(number).step_by(CONNECTIONS).cloned().collect();
        let token = token.to_owned();
        tokio::spawn(async move {
            let mut stream = TcpStream::connect(address).await.expect("a connection");
            stream.set_nodelay(true).expect("an option");
            let (mut buffer, mut times) = (vec![0; 64 << 10], Vec::new());
            for (turn, id) in own.iter().cycle().take_while(|_| started.elapsed() < lasting).enumerate() {
                let request = request(&token, id, saves.then_some(turn));
                let asked = Instant::now();
                stream.write_all(&request).await.expect("a request");
                read_answer(&mut stream, &mut buffer).await;
                times.push(asked.elapsed());
                tokio::time::sleep(PAUSE).await;
            }
            times
        })
    };
    let clients: Vec<_> = (0..CONNECTIONS)
        .flat_map(|number| [false, true].map(|saves| (saves, client(number, saves))))
        .collect();
    let mut times = Times::default();
    for (saves, client) in clients {
        let of = if saves { &mut times.saves } else { &mut times.reads };
        of.extend(client.await.expect("a client that ends"));
    }
    times
}

/// A read of an account, or the save of that turn, which changes it.
fn request(token: &str, id: &str, saves: Option<usize>) -> Vec<u8> {
    let head = |verb: &str| {
        format!(
            "{verb} /api/v1/accounts/{id} HTTP/1.1\r\nhost: localhost\r\nauthorization: Bearer {token}\r\n"
        )
    };
    let Some(turn) = saves else { return format!("{}\r\n", head("GET")).into_bytes() };
    let body = format!("{{\"name\":\"Customer of turn {turn}\"}}");
    let length = body.len();
    format!("{}content-type: application/json\r\ncontent-length: {length}\r\n\r\n{body}", head("PATCH"))
        .into_bytes()
}

/// As many callers as there are cores, each with one sin after the other.
struct Hostile {
    stop: Arc<AtomicBool>,
    calls: Arc<AtomicU64>,
    threads: Vec<std::thread::JoinHandle<()>>,
}

impl Hostile {
    fn start() -> Self {
        let config = Config { supervision: Supervision::off(), ..Config::default() };
        let host = PluginHost::new(config).expect("a plugin host");
        let plugin = host.load(&guest("hostile")).expect("a plugin");
        let (stop, calls) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicU64::new(0)));
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        let threads = (0..cores).map(|first| {
            let (plugin, stop, calls) = (Arc::clone(&plugin), Arc::clone(&stop), Arc::clone(&calls));
            std::thread::spawn(move || {
                // As the threads of a run do.
                yield_to_others();
                let sins = SINS.iter().cycle().skip(first * 2);
                for sin in sins.take_while(|_| !stop.load(Ordering::Relaxed)) {
                    sin_once(&plugin, sin, &stop);
                    calls.fetch_add(1, Ordering::Relaxed);
                }
            })
        });
        let threads = threads.collect();
        Self { stop, calls, threads }
    }

    /// Ends them and says how many calls there were.
    fn stop(self) -> u64 {
        self.stop.store(true, Ordering::Relaxed);
        for thread in self.threads {
            thread.join().expect("a caller that ends");
        }
        self.calls.load(Ordering::Relaxed)
    }
}

fn sin_once(plugin: &Plugin, sin: &str, stop: &AtomicBool) {
    let at = CallContext {
        run_id: "bench".to_owned(),
        as_of_days: 20_000,
        now_ms: 0,
        time_zone: "UTC".to_owned(),
        base_currency: "USD".to_owned(),
        seed: 1,
    };
    let segmentation = plugin.segmentation().expect("it offers segmentation");
    // What comes of it is a fault or a result; both are fine.
    if sin.starts_with("fit-") {
        let cancel = CancelFlag::default();
        // Training may take a minute: half a second of it is enough here.
        let result = std::thread::scope(|scope| {
            let config = format!("{{\"sin\":\"{sin}\"}}");
            let (at, asked) = (&at, cancel.clone());
            let fitting = scope.spawn(move || segmentation.fit(&mut Once(true), &config, at, &asked));
            let until = Instant::now() + Duration::from_millis(500);
            while !fitting.is_finished() && Instant::now() < until && !stop.load(Ordering::Relaxed) {
                std::thread::sleep(Duration::from_millis(10));
            }
            cancel.cancel();
            fitting.join()
        });
        drop(result);
    } else {
        drop(segmentation.assign(&[], sin.as_bytes(), rows(), &at));
    }
}

fn rows() -> Batch {
    let data = ColumnData::Int64((0..ROWS.cast_signed()).collect());
    let column = Column { name: "orders".to_owned(), valid: Validity::all(), data };
    Batch { rows: ROWS as u32, ordinals: (0..ROWS).collect(), columns: vec![column] }
}

/// A stream of one batch.
struct Once(bool);

impl RowStream for Once {
    fn next(&mut self) -> Result<Option<Batch>, String> {
        Ok(std::mem::take(&mut self.0).then(rows))
    }

    fn rewind(&mut self) {
        self.0 = true;
    }

    fn rows(&self) -> u64 {
        ROWS
    }
}
