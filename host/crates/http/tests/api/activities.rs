use axum::http::Method;
use serde_json::{Value as Json, json};
use trellis_http::Config;
use trellis_test_support::{Answer, Client, TestApp, TestAppBuilder};

const FORM: &str = "multipart/form-data; boundary=xyz";
const MISSING: &str = "/api/v1/accounts/01939d4c-7c3a-7b6e-8000-000000000001";

async fn account(app: &TestApp) -> String {
    let account = app.create("accounts", json!({ "name": "Mill" })).await;
    format!("/api/v1/accounts/{}", account["id"].as_str().unwrap())
}

fn file(name: &str, media_type: &str, content: &str) -> String {
    format!(
        "--xyz\r\ncontent-disposition: form-data; name=\"file\"; filename=\"{name}\"\r\ncontent-type: {media_type}\r\n\r\n{content}\r\n--xyz--\r\n"
    )
}

async fn upload(client: &Client, record: &str, body: String) -> Answer {
    client.send(Method::POST, &format!("{record}/attachments"), Some(FORM), body).await
}

#[tokio::test]
async fn an_attachment_comes_back_as_it_was_sent() {
    let app = TestApp::new().await;
    let (admin, record) = (app.admin(), account(&app).await);
    let text = "--xyz\r\ncontent-disposition: form-data; name=\"description\"\r\n\r\nsigned\r\n";
    let body = format!("{text}{}", file("../../合同 \u{202e}1.pdf", "text/html", "%PDF-1.7 content"));
    let answer = upload(&admin, &record, body).await;
    let location = answer.header("location").to_owned();
    let attachment = answer.expect(201);
    assert_eq!(location, format!("/api/v1/attachments/{}", attachment["id"].as_str().unwrap()));
    assert_eq!(attachment["name"], "合同 1.pdf");
    assert_eq!((&attachment["media_type"], &attachment["bytes"]), (&json!("application/pdf"), &json!(16)));
    assert_eq!(
        (&attachment["description"], &attachment["parent_object"]),
        (&json!("signed"), &json!("account"))
    );
    assert_eq!(admin.get(&location).await.expect(200), attachment);

    let content = admin.get(&format!("{location}/content")).await;
    assert_eq!(content.status, 200);
    assert_eq!(&content.body[..], b"%PDF-1.7 content");
    assert_eq!(
        content.header("content-disposition"),
        "attachment; filename=\"__ 1.pdf\"; filename*=UTF-8''%E5%90%88%E5%90%8C%201.pdf"
    );
    assert_eq!(
        (
            content.header("content-type"),
            content.header("x-content-type-options"),
            content.header("content-length")
        ),
        ("application/pdf", "nosniff", "16")
    );
    let etag = content.header("etag").to_owned();
    assert_eq!(app.admin().with("if-none-match", etag).get(&format!("{location}/content")).await.status, 304);

    upload(&admin, &record, file("again.txt", "text/plain", "other")).await.expect(201);
    let listed = admin.get(&format!("{record}/attachments?limit=1")).await.expect(200);
    assert_eq!(listed["data"][0]["name"], "again.txt");
    let next = listed["page"]["next"].as_str().unwrap();
    let listed = admin.get(&format!("{record}/attachments?after={next}")).await.expect(200);
    assert_eq!((&listed["data"], &listed["page"]["next"]), (&json!([attachment]), &Json::Null));

    admin.delete(&location).await.expect(204);
    assert_eq!(admin.get(&format!("{location}/content")).await.problem(404), "NOT_FOUND");
    admin.post(&format!("{location}/restore"), json!({})).await.expect(200);
    assert_eq!(admin.get(&format!("{location}/content")).await.status, 200, "it was only deleted");
}

#[tokio::test]
async fn uploads_that_cannot_be_taken_leave_nothing_behind() {
    let config = Config { attachment_bytes_max: 10, ..Config::default() };
    let app = TestAppBuilder { http: config, ..TestAppBuilder::default() }.start().await;
    let (admin, record) = (app.admin(), account(&app).await);
    let small = || file("a.txt", "text/plain", "0123456789");
    upload(&admin, &record, small()).await.expect(201);
    let large = file("a.txt", "text/plain", "0123456789a");
    assert_eq!(upload(&admin, &record, large).await.problem(413), "BODY_TOO_LARGE");
    assert_eq!(upload(&admin, &record, "--xyz--\r\n".into()).await.problem(400), "BAD_UPLOAD");
    let broken = small().replace("--xyz--\r\n", "");
    assert_eq!(upload(&admin, &record, broken).await.problem(400), "BAD_UPLOAD");
    assert_eq!(
        upload(&admin, &record, small().replace("\"file\"", "\"other\"")).await.problem(400),
        "BAD_UPLOAD"
    );
    assert_eq!(upload(&admin, MISSING, small()).await.problem(404), "NOT_FOUND");
    assert_eq!(upload(&app.anonymous(), &record, small()).await.problem(401), "UNAUTHENTICATED");
    let json = admin.post(&format!("{record}/attachments"), json!({})).await;
    assert_eq!(json.problem(415), "UNSUPPORTED_MEDIA_TYPE");
    let spool = app.engine.upload_path();
    assert_eq!(std::fs::read_dir(spool.parent().unwrap()).unwrap().count(), 0);
    let listed = admin.get(&format!("{record}/attachments")).await.expect(200);
    assert_eq!(listed["data"].as_array().unwrap().len(), 1);
    assert_eq!(admin.get(&format!("{MISSING}/attachments")).await.problem(404), "NOT_FOUND");
    assert_eq!(admin.get("/api/v1/attachments/x/content").await.problem(404), "NOT_FOUND");
}

