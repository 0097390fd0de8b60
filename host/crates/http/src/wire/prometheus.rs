//! Figures in the text format of Prometheus, version 0.0.4.

use std::fmt::Write;

use trellis_engine::{FunctionMetrics, PluginMetrics};

/// The figures of plugins: one family of lines after the other.
pub(crate) fn plugins(plugins: &[PluginMetrics]) -> String {
    let mut text = String::new();
    type Figure = fn(&FunctionMetrics) -> f64;
    let by_function: [(&str, &str, Figure); 6] = [
        ("trellis_plugin_calls_total", "Calls of a function of a plugin.", |figures| figures.calls as f64),
        ("trellis_plugin_rows_total", "Rows that were passed to it.", |figures| figures.rows as f64),
        ("trellis_plugin_bytes_total", "Bytes of their columns.", |figures| figures.bytes as f64),
        ("trellis_plugin_cpu_seconds_total", "Processor time of its calls.", |figures| {
            figures.cpu_us as f64 / 1e6
        }),
        ("trellis_plugin_log_lines_dropped_total", "Log lines over the limit of a call.", |figures| {
            figures.log_lines_dropped as f64
        }),
        ("trellis_plugin_seconds_total", "How long its calls took.", |figures| figures.total_us as f64 / 1e6),
    ];
    for (name, help, figure) in by_function {
        family(&mut text, name, help, "counter");
        for (plugin, function, figures) in functions(plugins) {
            line(&mut text, name, plugin, &[("function", function)], figure(figures));
        }
    }
    let name = "trellis_plugin_faults_total";
    family(&mut text, name, "Faults of a plugin by kind.", "counter");
    for (plugin, function, figures) in functions(plugins) {
        for (kind, count) in &figures.faults {
            line(&mut text, name, plugin, &[("function", function), ("kind", kind)], *count as f64);
        }
    }
    let name = "trellis_plugin_latency_seconds";
    family(&mut text, name, "How long a call took, at most a quarter too high.", "gauge");
    for (plugin, function, figures) in functions(plugins) {
        for (quantile, us) in [("0.5", figures.p50_us), ("0.95", figures.p95_us), ("0.99", figures.p99_us)] {
            let labels = [("function", function), ("quantile", quantile)];
            line(&mut text, name, plugin, &labels, us as f64 / 1e6);
        }
    }
    of_versions(&mut text, plugins);
    text
}

fn of_versions(text: &mut String, plugins: &[PluginMetrics]) {
    type Figure = fn(&PluginMetrics) -> u64;
    let by_version: [(&str, &str, Figure); 3] = [
        ("trellis_plugin_strikes_total", "Faults that counted against a version.", |plugin| {
            plugin.strikes_total
        }),
        (
            "trellis_plugin_calls_refused_total",
            "Calls that were not made while it was left alone.",
            |plugin| plugin.refused,
        ),
        ("trellis_plugin_poison_rows_total", "Rows that were found on which it fails.", |plugin| {
            plugin.poison_rows
        }),
    ];
    for (name, help, figure) in by_version {
        family(text, name, help, "counter");
        plugins.iter().for_each(|plugin| line(text, name, plugin, &[], figure(plugin) as f64));
    }
    let name = "trellis_plugin_health";
    family(text, name, "1 for the state in which a version is.", "gauge");
    for plugin in plugins {
        line(text, name, plugin, &[("state", plugin.health.state.as_str())], 1.0);
    }
}

fn functions(plugins: &[PluginMetrics]) -> impl Iterator<Item = (&PluginMetrics, &str, &FunctionMetrics)> {
    plugins.iter().flat_map(|plugin| {
        plugin.functions.iter().map(move |(function, figures)| (plugin, function.as_str(), figures))
    })
}

fn family(text: &mut String, name: &str, help: &str, kind: &str) {
    let _ = writeln!(text, "# HELP {name} {help}\n# TYPE {name} {kind}");
}

/// Ids, versions and names of functions hold nothing that a label would have to escape.
fn line(text: &mut String, name: &str, plugin: &PluginMetrics, labels: &[(&str, &str)], value: f64) {
    let of = &plugin.health.plugin;
    let _ = write!(text, "{name}{{plugin=\"{}\",version=\"{}\"", of.id, of.version);
    for (label, value) in labels {
        let _ = write!(text, ",{label}=\"{value}\"");
    }
    let _ = writeln!(text, "}} {value}");
}
