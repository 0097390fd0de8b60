//! Plugins whose use is counted.

use trellis_plugin_host::{Config, PluginHost};

use crate::support::{at, built, config, hundred};

#[test]
fn fuel_is_the_same_whenever_the_same_is_asked_and_costs_the_others_nothing() {
    let host = PluginHost::new(config()).unwrap();
    let (plain, metered) =
        (host.load(&built("retail-rfm")).unwrap(), host.load_metered(&built("retail-rfm")).unwrap());
    let fit = |plugin: &trellis_plugin_host::Plugin| {
        let segmentation = plugin.segmentation().unwrap();
        let mut rows = hundred();
        segmentation.fit(&mut rows, "{}", &at(), &Default::default()).unwrap()
    };
    let (counted, again, uncounted) = (fit(&metered), fit(&metered), fit(&plain));
    assert_eq!(counted.model, uncounted.model, "what counts answers as what does not");
    assert_eq!(uncounted.stats.fuel, None);
    assert!(counted.stats.fuel.is_some_and(|fuel| fuel > 100), "{:?}", counted.stats);
    assert_eq!(counted.stats.fuel, again.stats.fuel);
    let (used, plain) = (metered.used(), plain.used());
    assert_eq!((used.calls, used.faults), (3, 0), "the trial and two calls");
    assert!(used.fuel > 2 * counted.stats.fuel.unwrap() - 1);
    assert_eq!((plain.calls, plain.fuel), (2, 0));
}

#[test]
fn metered_code_has_a_cache_of_its_own() {
    let dir = tempfile::tempdir().unwrap();
    let config = Config { cache_dir: Some(dir.path().to_owned()), ..config() };
    let host = PluginHost::new(config.clone()).unwrap();
    host.load(&built("retail-rfm")).unwrap();
    let first = host.load_metered(&built("retail-rfm")).unwrap();
    let second = host.load_metered(&built("retail-rfm")).unwrap();
    assert_eq!(host.stats().compiled, 2, "once for each kind of code");
    let calls = first.used().calls;
    second.segmentation().unwrap().describe("{}").unwrap();
    assert_eq!(first.used().calls, calls, "each load counts by itself");
    let after_a_restart = PluginHost::new(config).unwrap();
    after_a_restart.load_metered(&built("retail-rfm")).unwrap();
    after_a_restart.load(&built("retail-rfm")).unwrap();
    assert_eq!(after_a_restart.stats().compiled, 0);
}
