use std::sync::Arc;

use trellis_http::{Workbench, WorkbenchFile};
use trellis_test_support::{TestApp, TestAppBuilder};

#[derive(Debug)]
struct TwoFiles;

impl Workbench for TwoFiles {
    fn file(&self, path: &str) -> Option<WorkbenchFile> {
        let file = |media_type, text: &'static str, gzip: Option<&'static str>| WorkbenchFile {
            media_type,
            bytes: text.into(),
            gzip: gzip.map(Into::into),
        };
        match path {
            "index.html" => Some(file("text/html; charset=utf-8", "<!doctype html>", None)),
            "assets/shell-1.js" => Some(file("text/javascript; charset=utf-8", "start()", Some("packed"))),
            _ => None,
        }
    }
}

async fn with_workbench() -> TestApp {
    TestAppBuilder { workbench: Some(Arc::new(TwoFiles)), ..TestAppBuilder::default() }.start().await
}

#[tokio::test]
async fn a_browser_is_led_to_the_page_at_any_of_its_screens() {
    let app = with_workbench().await;
    let home = app.anonymous().get("/").await;
    assert_eq!((home.status, home.header("location")), (303, "/app"));
    for path in ["/app", "/app/", "/app/objects/accounts?sort=-name", "/app/%E5%AE%A2%E6%88%B7"] {
        let page = app.anonymous().get(path).await;
        assert_eq!((page.status, page.header("content-type")), (200, "text/html; charset=utf-8"), "{path}");
        assert_eq!(page.header("cache-control"), "no-cache");
        let policy = page.header("content-security-policy");
        assert!(
            policy.contains("script-src 'self';") && policy.contains("frame-ancestors 'none'"),
            "{policy}"
        );
        assert!(!policy.contains("http:") && !policy.contains("unsafe-eval"), "{policy}");
    }
}

#[tokio::test]
async fn files_are_kept_for_ever_and_packed_for_those_who_take_it() {
    let app = with_workbench().await;
    let path = "/assets/shell-1.js";
    let plain = app.anonymous().get(path).await;
    assert_eq!((plain.header("content-encoding"), plain.body.as_ref()), ("", b"start()".as_slice()));
    assert!(plain.header("cache-control").ends_with("immutable"));
    for (accepted, packed) in
        [("gzip, deflate, br", true), ("br;q=1.0, gzip;q=0.8", true), ("gzip;q=0", false)]
    {
        let answer = app.anonymous().with("accept-encoding", accepted).get(path).await;
        assert_eq!(answer.header("content-encoding") == "gzip", packed, "{accepted}");
        assert_eq!(answer.header("vary"), "accept-encoding");
    }
    assert_eq!(app.anonymous().get("/assets/shell-2.js").await.problem(404), "NOT_FOUND");
    assert_eq!(app.anonymous().get("/assets/../index.html").await.problem(404), "NOT_FOUND");
}

#[tokio::test]
async fn a_server_without_a_workbench_says_what_it_is() {
    let app = TestApp::new().await;
    for path in ["/", "/app", "/app/objects/accounts"] {
        let page = app.anonymous().get(path).await;
        assert_eq!(page.status, 200);
        assert!(String::from_utf8(page.body.to_vec()).unwrap().contains("/api/v1/health"), "{path}");
    }
}
