//! What plugins cost that do nothing: memory, and the time of a start, which takes their code from the cache.

use std::time::Instant;

use crate::company::Company;
use crate::figures::print;
use crate::memory::resident_mib;

const PLUGINS: u32 = 50;

pub(crate) fn measure() {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().expect("a runtime");
    runtime.block_on(async {
        let company = Company::new().await;
        let company = timed_restart(company, "start without plugins", "").await;
        // The first one brings what all share.
        company.enable_copy(0).await;
        let before = resident_mib();
        for number in 1..=PLUGINS {
            company.enable_copy(number).await;
        }
        let each = (resident_mib() - before) / f64::from(PLUGINS);
        let beside = format!("resident, compiling them included; {PLUGINS} different ones");
        print("memory of an idle plugin", each, "MiB", &beside);
        let name = format!("start with {} enabled plugins", PLUGINS + 1);
        let company = timed_restart(company, &name, "code from the cache; aim 300 for 50").await;
        assert_eq!(company.engine.plugin_list().len() as u32, PLUGINS + 1);
        timed_restart(company, &name, "once more").await.engine.shutdown().await;
    });
}

async fn timed_restart(company: Company, name: &str, beside: &str) -> Company {
    let started = Instant::now();
    let company = company.restart().await;
    print(name, started.elapsed().as_secs_f64() * 1e3, "ms", beside);
    company
}
