//! The configuration: read once from one file, then passed down as the config struct of each crate.
//!
//! Each section holds the keys that the file may set; a key that it leaves out keeps the default of the crate that it belongs to. An
//! unknown key stops the start and is named. `host/docs/configuration.md` lists every key.

mod sections;

use std::path::Path;

use serde::Deserialize;
use trellis_model::Language;

use sections::{Access, Columns, Engine, Http, Import, Plugins, Records, Search, Storage};

/// The whole file.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Config {
    pub server: Server,
    pub organisation: Organisation,
    storage: Storage,
    records: Records,
    import: Import,
    columns: Columns,
    plugins: Plugins,
    engine: Engine,
    access: Access,
    http: Http,
    search: Search,
}

/// Where the server listens.
#[derive(Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Server {
    /// Address and port (default 127.0.0.1:7878; port 0 takes a free one). The command line's `--listen` goes before it.
    pub listen: String,
    /// What is logged, in the syntax of `tracing` (default `info`).
    pub log: String,
}

/// What the organisation decides once.
#[derive(Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Organisation {
    /// ISO 4217 code of the currency that sums are in (default USD). Fixed once an amount is stored.
    pub base_currency: String,
    /// IANA name of the time zone of "today" and of days (default UTC).
    pub time_zone: String,
    /// The language in which the host writes what plugins and rules say in both (default `en`; or `zh-CN`).
    pub language: String,
    /// ISO 3166 code of the country whose telephone numbers need no prefix, where a record names none (default CN).
    pub country: String,
}

impl Default for Server {
    fn default() -> Self {
        Self { listen: "127.0.0.1:7878".into(), log: "info".into() }
    }
}

impl Default for Organisation {
    fn default() -> Self {
        Self {
            base_currency: "USD".into(),
            time_zone: "UTC".into(),
            language: "en".into(),
            country: "CN".into(),
        }
    }
}

impl Config {
    /// Reads a file; without one every key has its default.
    pub(crate) fn read(path: Option<&Path>) -> Result<Self, String> {
        let Some(path) = path else { return Ok(Self::default()) };
        let text = std::fs::read_to_string(path)
            .map_err(|error| format!("cannot read {}: {error}", path.display()))?;
        toml::from_str(&text).map_err(|error| format!("{}: {error}", path.display()))
    }

    /// The config of the store.
    pub(crate) fn storage(
        &self,
        on_stopped: trellis_storage_sled::OnStopped,
    ) -> trellis_storage_sled::Config {
        self.storage.over(trellis_storage_sled::Config { on_stopped: Some(on_stopped), ..Default::default() })
    }

    /// The config of records; wrong names of a currency or time zone are named.
    pub(crate) fn records(&self) -> Result<trellis_records::Config, String> {
        let Organisation { base_currency, time_zone, country, .. } = &self.organisation;
        let zone = jiff::tz::TimeZone::get(time_zone)
            .map_err(|error| format!("organisation.time_zone `{time_zone}`: {error}"))?;
        let currency = trellis_model::Currency::new(base_currency)
            .map_err(|error| format!("organisation.base_currency: {error}"))?;
        let country = trellis_records::Country::new(country)
            .ok_or_else(|| format!("organisation.country `{country}`: no ISO 3166 code"))?;
        Ok(trellis_records::Config {
            base_currency: currency,
            time_zone: zone,
            country,
            limits: self.records.over(Default::default()),
        })
    }

    /// The config of columns.
    pub(crate) fn columns(&self) -> trellis_columns::Config {
        self.columns.over(Default::default())
    }

    /// The config of plugins: compiled by a child process of this program, kept in `cache_dir`.
    pub(crate) fn plugins(&self, program: &Path, cache_dir: &Path) -> trellis_plugin_host::Config {
        self.plugins.over(trellis_plugin_host::Config {
            cache_dir: Some(cache_dir.to_path_buf()),
            compiler: trellis_plugin_host::Compiler::Child {
                command: program.to_path_buf(),
                args: vec!["compile-plugin".into()],
            },
            ..Default::default()
        })
    }

