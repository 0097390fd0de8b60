use axum::body::Body;
use axum::http::Method;
use serde_json::{Value as Json, json};
use trellis_http::Config;
use trellis_model::RecordId;
use trellis_test_support::{Answer, Client, TestApp, TestAppBuilder};

const CSV: &str = "name,country,external_id\nMill,DE,m-1\nBakery,AT,b-1\n,DE,x-1\n";
const MAP: &str = "object = \"account\"\n[[columns]]\ncolumn = \"Firma\"\nfield = \"name\"\n";

async fn send(client: &Client, content_type: &str, body: impl Into<Body>) -> Answer {
    client.send(Method::POST, "/api/v1/accounts/import", Some(content_type), body).await
}

fn multipart(parts: &[(&str, &str, &str)]) -> String {
    let mut body = String::new();
    for (name, file_name, text) in parts {
        body += &format!(
            "--xyz\r\ncontent-disposition: form-data; name=\"{name}\"; filename=\"{file_name}\"\r\n\r\n{text}\r\n"
        );
    }
    body + "--xyz--\r\n"
}

const FORM: &str = "multipart/form-data; boundary=xyz";

async fn finished(app: &TestApp, job: &Json) -> Json {
    let id = job["id"].as_str().unwrap();
    app.engine.job_wait(RecordId::parse(id).unwrap()).await.unwrap();
    app.admin().get(&format!("/api/v1/jobs/{id}")).await.expect(200)
}

fn spooled(app: &TestApp) -> usize {
    std::fs::read_dir(app.engine.spool_path().parent().unwrap()).unwrap().count()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_csv_file_becomes_a_job_that_loads_the_good_rows() {
    let app = TestApp::new().await;
    let answer = send(&app.admin(), "text/csv; charset=utf-8", CSV).await;
    let location = answer.header("location").to_owned();
    let job = answer.expect(202);
    assert_eq!(location, format!("/api/v1/jobs/{}", job["id"].as_str().unwrap()));
    assert_eq!((&job["kind"], &job["subject"]), (&json!("import"), &json!("account")));
    let job = finished(&app, &job).await;
    assert_eq!(job["state"], "succeeded", "{job}");
    let listed = app.admin().get("/api/v1/accounts?sort=name&fields=name,country").await.expect(200);
    let names: Vec<&Json> =
        listed["data"].as_array().unwrap().iter().map(|account| &account["name"]).collect();
    assert_eq!(names, ["Bakery", "Mill"]);
    assert_eq!(job["created_by"]["kind"], "user");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_mapping_comes_as_a_part_of_its_own() {
    let app = TestApp::new().await;
    let body = multipart(&[("map", "accounts.toml", MAP), ("file", "firmen.csv", "Firma\nMühle\n")]);
    let job = send(&app.admin(), FORM, body).await.expect(202);
    assert_eq!(finished(&app, &job).await["state"], "succeeded");
    let listed = app.admin().get("/api/v1/accounts").await.expect(200);
    assert_eq!(listed["data"][0]["name"], "Mühle");
}

#[tokio::test]
async fn a_bad_upload_is_refused_and_leaves_nothing_behind() {
    let config = Config { import_bytes_max: 1_000, mapping_bytes_max: 100, ..Config::default() };
    let app = TestAppBuilder { http: config, ..TestAppBuilder::default() }.start().await;
    let (admin, large) = (app.admin(), "x".repeat(1_001));
    assert_eq!(send(&admin, "application/json", "{}").await.problem(415), "UNSUPPORTED_MEDIA_TYPE");
    let with_length = admin.clone().with("content-length", "1001");
    assert_eq!(send(&with_length, "text/csv", large.clone()).await.problem(413), "BODY_TOO_LARGE");
    let chunks = futures_util::stream::iter((0..11).map(|_| Ok::<_, std::io::Error>("x".repeat(100))));
    assert_eq!(send(&admin, "text/csv", Body::from_stream(chunks)).await.problem(413), "BODY_TOO_LARGE");
    let broken = futures_util::stream::iter([Ok("name\n".to_owned()), Err(std::io::Error::other("gone"))]);
    assert_eq!(send(&admin, "text/csv", Body::from_stream(broken)).await.problem(400), "BAD_UPLOAD");

    let check = |parts: &[(&str, &str, &str)], status: u16, code: &'static str| {
        let (admin, body) = (admin.clone(), multipart(parts));
        async move { assert_eq!(send(&admin, FORM, body).await.problem(status), code) }
    };
    check(&[], 400, "BAD_UPLOAD").await;
    check(&[("map", "m", MAP)], 400, "BAD_UPLOAD").await;
    check(&[("file", "f", "name\n"), ("file", "f", "name\n")], 400, "BAD_UPLOAD").await;
    check(&[("file", "f", "name\n"), ("other", "f", "x")], 400, "BAD_UPLOAD").await;
    check(&[("file", "f", "name\n"), ("map", "m", &"#".repeat(101))], 413, "BODY_TOO_LARGE").await;
    check(&[("file", "f", &large)], 413, "BODY_TOO_LARGE").await;
    assert_eq!(send(&admin, FORM, "--xyz\r\n").await.problem(400), "BAD_UPLOAD");
    assert_eq!(
        admin.send(Method::POST, "/api/v1/widgets/import", Some("text/csv"), "a\n").await.problem(404),
        "NOT_FOUND"
    );
    assert_eq!(spooled(&app), 0);
}
