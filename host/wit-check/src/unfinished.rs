//! What has to be there before a version can be released: documentation, and since when.

use wit_parser::{Docs, Stability, Type, TypeDefKind, TypeId};

use crate::package::Package;

/// Every item without documentation or `@since`.
pub(crate) fn problems(package: &Package) -> Vec<String> {
    let mut found = Vec::new();
    for (name, interface) in package.interfaces() {
        item(&format!("interface `{name}`"), &interface.docs, &interface.stability, &mut found);
        for (ty, id) in &interface.types {
            of_type(package, &format!("{name}.{ty}"), *id, &mut found);
        }
        for (function, described) in &interface.functions {
            item(&format!("`{name}.{function}`"), &described.docs, &described.stability, &mut found);
        }
    }
    for (name, world) in package.worlds() {
        item(&format!("world `{name}`"), &world.docs, &world.stability, &mut found);
    }
    found
}

fn of_type(package: &Package, name: &str, id: TypeId, found: &mut Vec<String>) {
    let Some(ty) = package.resolve.types.get(id) else { return };
    // A type that an interface uses from another one is documented there.
    let is_use = matches!(ty.kind, TypeDefKind::Type(Type::Id(used)) if package.resolve.types.get(used).is_some_and(|used| used.owner != ty.owner));
    if is_use {
        without_since(&format!("`{name}`"), &ty.stability, found);
        return;
    }
    item(&format!("`{name}`"), &ty.docs, &ty.stability, found);
    let parts: Vec<(&str, &Docs)> = match &ty.kind {
        TypeDefKind::Record(record) => {
            record.fields.iter().map(|field| (&*field.name, &field.docs)).collect()
        }
        TypeDefKind::Variant(variant) => variant.cases.iter().map(|case| (&*case.name, &case.docs)).collect(),
        TypeDefKind::Enum(cases) => cases.cases.iter().map(|case| (&*case.name, &case.docs)).collect(),
        TypeDefKind::Flags(flags) => flags.flags.iter().map(|flag| (&*flag.name, &flag.docs)).collect(),
        _ => Vec::new(),
    };
    for (part, docs) in parts {
        without_docs(&format!("`{name}.{part}`"), docs, found);
    }
}

fn item(what: &str, docs: &Docs, stability: &Stability, found: &mut Vec<String>) {
    without_docs(what, docs, found);
    without_since(what, stability, found);
}

fn without_docs(what: &str, docs: &Docs, found: &mut Vec<String>) {
    if docs.contents.as_deref().is_none_or(|text| text.trim().is_empty()) {
        found.push(format!("{what} has no documentation"));
    }
}

fn without_since(what: &str, stability: &Stability, found: &mut Vec<String>) {
    if !matches!(stability, Stability::Stable { .. }) {
        found.push(format!("{what} has no `@since`"));
    }
}