    /// The config of the engine; a language that nobody speaks is named.
    pub(crate) fn engine(&self) -> Result<trellis_engine::Config, String> {
        let language = &self.organisation.language;
        let known = [Language::En, Language::ZhCn].into_iter().find(|known| known.tag() == language);
        let known =
            known.ok_or_else(|| format!("organisation.language `{language}`: neither `en` nor `zh-CN`"))?;
        let config = self.engine.over(trellis_engine::Config {
            language: known,
            import: self.import.over(Default::default()),
            ..Default::default()
        });
        config.check()?;
        Ok(config)
    }

    /// The config of access.
    pub(crate) fn access(&self) -> trellis_access::Config {
        self.access.over(Default::default())
    }

    /// The config of full-text search.
    pub(crate) fn search(&self) -> trellis_search::Config {
        self.search.over(Default::default())
    }

    /// The config of the HTTP server.
    pub(crate) fn http(&self) -> trellis_http::Config {
        self.http.over(Default::default())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_changes_single_keys() {
        let text = "[organisation]\ntime_zone = \"Asia/Shanghai\"\n[engine]\njobs_parallel_max = 7\n[plugins.limits.batch]\ncpu_ms_max = 9\n";
        let config: Config = toml::from_str(text).unwrap();
        assert_eq!(config.engine().unwrap().jobs_parallel_max, 7);
        assert_eq!(
            config.engine().unwrap().jobs_queued_max,
            trellis_engine::Config::default().jobs_queued_max
        );
        assert_eq!(config.records().unwrap().time_zone.iana_name(), Some("Asia/Shanghai"));
        let plugins = config.plugins("trellis".as_ref(), "cache".as_ref());
        assert_eq!(plugins.limits.batch.cpu_ms_max, 9);
    }

    #[test]
    fn every_key_is_documented() {
        let page = include_str!("../../docs/configuration.md");
        let sections: [(&str, &[&str]); 9] = [
            ("storage", Storage::KEYS),
            ("records", Records::KEYS),
            ("import", Import::KEYS),
            ("columns", Columns::KEYS),
            ("plugins", Plugins::KEYS),
            ("engine", Engine::KEYS),
            ("access", Access::KEYS),
            ("http", Http::KEYS),
            ("search", Search::KEYS),
        ];
        for (section, keys) in sections {
            let text = page.split(&format!("## `[{section}]`")).nth(1).expect("a section for each crate");
            let text = text.split("\n## ").next().unwrap_or_default();
            let missing: Vec<_> =
                keys.iter().filter(|key| **key != "limits" && !text.contains(&format!("`{key}`"))).collect();
            assert!(missing.is_empty(), "[{section}] lacks {missing:?}");
        }
    }

    #[test]
    fn unknown_keys_and_wrong_names_are_named() {
        let error = toml::from_str::<Config>("[http]\nrequest_max = 1\n").unwrap_err().to_string();
        assert!(error.contains("request_max"), "{error}");
        let config: Config = toml::from_str("[organisation]\ntime_zone = \"Mars/Base\"\n").unwrap();
        assert!(config.records().unwrap_err().contains("Mars/Base"));
        let config: Config = toml::from_str("[organisation]\nlanguage = \"zh\"\n").unwrap();
        assert!(config.engine().unwrap_err().contains("`zh`"));
        let config: Config = toml::from_str("[organisation]\nlanguage = \"zh-CN\"\n").unwrap();
        assert_eq!(config.engine().unwrap().language, Language::ZhCn);
        let config: Config = toml::from_str("[engine]\nanalysis_result_bytes_max = 4194304\n").unwrap();
        let error = config.engine().unwrap_err();
        assert_eq!(
            error,
            "engine.analysis_result_bytes_max is 4194304, at most 3670016: the store takes 4 MiB at once"
        );
    }
}