#[tokio::test]
async fn files_that_nobody_names_are_swept() {
    let app = TestApp::new().await;
    let (admin, record) = (app.admin(), account(&app).await);
    let kept = upload(&admin, &record, file("a.txt", "text/plain", "kept")).await.expect(201);
    let id = kept["id"].as_str().unwrap();
    admin.delete(&format!("/api/v1/attachments/{id}")).await.expect(204);
    let later = std::time::SystemTime::now() + std::time::Duration::from_secs(3_600);
    assert_eq!(app.engine.sweep_files(later).await.unwrap(), 0, "a deleted attachment may come back");
    let files = app.engine.upload_path().parent().unwrap().parent().unwrap().join("files");
    let orphan = files.join("ab").join("c".repeat(62));
    std::fs::create_dir_all(orphan.parent().unwrap()).unwrap();
    std::fs::write(&orphan, "orphan").unwrap();
    assert_eq!(
        app.engine.sweep_files(std::time::SystemTime::UNIX_EPOCH).await.unwrap(),
        0,
        "it may be under way"
    );
    assert_eq!(app.engine.sweep_files(later).await.unwrap(), 1);
    assert!(!orphan.exists());
}

#[tokio::test]
async fn a_timeline_is_read_page_by_page() {
    let app = TestApp::new().await;
    let (admin, record) = (app.admin(), account(&app).await);
    let id = record.rsplit('/').next().unwrap();
    for (channel, at) in [("phone", "2026-01-01T10:00:00Z"), ("email", "2026-01-02T10:00:00Z")] {
        let interaction = json!({ "channel": channel, "occurred_at": at, "account": id });
        app.create("interactions", interaction).await;
    }
    let comment = json!({ "text": "Hello", "parent_object": "account", "parent_id": id });
    app.create("comments", comment).await;
    let page = admin.get(&format!("{record}/timeline?limit=2&labels=true")).await.expect(200);
    let kinds = |page: &Json| -> Vec<String> {
        let items = page["data"].as_array().unwrap();
        items
            .iter()
            .map(|item| format!("{} {}", item["kind"].as_str().unwrap(), item["object"].as_str().unwrap()))
            .collect()
    };
    assert_eq!(kinds(&page), ["comment comment", "email interaction"]);
    assert_eq!(page["data"][1]["at"], "2026-01-02T10:00:00Z");
    assert_eq!(page["data"][1]["record"]["channel"], json!({ "value": "email", "label": "Email" }));
    let next = page["page"]["next"].as_str().unwrap();
    let rest = admin.get(&format!("{record}/timeline?limit=2&after={next}")).await.expect(200);
    assert_eq!((kinds(&rest), &rest["page"]["next"]), (vec!["phone interaction".to_owned()], &Json::Null));
    let calls = admin.get(&format!("{record}/timeline?kinds=phone,comment")).await.expect(200);
    assert_eq!(kinds(&calls), ["comment comment", "phone interaction"]);
    for wrong in ["kinds=fax", "after=x", "limit=0", "colour=red"] {
        assert_eq!(
            admin.get(&format!("{record}/timeline?{wrong}")).await.problem(400),
            "BAD_QUERY",
            "{wrong}"
        );
    }
    assert_eq!(admin.get(&format!("{MISSING}/timeline")).await.problem(404), "NOT_FOUND");
    assert_eq!(app.anonymous().get(&format!("{record}/timeline")).await.problem(401), "UNAUTHENTICATED");
}

#[tokio::test]
async fn a_gate_names_what_is_missing_in_the_language_of_the_caller() {
    let app = TestApp::new().await;
    let deal = app.create("opportunities", json!({ "name": "Deal", "stage": "prospecting" })).await;
    let path = format!("/api/v1/opportunities/{}", deal["id"].as_str().unwrap());
    let chinese = app.admin().with("accept-language", "zh-CN");
    let refused = chinese.patch(&path, json!({ "stage": "qualification" })).await.expect(422);
    assert_eq!(refused["code"], "VALIDATION_ERROR");
    let error = &refused["errors"][0];
    assert_eq!((&error["field"], &error["code"]), (&json!("account"), &json!("stage_gate")));
    assert_eq!(error["message"], "进入“资格确认”阶段前，须先填写“初步接洽”阶段要求的此项");
}
