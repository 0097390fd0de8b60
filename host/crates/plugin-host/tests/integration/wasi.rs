//! WASI for guests that need it: nothing of this machine is behind it, and the same inputs give the same bytes.

use trellis_plugin_host::{CallContext, CancelFlag, FaultKind, Fitted, LogLevel, Plugin, Result, inspect};

use crate::support::{at, built, customers, describe, hundred, load};

fn fit(plugin: &Plugin, what: &str, at: &CallContext) -> Result<Fitted> {
    let config = format!("{{\"what\":\"{what}\"}}");
    plugin.segmentation().unwrap().fit(&mut hundred(), &config, at, &CancelFlag::default())
}

/// What the guest found, in its words.
fn view(plugin: &Plugin, at: &CallContext) -> String {
    String::from_utf8(fit(plugin, "look", at).unwrap().model.bytes).unwrap()
}

#[test]
fn there_is_nothing_of_this_machine() {
    let (_host, plugin) = load("uses-wasi");
    let view = view(&plugin, &at());
    assert!(view.starts_with("at 875577600.000000000; passed 3600000001000; random "), "{view}");
    assert!(view.ends_with("; environment [] [] None; folders 0; input false; written true"), "{view}");
}

#[test]
fn the_same_inputs_give_the_same_bytes() {
    let (_host, plugin) = load("uses-wasi");
    let first = view(&plugin, &at());
    assert_eq!(view(&plugin, &at()), first);
    assert_ne!(view(&plugin, &CallContext { seed: 8, ..at() }), first, "random numbers depend on the seed");
    let later = view(&plugin, &CallContext { now_ms: at().now_ms + 1, ..at() });
    assert!(later.starts_with("at 875577600.001000000; "), "{later}");
    let before = view(&plugin, &CallContext { now_ms: -5, ..at() });
    assert!(before.starts_with("at 0.000000000; "), "there is nothing before 1970: {before}");
    let described = describe(&plugin, "{}");
    let assigned =
        plugin.segmentation().unwrap().assign(&described, first.as_bytes(), customers(0..3), &at()).unwrap();
    assert_eq!(assigned.columns[0].codes, [0; 3], "the other function sees the same");
}

#[test]
fn standard_output_becomes_log_lines() {
    let (_host, plugin) = load("uses-wasi");
    let logs = fit(&plugin, "look", &at()).unwrap().logs;
    let lines: Vec<_> = logs.iter().map(|line| (line.level, line.message.as_str())).collect();
    let info = LogLevel::Info;
    assert_eq!(lines, [(info, "first line"), (info, "second 行"), (info, "no end")]);
}

#[test]
fn a_guest_that_wants_too_much_of_it_is_stopped() {
    let (_host, plugin) = load("uses-wasi");
    let fault = |what: &str| {
        let error = fit(&plugin, what, &at()).unwrap_err();
        assert!(error.to_string().starts_with("plugin `uses-wasi` 1.0.0, segmentation.fit: "), "{error}");
        let trellis_plugin_host::Error::Fault(fault) = error else { panic!("{error}") };
        view(&plugin, &at());
        fault.kind
    };
    assert_eq!(fault("exit"), FaultKind::Trap("it exited with status 1".to_owned()));
    let much = "wanted 1099511627776 random bytes at once, at most 65536";
    assert_eq!(fault("much-random"), FaultKind::InvalidResult(much.to_owned()));
    assert!(matches!(fault("hoard"), FaultKind::InvalidResult(_)));
}

#[test]
fn an_admin_is_told_who_needs_it() {
    let wasi = inspect(&built("uses-wasi")).unwrap();
    let grants = wasi.requests().into_iter().map(|request| request.grant).collect::<Vec<_>>();
    assert_eq!(grants, ["data:order(ordered_on)", "wasi"]);
    let rfm = inspect(&built("retail-rfm")).unwrap();
    assert!(wasi.wasi && !rfm.wasi);
    assert!(rfm.requests().iter().all(|request| request.grant != "wasi"));
}
