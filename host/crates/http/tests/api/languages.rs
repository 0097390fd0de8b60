use axum::http::Method;
use serde_json::{Value as Json, json};
use trellis_model::RecordId;
use trellis_test_support::{Client, TestApp};

fn chinese(app: &TestApp) -> Client {
    app.admin().with("accept-language", "zh-CN")
}

fn messages(problem: &Json) -> Vec<(&str, &str, &str)> {
    let errors = problem["errors"].as_array().unwrap();
    errors
        .iter()
        .map(|error| {
            let part = |name: &str| error[name].as_str().unwrap();
            (part("field"), part("code"), part("message"))
        })
        .collect()
}

#[tokio::test]
async fn what_is_wrong_with_a_field_is_said_in_chinese() {
    let app = TestApp::new().await;
    let client = chinese(&app);
    let wrong = json!({ "phone": 1, "kind": "lost", "nmae": "x", "version": 1 });
    let problem = client.post("/api/v1/accounts", wrong).await.expect(422);
    let mut said = messages(&problem);
    said.sort_unstable();
    assert_eq!(
        said,
        [
            ("kind", "unknown_option", "`lost` 不在可选值之中：person, company"),
            ("nmae", "unknown_field", "account 没有这个字段"),
            ("phone", "invalid_type", "`1` 无效，应为文本"),
            ("version", "read_only", "`version` 由服务器设置"),
        ]
    );
    let problem = client.post("/api/v1/accounts", json!({ "phone": "1" })).await.expect(422);
    assert_eq!(messages(&problem), [("name", "required", "此项为必填项")]);

    let nobody = "01939d4c-7c3a-7b6e-8000-000000000001";
    let body = json!({ "name": "磨坊", "owner": nobody });
    let problem = client.post("/api/v1/accounts", body.clone()).await.expect(422);
    let message = format!("user `{nobody}` 不存在");
    assert_eq!(messages(&problem), [("owner", "unknown_reference", message.as_str())]);
    let problem = app.admin().post("/api/v1/accounts", body).await.expect(422);
    let message = format!("there is no user `{nobody}`");
    assert_eq!(messages(&problem), [("owner", "unknown_reference", message.as_str())]);
}

#[tokio::test]
async fn a_value_that_is_taken_is_said_in_chinese() {
    let app = TestApp::new().await;
    let body = json!({ "name": "Mill", "external_id": "m-1" });
    let first = app.create("accounts", body.clone()).await;
    let problem = chinese(&app).post("/api/v1/accounts", body).await.expect(409);
    let message = format!("external_id 的值 `m-1` 已被 account `{}` 使用", first["id"].as_str().unwrap());
    assert_eq!(messages(&problem), [("external_id", "duplicate", message.as_str())]);
    assert_eq!((&problem["detail"], &problem["title"]), (&json!(message), &json!("已有记录使用该值")));
}

#[tokio::test]
async fn what_is_wrong_with_a_query_is_said_in_chinese() {
    let app = TestApp::new().await;
    let client = chinese(&app);
    let check = |query: &'static str, field: &'static str, message: &'static str| {
        let client = client.clone();
        async move {
            let problem = client.get(&format!("/api/v1/accounts?{query}")).await.expect(400);
            let said = messages(&problem);
            assert_eq!((said[0].0, said[0].2), (field, message), "{query}");
        }
    };
    check("filter[nmae]=x", "nmae", "account 没有字段 `nmae`").await;
    check("fields=nmae", "fields", "account 没有字段 `nmae`").await;
    check("sort=Nmae", "sort", "`Nmae` 不是有效的字段名称：2 到 60 个字符，限 a-z、0-9 和 _，以字母开头")
        .await;
    check("filter[name][like]=x", "filter[name][like]", "没有运算符 `like`").await;
    check("limit=0", "limit", "`limit` 为 1 到 200 的整数").await;
    check("colour=red", "colour", "此处没有参数 `colour`").await;
    check("after=x", "after", "`x` 不是有效的游标").await;
    let problem = client.get("/api/v1/accounts?filter[kind]=lost").await.expect(400);
    assert_eq!(problem["detail"], "筛选字段 `kind`：`lost` 不在可选值之中：person, company");

    let search = json!({ "filter": { "and": [{ "field": "name", "op": "in", "value": 1 }] } });
    let problem = client.post("/api/v1/accounts/search", search).await.expect(400);
    assert_eq!(messages(&problem), [("filter", "invalid", "筛选条件 $.and[0] 处：`in` 需要列表")]);
}

async fn import(client: &Client, csv: &'static str) -> trellis_test_support::Answer {
    client.send(Method::POST, "/api/v1/accounts/import", Some("text/csv"), csv).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_bad_rows_of_an_import_are_told_in_the_language_of_whoever_looks() {
    let app = TestApp::new().await;
    let job = import(&app.admin(), "name,kind\nMill,company\n,company\nBakery,lost\n").await.expect(202);
    let id = job["id"].as_str().unwrap();
    app.engine.job_wait(RecordId::parse(id).unwrap()).await.unwrap();
    let path = format!("/api/v1/jobs/{id}");
    let check = async |client: Client, expected: [&str; 2]| {
        let job = client.get(&path).await.expect(200);
        let listed = client.get("/api/v1/jobs").await.expect(200);
        assert_eq!(listed["data"][0]["result"], job["result"]);
        let errors = job["result"]["errors"].as_array().unwrap();
        let said: Vec<&str> = errors.iter().map(|error| error["message"].as_str().unwrap()).collect();
        assert_eq!(said, expected);
    };
    check(app.admin(), ["name: a value is required", "`lost` is not one of the options person, company"])
        .await;
    check(chinese(&app), ["name：此项为必填项", "`lost` 不在可选值之中：person, company"]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_file_that_does_not_fit_is_refused_in_chinese() {
    let app = TestApp::new().await;
    let problem = import(&chinese(&app), "name,Farbe\nMill,red\n").await.expect(422);
    let message = "表头：列 `Farbe` 不是 account 的字段，可用映射忽略它";
    assert_eq!(messages(&problem), [("file", "invalid_header", message)]);
    assert_eq!(problem["detail"], message);
}
