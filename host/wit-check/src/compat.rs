//! What a later minor version may change.

use std::collections::BTreeSet;

use wit_parser::{Interface, Resolve, Stability, WorldItem, WorldKey};

use crate::error::Result;
use crate::package::{Package, push};
use crate::shape;

/// Everything in which `new`, a later minor version, breaks a plugin that was built against `old`.
pub(crate) fn problems(old: &Package, new: &Package) -> Result<Vec<String>> {
    let mut problems = rules(old, new);
    // The rules say it better; the type checker is asked for what they may have missed.
    if problems.is_empty() {
        problems = type_checked(old, new)?;
    }
    Ok(problems)
}

fn rules(old: &Package, new: &Package) -> Vec<String> {
    let mut problems = Vec::new();
    let implemented = implemented_by_plugins(old);
    for (name, before) in old.interfaces() {
        match new.interfaces().find(|(found, _)| *found == name) {
            Some((_, after)) => {
                let both = Both { name, before, after, by_plugins: implemented.contains(name), old, new };
                both.types(&mut problems);
                both.functions(&mut problems);
            }
            None => problems.push(format!("interface `{name}` is gone")),
        }
    }
    worlds(old, new, &mut problems);
    new_worlds(old, new, &mut problems);
    for (name, added) in
        new.interfaces().filter(|(name, _)| old.interfaces().all(|(found, _)| found != *name))
    {
        since(&format!("interface `{name}`"), &added.stability, [old, new], &mut problems);
    }
    problems
}

/// The names of the interfaces that plugins export.
fn implemented_by_plugins(package: &Package) -> BTreeSet<&str> {
    let exported = package.worlds().flat_map(|(_, world)| world.exports.values());
    let name = |item: &WorldItem| match item {
        WorldItem::Interface { id, .. } => package.resolve.interfaces.get(*id)?.name.as_deref(),
        WorldItem::Function(_) | WorldItem::Type { .. } => None,
    };
    exported.filter_map(name).collect()
}

/// An interface in two versions.
struct Both<'a> {
    name: &'a str,
    before: &'a Interface,
    after: &'a Interface,
    /// Whether plugins implement it, and the host calls it.
    by_plugins: bool,
    old: &'a Package,
    new: &'a Package,
}

impl Both<'_> {
    /// Types may be added and never change: both sides were compiled with the old layout.
    fn types(&self, problems: &mut Vec<String>) {
        let name = self.name;
        for (ty, id) in &self.before.types {
            let was = shape::definition(&self.old.resolve, *id);
            let is = self.after.types.get(ty).map(|id| shape::definition(&self.new.resolve, *id));
            match is {
                None => problems.push(format!("`{name}.{ty}` is gone")),
                Some(is) if is != was => problems.push(format!("`{name}.{ty}` was {was} and is {is}")),
                Some(_) => {}
            }
        }
        for (ty, id) in self.after.types.iter().filter(|(ty, _)| !self.before.types.contains_key(*ty)) {
            if let Some(added) = self.new.resolve.types.get(*id) {
                since(&format!("`{name}.{ty}`"), &added.stability, [self.old, self.new], problems);
            }
        }
    }

    /// The host may offer more functions. A plugin that was built before does not have them, so what plugins implement stays as it is.
    fn functions(&self, problems: &mut Vec<String>) {
        let name = self.name;
        for (function, before) in &self.before.functions {
            let was = shape::function(&self.old.resolve, before);
            let is =
                self.after.functions.get(function).map(|found| shape::function(&self.new.resolve, found));
            match is {
                None => problems.push(format!("`{name}.{function}` is gone")),
                Some(is) if is != was => problems.push(format!("`{name}.{function}` was {was} and is {is}")),
                Some(_) => {}
            }
        }
        for (function, added) in &self.after.functions {
            if self.before.functions.contains_key(function) {
                continue;
            }
            if self.by_plugins {
                problems.push(format!(
                    "`{name}.{function}` is new, but plugins implement `{name}`, and those of {} do not have it: make a new interface",
                    self.old.version
                ));
            } else {
                since(&format!("`{name}.{function}`"), &added.stability, [self.old, self.new], problems);
            }
        }
    }
}

/// Whether only the patch version differs. A host runs every plugin of its minor version, whatever the patch, so that a patch adds nothing.
fn is_patch([old, new]: [&Package; 2]) -> bool {
    (old.version.major, old.version.minor) == (new.version.major, new.version.minor)
}

/// What is new says since when: later than what was released.
fn since(what: &str, stability: &Stability, [old, new]: [&Package; 2], problems: &mut Vec<String>) {
    let fine = matches!(stability, Stability::Stable { since, .. } if *since > old.version);
    if is_patch([old, new]) {
        problems.push(format!(
            "{what} is new, and a patch of {} adds nothing: raise the minor version",
            old.version
        ));
    } else if !fine {
        problems.push(format!("{what} is new and needs `@since` with a version above {}", old.version));
    }
}

/// A world keeps its imports and exports; it may import more.
fn worlds(old: &Package, new: &Package, problems: &mut Vec<String>) {
    for (name, before) in old.worlds() {
        let Some((_, after)) = new.worlds().find(|(found, _)| *found == name) else {
            problems.push(format!("world `{name}` is gone"));
            continue;
        };
        let keys = |resolve: &Resolve, items: Vec<&WorldKey>| -> BTreeSet<String> {
            items.into_iter().map(|key| key_name(resolve, key)).collect()
        };
        let of = |package: &Package, world: &wit_parser::World| {
            let imports = keys(&package.resolve, world.imports.keys().collect());
            (imports, keys(&package.resolve, world.exports.keys().collect()))
        };
        let ((imports, exports), (imports_now, exports_now)) = (of(old, before), of(new, after));
        for added in imports_now.difference(&imports).filter(|_| is_patch([old, new])) {
            problems.push(format!(
                "world `{name}` imports `{added}`, and a patch of {} adds nothing: raise the minor version",
                old.version
            ));
        }
        for gone in imports.difference(&imports_now) {
            problems.push(format!("world `{name}` no longer imports `{gone}`"));
        }
        for gone in exports.difference(&exports_now) {
            problems.push(format!("world `{name}` no longer exports `{gone}`"));
        }
        for added in exports_now.difference(&exports) {
            problems.push(format!(
                "world `{name}` exports `{added}`, which plugins of {} do not: make a new world",
                old.version
            ));
        }
    }
}

/// The worlds that are new.
fn new_worlds(old: &Package, new: &Package, problems: &mut Vec<String>) {
    for (name, added) in new.worlds().filter(|(name, _)| old.worlds().all(|(found, _)| found != *name)) {
        since(&format!("world `{name}`"), &added.stability, [old, new], problems);
    }
}

fn key_name(resolve: &Resolve, key: &WorldKey) -> String {
    match key {
        WorldKey::Name(name) => name.clone(),
        WorldKey::Interface(id) => {
            let name = resolve.interfaces.get(*id).and_then(|interface| interface.name.clone());
            name.unwrap_or_default()
        }
    }
}

/// Asks the type checker of the component model, world by world.
fn type_checked(old: &Package, new: &Package) -> Result<Vec<String>> {
    let mut both = Resolve::default();
    let (before, after) = (push(&mut both, &old.folder)?, push(&mut both, &new.folder)?);
    let mut problems = Vec::new();
    for (name, world) in both.packages[before].worlds.clone() {
        let Some(now) = both.packages[after].worlds.get(&name) else { continue };
        if let Err(error) = wit_component::semver_check(both.clone(), world, *now) {
            problems.push(format!("world `{name}`: {error:#}"));
        }
    }
    Ok(problems)
}
