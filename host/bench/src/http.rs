//! What our handlers cost beside a handler that answers from memory, over the same connections in the same process.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use futures_util::future::BoxFuture;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;
use trellis_http::{AppState, Health, HealthCheck, axum};

use crate::figures::{per_second, print};
use crate::setup::Parts;

const FOR: Duration = Duration::from_secs(3);
const CONNECTIONS: usize = 8;
const ACCOUNTS: usize = 10_000;
const LIST: &str = "/api/v1/accounts?limit=50";
const FILTERED: &str = "/api/v1/accounts?limit=50&filter[country]=CN";

pub(crate) fn measure() {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().expect("a runtime");
    runtime.block_on(async {
        let parts = Parts::new().await;
        let id = fill(&parts).await;
        let ((ours, _), bare) = (serve_ours(&parts).await, serve_bare(&parts, &id).await);
        let one = format!("/api/v1/accounts/{id}");
        let requested = [
            ("read-one", one.as_str(), "/one", "aim 0.5"),
            ("list-50", LIST, "/list", ""),
            ("list-50, indexed filter", FILTERED, "/list", ""),
        ];
        for (name, path, bare_path, aim) in requested {
            let bare_rate = requests(bare, bare_path, &parts.token).await;
            let rate = requests(ours, path, &parts.token).await;
            print(
                name,
                rate,
                "req/s",
                &format!("bare axum {bare_rate:.0}: {:.2} of it; {aim}", rate / bare_rate),
            );
        }
        let hop = requests(bare, "/hop", &parts.token).await;
        let none = requests(bare, "/none", &parts.token).await;
        print(
            "a hop to a blocking thread adds",
            (1.0 / hop - 1.0 / none) * 1e6 * 2.0,
            "µs",
            "of both cores' time a request",
        );
        parts.shutdown().await;
    });
}

/// Accounts of which every tenth is in China; returns the id of one.
async fn fill(parts: &Parts) -> String {
    let csv = parts.folder.path().join("accounts.csv");
    let mut text = String::from("external_id,name,country,city\n");
    for number in 0..ACCOUNTS {
        let country = if number % 10 == 0 { "CN" } else { "US" };
        text += &format!("c{number},Customer {number},{country},City {}\n", number % 100);
    }
    std::fs::write(&csv, text).expect("a file");
    let object: trellis_model::ObjectName = "account".parse().expect("a name");
    parts.import_object("account", None, &csv).await;
    let field = "external_id".parse().expect("a name");
    let value = trellis_model::Value::Text("c5000".into());
    let found = parts
        .records
        .find_by(&trellis_model::Scope::everything(), &object, &field, &value)
        .await
        .expect("a read");
    found.expect("an imported account").id.to_string()
}

pub(crate) async fn serve_ours(parts: &Parts) -> (SocketAddr, JoinHandle<()>) {
    let state = AppState {
        records: Arc::clone(&parts.records),
        columns: Arc::clone(&parts.columns),
        engine: Arc::clone(&parts.engine),
        access: Arc::clone(&parts.access),
        health: Arc::new(Well),
        workbench: Arc::new(trellis_http::NoWorkbench),
        config: trellis_http::Config::default(),
    };
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let address = listener.local_addr().expect("bound");
    (address, tokio::spawn(trellis_http::serve(listener, state, std::future::pending())))
}

/// Answers with the bytes that our server answers with, without doing anything for them.
async fn serve_bare(parts: &Parts, id: &str) -> SocketAddr {
    use axum::{Router, routing::get};
    let (ours, _) = serve_ours(parts).await;
    let one = body(ours, &format!("/api/v1/accounts/{id}"), &parts.token).await;
    let list = body(ours, LIST, &parts.token).await;
    let answer = |bytes: axum::body::Bytes| ([("content-type", "application/json")], bytes);
    let router = Router::new()
        .route(
            "/one",
            get(move || {
                let bytes = one.clone();
                async move { answer(bytes) }
            }),
        )
        .route(
            "/list",
            get(move || {
                let bytes = list.clone();
                async move { answer(bytes) }
            }),
        )
        .route("/none", get(|| async { "" }))
        .route("/hop", get(|| async { tokio::task::spawn_blocking(|| "").await.expect("no panic") }));
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let address = listener.local_addr().expect("bound");
    tokio::spawn(async move { axum::serve(listener, router).await });
    address
}

/// Requests a second over a few connections that are kept open.
async fn requests(address: SocketAddr, path: &str, token: &str) -> f64 {
    let started = Instant::now();
    let clients = (0..CONNECTIONS).map(|_| {
        let request = request(path, token);
        tokio::spawn(async move {
            let mut stream = TcpStream::connect(address).await.expect("a connection");
            stream.set_nodelay(true).expect("an option");
            let (mut buffer, mut count) = (vec![0; 256 << 10], 0);
            while started.elapsed() < FOR {
                stream.write_all(&request).await.expect("a request");
                read_answer(&mut stream, &mut buffer).await;
                count += 1;
            }
            count
        })
    });
    let mut count = 0;
    for client in clients.collect::<Vec<_>>() {
        count += client.await.expect("a client that ends");
    }
    per_second(count, started.elapsed())
}

fn request(path: &str, token: &str) -> Vec<u8> {
    let path = path.replace('[', "%5B").replace(']', "%5D");
    format!("GET {path} HTTP/1.1\r\nhost: localhost\r\nauthorization: Bearer {token}\r\n\r\n").into_bytes()
}

async fn body(address: SocketAddr, path: &str, token: &str) -> axum::body::Bytes {
    let mut stream = TcpStream::connect(address).await.expect("a connection");
    stream.write_all(&request(path, token)).await.expect("a request");
    let mut buffer = vec![0; 256 << 10];
    let (head, end) = read_answer(&mut stream, &mut buffer).await;
    axum::body::Bytes::copy_from_slice(&buffer[head..end])
}

/// Reads one answer with a `content-length`; returns where its body begins and ends.
pub(crate) async fn read_answer(stream: &mut TcpStream, buffer: &mut [u8]) -> (usize, usize) {
    let mut filled = 0;
    loop {
        filled += stream.read(&mut buffer[filled..]).await.expect("an answer");
        let Some(head) = buffer[..filled].windows(4).position(|bytes| bytes == b"\r\n\r\n") else { continue };
        let text = std::str::from_utf8(&buffer[..head]).expect("ASCII headers").to_ascii_lowercase();
        assert!(text.starts_with("http/1.1 20"), "{}", String::from_utf8_lossy(&buffer[..filled]));
        let length = text.split("content-length: ").nth(1).and_then(|rest| rest.lines().next());
        let length: usize = length.and_then(|length| length.parse().ok()).expect("a length");
        if filled >= head + 4 + length {
            return (head + 4, head + 4 + length);
        }
    }
}

#[derive(Debug)]
struct Well;

impl Health for Well {
    fn checks(&self) -> BoxFuture<'_, Vec<HealthCheck>> {
        Box::pin(async { Vec::new() })
    }
}
