//! The record platform over HTTP, at two sizes: what one request costs, what a load costs, and what all of it takes.

use std::net::SocketAddr;
use std::path::Path;
use std::time::{Duration, Instant};

use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;
use trellis_model::{FieldName, ObjectName, RecordId, Scope, Value};

use crate::figures::{per_second, percentile, print};
use crate::http::{read_answer, serve_ours};
use crate::memory::{cpu, disk_mib, resident_mib};
use crate::setup::Parts;

const FOR: Duration = Duration::from_secs(3);
const SMALL: usize = 10_000;
/// How many accounts the large run has, unless `TRELLIS_BENCH_ACCOUNTS` says otherwise.
const LARGE: usize = 1_000_000;

pub(crate) fn measure() {
    let large =
        std::env::var("TRELLIS_BENCH_ACCOUNTS").ok().and_then(|count| count.parse().ok()).unwrap_or(LARGE);
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().expect("a runtime");
    for accounts in [SMALL, large] {
        println!("  {accounts} accounts");
        runtime.block_on(at(accounts));
    }
}

async fn at(accounts: usize) {
    let before_mib = resident_mib();
    let parts = Parts::new().await;
    let csv = parts.folder.path().join("accounts.csv");
    write(&csv, accounts);
    let owner = parts.access.administrator().to_string();
    let started = Instant::now();
    parts.import_object("account", Some(mapping(&owner)), &csv).await;
    print("import", per_second(accounts, started.elapsed()), "rows/s", "");
    std::fs::remove_file(&csv).expect("a file that was written");
    let started = Instant::now();
    parts.search_caught_up().await;
    print("search index behind the import by", started.elapsed().as_secs_f64(), "s", "");
    let per_100k = 100_000.0 / accounts as f64;
    print(
        "disk for 100 k records",
        disk_mib(parts.folder.path()) * per_100k,
        "MiB",
        "journal and snapshots included",
    );
    print("memory for 100 k records", (resident_mib() - before_mib) * per_100k, "MiB", "");

    let (address, server) = serve_ours(&parts).await;
    let id = account(&parts, accounts / 2).await;
    let reads = [
        ("read-one", format!("/api/v1/accounts/{id}"), "6 ms"),
        (
            "list-50, filter and sort by a composite index",
            format!("/api/v1/accounts?limit=50&filter[owner]={owner}&sort=name"),
            "36 ms",
        ),
        (
            "list-50, indexed filter of 1,000 and another sort",
            "/api/v1/accounts?limit=50&filter[country]=Nauru&sort=-updated_at".to_owned(),
            "36 ms",
        ),
        ("name search", format!("/api/v1/accounts?limit=50&q=Customer%20{}", accounts / 3), "17 ms"),
    ];
    for (name, path, peer) in reads {
        let request = get(&path, &parts.token);
        clients(name, address, 4, peer, move |_, _| request.clone()).await;
    }
    let token = parts.token.clone();
    for count in [1, 16] {
        let token = token.clone();
        let create = move |client: usize, number: usize| {
            let body = format!(
                "{{\"name\":\"New {count} {client} {number}\",\"country\":\"DE\",\"phone\":\"+49 30 {number}\"}}"
            );
            post("/api/v1/accounts", &token, &body)
        };
        clients(&format!("durable create, {count} clients"), address, count, "41 ms", create).await;
    }
    server.abort();
    let _ = server.await;
    match parts.reopen().await {
        Some(time) => {
            print("start-up: store, records, columns", time.as_secs_f64(), "s", "after an orderly end")
        }
        None => println!("  start-up was not measured: something still held the folder"),
    }
}

/// The cost of a request: processor time of server and client together, and what one client waits.
async fn clients(
    name: &str,
    address: SocketAddr,
    count: usize,
    peer: &str,
    request: impl Fn(usize, usize) -> Vec<u8> + Clone + Send + 'static,
) {
    let (started, cpu_before) = (Instant::now(), cpu());
    let client = |client: usize| {
        let request = request.clone();
        async move {
            let mut stream = TcpStream::connect(address).await.expect("a connection");
            stream.set_nodelay(true).expect("an option");
            let (mut buffer, mut times) = (vec![0; 512 << 10], Vec::new());
            while started.elapsed() < FOR {
                let asked = Instant::now();
                stream.write_all(&request(client, times.len())).await.expect("a request");
                read_answer(&mut stream, &mut buffer).await;
                times.push(asked.elapsed());
            }
            times
        }
    };
    let tasks: Vec<_> = (0..count).map(|number| tokio::spawn(client(number))).collect();
    let mut times = Vec::new();
    for task in tasks {
        times.extend(task.await.expect("a client that ends"));
    }
    let (elapsed, spent) = (started.elapsed(), cpu() - cpu_before);
    let micros = spent.as_secs_f64() * 1e6 / times.len() as f64;
    let rate = per_second(times.len(), elapsed);
    let p50 = percentile(&mut times, 0.5).as_secs_f64() * 1e3;
    let p99 = percentile(&mut times, 0.99).as_secs_f64() * 1e3;
    let beside = format!("{rate:.0}/s; p50 {p50:.2} ms, p99 {p99:.2} ms; peer {peer}");
    print(name, micros, "µs CPU", &beside);
}

/// Accounts with names in two scripts; a thousand of them in one country.
fn write(path: &Path, accounts: usize) {
    use std::io::Write;
    let mut file = std::io::BufWriter::new(std::fs::File::create(path).expect("a file"));
    writeln!(file, "external_id,name,country,city,phone").expect("a line");
    let rare = (accounts / 1_000).max(1);
    for number in 0..accounts {
        let country = if number % rare == 0 { "Nauru" } else { "China" };
        let name = if number % 2 == 0 {
            format!("Customer {number} Ltd")
        } else {
            format!("客户 {number} 有限公司")
        };
        writeln!(file, "c{number},{name},{country},City {},+86 10 {number:08}", number % 100)
            .expect("a line");
    }
    file.flush().expect("a whole file");
}

fn mapping(owner: &str) -> String {
    let columns = ["external_id", "name", "country", "city", "phone"];
    let columns: String = columns
        .iter()
        .map(|name| format!("[[columns]]\ncolumn = \"{name}\"\nfield = \"{name}\"\n"))
        .collect();
    format!("object = \"account\"\n{columns}[constants]\nowner = \"{owner}\"\n")
}

async fn account(parts: &Parts, number: usize) -> RecordId {
    let (object, field): (ObjectName, FieldName) =
        ("account".parse().expect("a name"), "external_id".parse().expect("a name"));
    let value = Value::Text(format!("c{number}"));
    let found = parts.records.find_by(&Scope::everything(), &object, &field, &value).await.expect("a read");
    found.expect("an imported account").id
}

fn get(path: &str, token: &str) -> Vec<u8> {
    let path = path.replace('[', "%5B").replace(']', "%5D");
    format!("GET {path} HTTP/1.1\r\nhost: localhost\r\nauthorization: Bearer {token}\r\n\r\n").into_bytes()
}

fn post(path: &str, token: &str, body: &str) -> Vec<u8> {
    let length = body.len();
    format!(
        "POST {path} HTTP/1.1\r\nhost: localhost\r\nauthorization: Bearer {token}\r\ncontent-type: application/json\r\n\
         content-length: {length}\r\n\r\n{body}"
    )
    .into_bytes()
}
