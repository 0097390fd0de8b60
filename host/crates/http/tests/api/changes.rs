use serde_json::{Value as Json, json};
use trellis_test_support::TestApp;

#[tokio::test]
async fn the_feed_tells_what_changed_after_a_place() {
    let app = TestApp::new().await;
    let admin = app.admin();
    let start = admin.get("/api/v1/changes?limit=1000").await.expect(200);
    let start = start["page"]["next"].as_str().unwrap().to_owned();
    let account = app.create("accounts", json!({ "name": "Mill" })).await;
    let path = format!("/api/v1/accounts/{}", account["id"].as_str().unwrap());
    admin.patch(&path, json!({ "name": "Mill & Sons" })).await.expect(200);

    let feed = admin.get(&format!("/api/v1/changes?after={start}&limit=1")).await.expect(200);
    let created = &feed["data"][0];
    assert_eq!(
        (&created["changes"][0]["type"], &created["changes"][0]["id"]),
        (&json!("account.created"), &account["id"])
    );
    assert_eq!(created["changes"][0]["fields"]["name"], json!({ "before": null, "after": "Mill" }));
    assert_eq!((&created["actor"]["kind"], &created["cause"]["depth"]), (&json!("user"), &json!(0)));
    assert_eq!(
        (&created["timestamp"], &feed["page"]["more"]),
        (&json!("2026-11-21T12:00:00Z"), &json!(true))
    );

    let next = feed["page"]["next"].as_str().unwrap().to_owned();
    let feed = admin.get(&format!("/api/v1/changes?after={next}")).await.expect(200);
    assert_eq!(feed["data"].as_array().unwrap().len(), 1);
    assert_eq!(
        feed["data"][0]["changes"][0]["fields"]["name"],
        json!({ "before": "Mill", "after": "Mill & Sons" })
    );
    assert_eq!(feed["page"]["more"], false);
    let end = feed["page"]["next"].as_str().unwrap();
    let nothing = admin.get(&format!("/api/v1/changes?after={end}")).await.expect(200);
    assert_eq!((&nothing["data"], &nothing["page"]["next"]), (&json!([]), &Json::from(end)));
}

#[tokio::test]
async fn a_place_of_another_history_is_gone() {
    let app = TestApp::new().await;
    let admin = app.admin();
    let other = format!("/api/v1/changes?after={:032x}.1", 7);
    assert_eq!(admin.get(&other).await.problem(410), "HISTORY_RESTARTED");
    assert_eq!(admin.get("/api/v1/changes?after=7").await.problem(400), "BAD_QUERY");
    assert_eq!(admin.get("/api/v1/changes?limit=1001").await.problem(400), "BAD_QUERY");
}

#[tokio::test]
async fn the_feed_can_be_read_from_its_end() {
    let app = TestApp::new().await;
    let admin = app.admin();
    let end = admin.get("/api/v1/changes?last=0").await.expect(200);
    assert_eq!((&end["data"], &end["page"]["more"]), (&json!([]), &json!(false)));
    for name in ["Mill", "Quarry", "Forge"] {
        app.create("accounts", json!({ "name": name })).await;
    }
    let names = |feed: &Json| -> Vec<Json> {
        let entries = feed["data"].as_array().unwrap().iter();
        entries.map(|entry| entry["changes"][0]["fields"]["name"]["after"].clone()).collect()
    };
    let newest = admin.get("/api/v1/changes?last=2").await.expect(200);
    assert_eq!(names(&newest), ["Quarry", "Forge"]);
    let earlier = admin.get("/api/v1/changes?last=3&limit=1").await.expect(200);
    assert_eq!((names(&earlier), &earlier["page"]["more"]), (vec![json!("Mill")], &json!(true)));
    let after_the_end = end["page"]["next"].as_str().unwrap();
    assert_eq!(
        names(&admin.get(&format!("/api/v1/changes?after={after_the_end}")).await.expect(200)).len(),
        3
    );
    assert_eq!(
        names(&admin.get("/api/v1/changes?last=18446744073709551615&limit=1000").await.expect(200)).len(),
        { admin.get("/api/v1/changes?limit=1000").await.expect(200)["data"].as_array().unwrap().len() }
    );

    for wrong in ["last=-1", "last=x", &format!("last=1&after={after_the_end}")] {
        let refused = admin.get(&format!("/api/v1/changes?{wrong}")).await;
        assert_eq!(refused.problem(400), "BAD_QUERY", "{wrong}");
    }
}
