//! Installing, enabling, disabling, versions, and what becomes of lost files.

use serde_json::json;
use trellis_columns::AsOf;
use trellis_engine::{Error, PluginState, RunRequest, UseSettings};

use crate::sections::{as_version, with_section};
use crate::support::{World, built, caller, plugin_id};

fn settings(config: serde_json::Value) -> UseSettings {
    UseSettings { config, ..UseSettings::default() }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_installed_plugin_is_described_in_both_languages() {
    let world = World::new().await;
    let info = world.install("retail-rfm").await;
    assert_eq!((info.id.as_str(), info.state), ("retail-rfm", PluginState::Installed));
    assert_eq!((info.name.en.as_str(), info.name.zh_cn.as_str()), ("RFM segmentation", "RFM 客户细分"));
    assert_eq!(
        (info.provides.as_slice(), &info.config_default["groups"]),
        (["segmentation".to_owned(), "model-report".to_owned()].as_slice(), &json!(5))
    );
    assert_eq!(info.config_schema["properties"]["groups"]["maximum"], 9);
    assert_eq!(info.settings, None);
    assert_eq!(info.versions.len(), 1);
    assert!(info.versions[0].sdk.as_ref().is_some_and(|sdk| sdk.starts_with("trellis-sdk-rust")));
    assert_eq!(world.install("retail-rfm").await, info, "the same file again changes nothing");
    assert_eq!(world.events("plugin.installed").await.len(), 1);
    assert_eq!(world.engine.plugin_list(), [info]);
}

#[tokio::test(flavor = "multi_thread")]
async fn settings_are_checked_against_the_schema() {
    let world = World::new().await;
    let id = world.install("retail-rfm").await.id;
    let check = async |config: serde_json::Value, named: &str| {
        let error = world.engine.plugin_enable(&caller(), &id, settings(config.clone())).await.unwrap_err();
        assert_eq!(error.code(), "plugin_settings_invalid", "{config}");
        assert!(error.to_string().contains(named), "{config}: {error}");
    };
    check(json!({ "groups": 1 }), "groups").await;
    check(json!({ "groups": "5" }), "groups").await;
    check(json!({ "gruops": 5 }), "gruops").await;
    check(json!([5]), "[5]").await;
    assert_eq!(world.engine.plugin_get(&id).unwrap().state, PluginState::Installed, "nothing was enabled");
    let info = world.engine.plugin_enable(&caller(), &id, settings(json!({ "groups": 7 }))).await.unwrap();
    assert_eq!((info.state, &info.settings.unwrap().config["groups"]), (PluginState::Enabled, &json!(7)));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_does_not_exist_is_named() {
    let world = World::new().await;
    let (engine, id) = (&world.engine, plugin_id("no-such-plugin"));
    let errors = [
        engine.plugin_enable(&caller(), &id, UseSettings::default()).await.unwrap_err(),
        engine.plugin_disable(&caller(), &id).await.unwrap_err(),
        engine.plugin_run(&caller(), &id, RunRequest::default()).await.unwrap_err(),
        engine.job_wait(crate::support::unknown_id()).await.unwrap_err(),
    ];
    for error in errors {
        assert_eq!(error.code(), "not_found", "{error}");
    }
    let id = world.install("retail-rfm").await.id;
    let refused = engine.plugin_run(&caller(), &id, RunRequest::default()).await.unwrap_err();
    assert!(matches!(refused, Error::NotEnabled { state: "installed", .. }), "{refused}");
    let version = Some(semver::Version::new(9, 0, 0));
    let refused = engine
        .plugin_enable(&caller(), &id, UseSettings { version, ..UseSettings::default() })
        .await
        .unwrap_err();
    assert!(refused.to_string().contains("9.0.0"), "{refused}");
    let refused = engine.plugin_upload(&caller(), b"no component".to_vec()).await.unwrap_err();
    assert_eq!(refused.code(), "plugin_refused");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_newer_version_waits_until_it_is_enabled() {
    let world = World::new().await;
    let id = world.enable("retail-rfm", json!({ "groups": 3 }), AsOf::Now).await.id;
    let newer = as_version(&built("retail-rfm"), "1.1.0");
    let info = world.engine.plugin_upload(&caller(), newer).await.unwrap();
    let versions: Vec<_> = info.versions.iter().map(|version| version.version.to_string()).collect();
    assert_eq!((versions, info.version.to_string()), (vec!["1.1.0".into(), "1.0.0".into()], "1.0.0".into()));
    let info = world.engine.plugin_enable(&caller(), &id, settings(json!({ "groups": 3 }))).await.unwrap();
    assert_eq!((info.version.to_string(), info.state), ("1.1.0".into(), PluginState::Enabled));
    let back = UseSettings { version: Some(semver::Version::new(1, 0, 0)), ..UseSettings::default() };
    let info = world.engine.plugin_enable(&caller(), &id, back).await.unwrap();
    assert_eq!(info.version.to_string(), "1.0.0", "the way back is open");
    let world = world.restart().await;
    assert_eq!(world.engine.plugin_get(&id), Some(info));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_released_version_never_changes_its_content() {
    let world = World::new().await;
    world.install("retail-rfm").await;
    let other = with_section(&built("retail-rfm"), "note", b"other bytes, the same version");
    let refused = world.engine.plugin_upload(&caller(), other).await.unwrap_err();
    assert_eq!(refused.code(), "plugin_version_exists", "{refused}");
    let first = as_version(&built("retail-rfm"), "2.0.0-dev");
    let second = with_section(&first, "note", b"edited");
    world.engine.plugin_upload(&caller(), first).await.unwrap();
    let info = world.engine.plugin_upload(&caller(), second.clone()).await.unwrap();
    let digest = blake3::hash(&second).to_hex().to_string();
    assert_eq!(info.versions[0].digest, digest, "a pre-release is replaced");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pre_release_that_serves_does_not_change_under_its_users() {
    let world = World::new().await;
    let first = as_version(&built("retail-rfm"), "2.0.0-dev");
    let second = with_section(&first, "note", b"edited");
    let id = world.engine.plugin_upload(&caller(), first.clone()).await.unwrap().id;
    world.engine.plugin_enable(&caller(), &id, settings(json!({}))).await.unwrap();
    let refused = world.engine.plugin_upload(&caller(), second.clone()).await.unwrap_err();
    assert_eq!(refused.code(), "plugin_in_use");
    assert!(refused.to_string().contains("disable the plugin first"), "{refused}");
    let digest = |bytes: &[u8]| blake3::hash(bytes).to_hex().to_string();
    assert_eq!(world.engine.plugin_get(&id).unwrap().versions[0].digest, digest(&first));
    world.engine.plugin_upload(&caller(), first.clone()).await.expect("the same again changes nothing");
    world.engine.plugin_disable(&caller(), &id).await.unwrap();
    world.engine.plugin_upload(&caller(), second.clone()).await.unwrap();
    let info = world.engine.plugin_enable(&caller(), &id, settings(json!({}))).await.unwrap();
    assert_eq!(info.versions[0].digest, digest(&second));
    let files = std::fs::read_dir(world.dir.path().join("engine/plugins")).unwrap();
    let files: Vec<_> = files.map(|file| file.unwrap().file_name()).collect();
    assert_eq!(files, [format!("{}.wasm", digest(&second)).as_str()], "what nobody names any more is gone");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lost_file_makes_the_plugin_broken_and_uploading_heals_it() {
    let world = World::new().await;
    let id = world.enable("retail-rfm", json!({}), AsOf::Now).await.id;
    let world = world
        .restart_after(|dir| {
            let files = std::fs::read_dir(dir.join("engine/plugins")).unwrap();
            files.for_each(|file| std::fs::write(file.unwrap().path(), b"damaged").unwrap());
        })
        .await;
    let info = world.engine.plugin_get(&id).unwrap();
    assert_eq!((info.state, info.name.zh_cn.as_str()), (PluginState::Broken, "RFM 客户细分"));
    assert!(info.broken.is_some_and(|reason| reason.contains("damaged")));
    let refused = world.engine.plugin_run(&caller(), &id, RunRequest::default()).await.unwrap_err();
    assert_eq!(refused.code(), "plugin_broken", "{refused}");
    let info = world.install("retail-rfm").await;
    assert_eq!((info.state, info.broken), (PluginState::Enabled, None));
    assert_eq!(world.restart().await.engine.plugin_get(&id).unwrap().state, PluginState::Enabled);
}
