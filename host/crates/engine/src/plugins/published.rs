//! Plugins that read what other plugins put out: who reads whom, that there is no circle, and what is made of personal data.

use std::collections::{BTreeMap, BTreeSet};

use trellis_model::{ObjectDefinition, Path, PluginId, Published, PublishedKind, Text};
use trellis_plugin_host::{
    Manifest,
    manifest::{Request, published_grant},
};

use super::{
    Registry,
    entry::{Entry, Installed},
    grants::Grants,
    personal::{self, Hidden},
};
use crate::{Error, Result};

/// Which enabled plugins read what others put out.
#[derive(Debug, Default)]
pub(super) struct Reads(BTreeMap<PluginId, Vec<(Published, PluginId)>>);

impl Reads {
    /// What the enabled plugins read; of one of them as it would be used.
    pub(super) fn of(plugins: &BTreeMap<PluginId, Entry>, instead: Option<(&PluginId, &Manifest)>) -> Self {
        let others = plugins.iter().filter(|(id, _)| instead.is_none_or(|(changed, _)| changed != *id));
        let others = others.filter_map(|(id, entry)| {
            let is_enabled = entry.usage.as_ref().is_some_and(|usage| usage.stored.enabled);
            is_enabled.then(|| Some((id.clone(), read_by(plugins, &configured(entry)?)))).flatten()
        });
        let instead = instead.map(|(id, manifest)| (id.clone(), read_by(plugins, manifest)));
        Self(others.chain(instead).filter(|(_, reads)| !reads.is_empty()).collect())
    }

    /// The way from a plugin over what it reads back to itself, if there is one.
    fn circle(&self, from: &PluginId) -> Option<Vec<(&PluginId, &Published)>> {
        let (mut way, mut seen) = (Vec::new(), BTreeSet::new());
        let (id, reads) = self.0.get_key_value(from)?;
        self.leads_to(from, (id, reads), &mut seen, &mut way).then_some(way)
    }

    fn leads_to<'a>(
        &'a self,
        to: &PluginId,
        (reader, reads): (&'a PluginId, &'a [(Published, PluginId)]),
        seen: &mut BTreeSet<&'a PluginId>,
        way: &mut Vec<(&'a PluginId, &'a Published)>,
    ) -> bool {
        if !seen.insert(reader) {
            return false;
        }
        for (published, by) in reads {
            way.push((reader, published));
            let next = self.0.get_key_value(by);
            if by == to || next.is_some_and(|(by, reads)| self.leads_to(to, (by, reads), seen, way)) {
                return true;
            }
            way.pop();
        }
        false
    }

    /// Plugins so that each comes after those whose results it reads.
    fn in_order(&self, ids: Vec<PluginId>) -> Vec<PluginId> {
        let (mut ordered, mut seen) = (Vec::with_capacity(ids.len()), BTreeSet::new());
        ids.iter().for_each(|id| self.put(id, &ids, &mut seen, &mut ordered));
        ordered
    }

    fn put<'a>(
        &'a self,
        id: &'a PluginId,
        ids: &[PluginId],
        seen: &mut BTreeSet<&'a PluginId>,
        ordered: &mut Vec<PluginId>,
    ) {
        if !seen.insert(id) {
            return;
        }
        for (_, by) in self.0.get(id).into_iter().flatten() {
            self.put(by, ids, seen, ordered);
        }
        if ids.contains(id) {
            ordered.push(id.clone());
        }
    }
}

impl Registry {
    /// The installed plugin that puts out a segmentation or score of this name, or does once it runs.
    pub(crate) fn publisher(&self, name: &str) -> Option<PluginId> {
        publisher(&self.plugins.read(), name)
    }

    /// Whether there is such a score, band or segmentation over an object, or will be once the plugin runs that puts it out.
    pub(crate) fn finds(&self, object: &ObjectDefinition, published: &Published) -> bool {
        let is_known = |kind: PublishedKind| {
            let path = Path::parse(&Published { kind, ..published.clone() }.to_string());
            path.is_ok_and(|path| self.records.knows_derived(object.id, &path))
        };
        // One that is known is what it is.
        is_known(published.kind)
            || !PublishedKind::ALL.into_iter().any(is_known) && self.puts_out(published.name.as_str())
    }

    /// Plugins so that each comes after those whose results it reads.
    pub(crate) fn in_reading_order(&self, ids: Vec<PluginId>) -> Vec<PluginId> {
        self.reads.read().in_order(ids)
    }

    /// Checks that a plugin, used so, would not read its own results, over others or not.
    ///
    /// # Errors
    /// [`Error::InvalidSettings`] names the whole circle.
    pub(super) fn check_circle(&self, id: &PluginId, manifest: &Manifest) -> Result<()> {
        let reads = Reads::of(&self.plugins.read(), Some((id, manifest)));
        let Some(way) = reads.circle(id) else { return Ok(()) };
        let steps: Vec<_> = way.iter().map(|(reader, read)| format!("`{reader}` reads `{read}`")).collect();
        let zh: Vec<_> = way.iter().map(|(reader, read)| format!("`{reader}` 读取 `{read}`")).collect();
        let reason = Text::new(
            format!("its results would depend on themselves: {}", steps.join(", ")),
            format!("其结果将依赖自身：{}", zh.join("，")),
        );
        Err(Error::InvalidSettings { plugin: id.clone(), reason })
    }

    /// Whether what a plugin put out is made of personal data.
    pub(crate) fn is_personal(&self, published: &Published) -> bool {
        self.is_made_of_personal(published, &mut BTreeSet::new())
    }

