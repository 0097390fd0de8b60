//! Which record a new one belongs to, where that is not simply a reference.

use trellis_model::{
    ChangeKind, FieldDefinition, FieldId, Fields, ObjectDefinition, Record, RecordId, Value, bilingual,
};

use super::prepare::Save;
use super::segment::Target;
use super::validate;
use crate::schema::Object;
use crate::timeline::PARENTED;
use crate::{FieldError, Result};

/// The reference that follows from others.
const ACCOUNT: &str = "account";
/// References that lead to the account, the nearest first.
const LEADS_TO_ACCOUNT: [&str; 7] = ["opportunity", "case", "quote", "contract", "order", "contact", "lead"];

impl Save<'_> {
    /// A comment, attachment or follower names its record by object and id: it must be there, and stay there until the commit.
    pub(super) async fn check_parent(
        &mut self,
        object: &Object,
        before: Option<&Record>,
        after: &Record,
        errors: &mut Vec<FieldError>,
    ) -> Result<()> {
        if !PARENTED.contains(&object.name.as_str()) {
            return Ok(());
        }
        let (Some(by_name), Some(by_id)) = (object.field("parent_object"), object.field("parent_id")) else {
            return Ok(());
        };
        let named = |record: &Record| {
            (record.fields.get(&by_name.id).cloned(), record.fields.get(&by_id.id).cloned())
        };
        if before.map(named) == Some(named(after)) {
            return Ok(());
        }
        let (Some(Value::Text(name)), Some(Value::Text(id))) = named(after) else { return Ok(()) };
        let Ok(parent) = name.parse().map_err(crate::Error::from).and_then(|name| self.records.object(&name))
        else {
            let message = bilingual!("there is no object `{name}`", "对象 `{name}` 不存在");
            errors.push(validate::wrong(by_name, "unknown_object", message));
            return Ok(());
        };
        let target = match RecordId::parse(&id) {
            // Written in another way, it would not be found.
            Ok(parsed) if parsed.to_string() == id => {
                self.target(&parent, parsed).await?.map(|target| (parsed, target))
            }
            _ => None,
        };
        match target {
            Some((parsed, Target { deleted: false, position, .. })) => {
                self.segment.expect.extend(position.map(|position| ((parent.id, parsed), position)));
            }
            _ => {
                let message = bilingual!("there is no {name} `{id}`", "{name} `{id}` 不存在");
                errors.push(validate::wrong(by_id, "unknown_reference", message));
            }
        }
        Ok(())
    }

    /// A new record that says which contact, deal or case it is about, but not which account, belongs to the account of that. So what
    /// happened with a company is found in one place.
    pub(super) async fn fill_account(&mut self, object: &Object, fields: &mut Fields) -> Result<()> {
        let Some(account) =
            reference(object, ACCOUNT, ACCOUNT).filter(|account| !fields.contains_key(&account.id))
        else {
            return Ok(());
        };
        for name in LEADS_TO_ACCOUNT {
            let given = reference(object, name, name).and_then(|field| fields.get(&field.id));
            let Some(Value::Reference(id)) = given else { continue };
            let Ok(object_name) = name.parse() else { continue };
            let target = self.records.object(&object_name)?;
            let Some(field) = reference(&target, ACCOUNT, ACCOUNT).map(|field| field.id) else { continue };
            if let Some(found) = self.account_of(&target, *id, field).await? {
                let accounts = self.records.object(&ACCOUNT.parse()?)?;
                // An account that the caller must not see, or that is deleted, is none to be filled in.
                if self.target(&accounts, found).await?.is_some_and(|target| !target.deleted) {
                    fields.insert(account.id, Value::Reference(found));
                    return Ok(());
                }
            }
        }
        Ok(())
    }

    async fn account_of(&self, object: &Object, id: RecordId, field: FieldId) -> Result<Option<RecordId>> {
        let row = self.segment.rows.iter().find(|row| row.after.id == id && row.object.id == object.id);
        let value = match row {
            Some(row) if row.kind != ChangeKind::Deleted => row.after.fields.get(&field).cloned(),
            Some(_) => None,
            None => self.records.load_field(object.id, id, field).await?,
        };
        Ok(match value {
            Some(Value::Reference(account)) => Some(account),
            _ => None,
        })
    }
}

/// The field of a name, if it refers to the object.
fn reference<'a>(object: &'a ObjectDefinition, name: &str, to: &str) -> Option<&'a FieldDefinition> {
    use trellis_model::FieldType::Reference;
    object
        .field(name)
        .filter(|field| matches!(&field.field_type, Reference { object } if object.as_str() == to))
}
