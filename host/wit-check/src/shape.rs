//! Types as texts that are the same exactly if the types are: names of packages without version, structure with every name and order.

use wit_parser::{Function, FunctionKind, Handle, Resolve, Type, TypeDefKind, TypeId, TypeOwner};

/// A type where it is used: by its name, if it has one.
pub(crate) fn used(resolve: &Resolve, ty: Type) -> String {
    match ty {
        Type::Id(id) => named(resolve, id).unwrap_or_else(|| definition(resolve, id)),
        primitive => format!("{primitive:?}").to_lowercase(),
    }
}

/// What a type is made of.
pub(crate) fn definition(resolve: &Resolve, id: TypeId) -> String {
    let each = |types: &[Type]| types.iter().map(|ty| used(resolve, *ty)).collect::<Vec<_>>().join(", ");
    let optional = |ty: Option<Type>| ty.map_or("_".to_owned(), |ty| used(resolve, ty));
    let Some(found) = resolve.types.get(id) else { return "unknown".to_owned() };
    match &found.kind {
        TypeDefKind::Record(record) => {
            let fields =
                record.fields.iter().map(|field| format!("{}: {}", field.name, used(resolve, field.ty)));
            format!("record {{ {} }}", fields.collect::<Vec<_>>().join(", "))
        }
        TypeDefKind::Variant(variant) => {
            let cases = variant.cases.iter().map(|case| format!("{}({})", case.name, optional(case.ty)));
            format!("variant {{ {} }}", cases.collect::<Vec<_>>().join(", "))
        }
        TypeDefKind::Enum(cases) => {
            let names = cases.cases.iter().map(|case| case.name.as_str());
            format!("enum {{ {} }}", names.collect::<Vec<_>>().join(", "))
        }
        TypeDefKind::Flags(flags) => {
            let names = flags.flags.iter().map(|flag| flag.name.as_str());
            format!("flags {{ {} }}", names.collect::<Vec<_>>().join(", "))
        }
        TypeDefKind::Resource => "resource".to_owned(),
        TypeDefKind::Handle(Handle::Own(resource)) => format!("own<{}>", used(resolve, Type::Id(*resource))),
        TypeDefKind::Handle(Handle::Borrow(resource)) => {
            format!("borrow<{}>", used(resolve, Type::Id(*resource)))
        }
        TypeDefKind::Tuple(tuple) => format!("tuple<{}>", each(&tuple.types)),
        TypeDefKind::Option(ty) => format!("option<{}>", used(resolve, *ty)),
        TypeDefKind::Result(result) => format!("result<{}, {}>", optional(result.ok), optional(result.err)),
        TypeDefKind::List(ty) => format!("list<{}>", used(resolve, *ty)),
        TypeDefKind::Map(key, value) => format!("map<{}, {}>", used(resolve, *key), used(resolve, *value)),
        TypeDefKind::FixedLengthList(ty, length) => format!("list<{}, {length}>", used(resolve, *ty)),
        TypeDefKind::Future(ty) => format!("future<{}>", optional(*ty)),
        TypeDefKind::Stream(ty) => format!("stream<{}>", optional(*ty)),
        TypeDefKind::Type(ty) => format!("type {}", used(resolve, *ty)),
        TypeDefKind::Unknown => "unknown".to_owned(),
    }
}

/// A function with its parameters, their names included: bindings have them; and whether it is called as usual or asynchronously.
pub(crate) fn function(resolve: &Resolve, function: &Function) -> String {
    let params = function.params.iter().map(|param| format!("{}: {}", param.name, used(resolve, param.ty)));
    let result = function.result.map_or(String::new(), |ty| format!(" -> {}", used(resolve, ty)));
    let is_async = matches!(
        function.kind,
        FunctionKind::AsyncFreestanding | FunctionKind::AsyncMethod(_) | FunctionKind::AsyncStatic(_)
    );
    let kind = if is_async { "async func" } else { "func" };
    format!("{kind}({}){result}", params.collect::<Vec<_>>().join(", "))
}

/// `interface.type`.
fn named(resolve: &Resolve, id: TypeId) -> Option<String> {
    let found = resolve.types.get(id)?;
    let name = found.name.as_deref()?;
    match found.owner {
        TypeOwner::Interface(owner) => {
            let interface = resolve.interfaces.get(owner)?;
            Some(format!("{}.{name}", interface.name.as_deref().unwrap_or_default()))
        }
        TypeOwner::World(_) | TypeOwner::None => Some(name.to_owned()),
    }
}