    fn is_made_of_personal(&self, published: &Published, seen: &mut BTreeSet<PluginId>) -> bool {
        let (manifest, grants) = {
            let plugins = self.plugins.read();
            let Some(id) = publisher(&plugins, published.name.as_str()) else { return false };
            let Some((entry, manifest)) =
                plugins.get(&id).and_then(|entry| Some((entry, configured(entry)?)))
            else {
                return false;
            };
            if !seen.insert(id) {
                return false;
            }
            let granted =
                entry.usage.as_ref().map_or_else(|| Some(Vec::new()), |usage| usage.stored.grants.clone());
            (manifest, Grants::new(granted))
        };
        let schema = self.records.schema();
        let reads: Vec<_> = manifest.reads_published().into_iter().cloned().collect();
        personal::sees(&manifest, &schema, &Hidden::of(&manifest, &schema, &grants))
            || reads.iter().any(|published| self.is_made_of_personal(published, seen))
    }

    /// What a plugin may not see of what its manifest, completed by a configuration, reads.
    pub(crate) fn hidden(&self, manifest: &Manifest, grants: &Grants) -> Hidden {
        let hidden = Hidden::of(manifest, &self.records.schema(), grants);
        let of_results = manifest.datasets.iter().flat_map(|dataset| {
            let published = dataset.columns.iter().filter_map(|column| column.published());
            published.map(|published| (published_grant(&dataset.object, published), published))
        });
        let unnamed = of_results.filter(|(grant, _)| !grants.name(grant));
        let published =
            unnamed.map(|(_, published)| published).filter(|published| self.is_personal(published));
        hidden.hiding(published.cloned().collect())
    }

    /// Marks those requests that are about results which are made of personal data.
    pub(super) fn mark_personal(&self, manifest: &Manifest, requests: &mut [Request]) {
        for dataset in &manifest.datasets {
            for published in dataset.columns.iter().filter_map(|column| column.published()) {
                let grant = published_grant(&dataset.object, published);
                let asked = requests.iter_mut().find(|request| request.grant == grant);
                if let Some(request) =
                    asked.filter(|request| !request.personal && self.is_personal(published))
                {
                    request.personal = true;
                    request.text.en.push_str(", which is made of personal data");
                    request.text.zh_cn.push_str("（由个人信息得出）");
                }
            }
        }
    }
}

/// The manifest of a plugin as it is used, or was before it was disabled.
fn configured(entry: &Entry) -> Option<Manifest> {
    let usage = entry.usage.as_ref()?;
    let inspection = entry.versions.get(&usage.version)?.inspection.as_ref().ok()?;
    let config = serde_json::from_str(&usage.stored.config).ok()?;
    Some(inspection.manifest.configured(&config))
}

fn read_by(plugins: &BTreeMap<PluginId, Entry>, manifest: &Manifest) -> Vec<(Published, PluginId)> {
    let reads = manifest.reads_published().into_iter();
    reads.filter_map(|read| Some((read.clone(), publisher(plugins, read.name.as_str())?))).collect()
}

fn publisher(plugins: &BTreeMap<PluginId, Entry>, name: &str) -> Option<PluginId> {
    let puts_out = |(id, entry): &(&PluginId, &Entry)| {
        let by_prefix = name.strip_prefix(&id.prefix()).is_some_and(|rest| rest.starts_with("__"));
        let aliased = |installed: &Installed| {
            let manifest = installed.inspection.as_ref().ok().map(|inspection| &inspection.manifest);
            manifest.is_some_and(|manifest| {
                manifest.segmentation_aliases.contains_key(name) || manifest.score_aliases.contains_key(name)
            })
        };
        by_prefix || entry.versions.values().any(aliased)
    };
    plugins.iter().find(puts_out).map(|(id, _)| id.clone())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(id: &str) -> PluginId {
        PluginId::new(id).unwrap()
    }

    fn reads(edges: &[(&str, &str)]) -> Reads {
        let mut reads = Reads::default();
        for (reader, by) in edges {
            let published = Published::parse(&format!("score.{by}__value")).unwrap();
            reads.0.entry(id(reader)).or_default().push((published, id(by)));
        }
        reads
    }

    fn circle(edges: &[(&str, &str)], from: &str) -> Option<Vec<String>> {
        let reads = reads(edges);
        let way = reads.circle(&id(from))?;
        Some(way.iter().map(|(reader, read)| format!("{reader} {read}")).collect())
    }

    #[test]
    fn a_circle_is_found_and_told_step_by_step() {
        assert_eq!(circle(&[("aa", "aa")], "aa").unwrap(), ["aa score.aa__value"]);
        let round = [("aa", "dd"), ("aa", "bb"), ("bb", "cc"), ("cc", "aa")];
        let told = ["aa score.bb__value", "bb score.cc__value", "cc score.aa__value"];
        assert_eq!(circle(&round, "aa").unwrap(), told);
        assert_eq!(circle(&[("aa", "bb"), ("bb", "cc"), ("aa", "cc")], "aa"), None);
        assert_eq!(circle(&[("aa", "bb"), ("bb", "cc"), ("cc", "bb")], "aa"), None, "a circle of others");
    }

    #[test]
    fn who_is_read_comes_before_who_reads() {
        let order = |edges: &[(&str, &str)], ids: &[&str]| {
            let ordered = reads(edges).in_order(ids.iter().map(|name| id(name)).collect());
            ordered.iter().map(PluginId::to_string).collect::<Vec<_>>()
        };
        assert_eq!(order(&[], &["aa", "bb"]), ["aa", "bb"]);
        assert_eq!(order(&[("aa", "bb"), ("bb", "cc")], &["aa", "bb", "cc"]), ["cc", "bb", "aa"]);
        assert_eq!(order(&[("aa", "zz")], &["aa", "bb"]), ["aa", "bb"], "zz does not follow the data");
    }
}
