use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use trellis_http::{AppState, serve};
use trellis_test_support::TestApp;

struct Served {
    address: std::net::SocketAddr,
    stop: oneshot::Sender<()>,
    task: JoinHandle<()>,
}

async fn start(state: AppState) -> Served {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (stop, stopped) = oneshot::channel::<()>();
    let task = tokio::spawn(serve(listener, state, async move { drop(stopped.await) }));
    Served { address, stop, task }
}

async fn exchange(stream: &mut TcpStream, request: &str) -> String {
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut bytes = vec![0; 65_536];
    let length = stream.read(&mut bytes).await.unwrap();
    String::from_utf8_lossy(&bytes[..length]).into_owned()
}

#[tokio::test]
async fn a_socket_is_served_until_the_server_stops() {
    let app = TestApp::new().await;
    let served = start(app.state()).await;
    let mut stream = TcpStream::connect(served.address).await.unwrap();
    let request = "GET /api/v1/health HTTP/1.1\r\nhost: x\r\n\r\n";
    for _ in 0..2 {
        assert!(exchange(&mut stream, request).await.starts_with("HTTP/1.1 200 OK"));
    }
    served.stop.send(()).unwrap();
    tokio::time::timeout(Duration::from_secs(10), served.task).await.expect("the server stops").unwrap();
    let mut rest = Vec::new();
    stream.read_to_end(&mut rest).await.unwrap();
    assert!(rest.is_empty(), "an idle connection is closed");
    assert!(TcpStream::connect(served.address).await.is_err());
}

#[tokio::test]
async fn a_head_that_is_too_large_is_refused() {
    let app = TestApp::new().await;
    let served = start(app.state()).await;
    let mut stream = TcpStream::connect(served.address).await.unwrap();
    let many = "x: y\r\n".repeat(101);
    let answer = exchange(&mut stream, &format!("GET / HTTP/1.1\r\nhost: x\r\n{many}\r\n")).await;
    assert!(answer.starts_with("HTTP/1.1 431"), "{answer}");

    // What is still on its way when the server closes may reset the connection before the answer is read.
    let mut stream = TcpStream::connect(served.address).await.unwrap();
    let long = format!("GET / HTTP/1.1\r\nhost: x\r\nx: {}\r\n\r\n", "x".repeat(1 << 20));
    let mut answer = Vec::new();
    let sent = stream.write_all(long.as_bytes()).await;
    let read = stream.read_to_end(&mut answer).await;
    assert!(answer.starts_with(b"HTTP/1.1 431") || sent.is_err() || read.is_err());

    let mut stream = TcpStream::connect(served.address).await.unwrap();
    assert!(exchange(&mut stream, "nonsense\r\n\r\n").await.starts_with("HTTP/1.1 400"));
}

#[tokio::test]
async fn a_head_that_does_not_come_ends_the_connection() {
    let app = TestApp::new().await;
    let mut state = app.state();
    state.config.header_timeout_ms = 50;
    let served = start(state).await;
    let mut stream = TcpStream::connect(served.address).await.unwrap();
    stream.write_all(b"GET / HTTP/1.1\r\nhost:").await.unwrap();
    let mut rest = Vec::new();
    let closed = tokio::time::timeout(Duration::from_secs(10), stream.read_to_end(&mut rest)).await;
    assert!(closed.is_ok());
}
