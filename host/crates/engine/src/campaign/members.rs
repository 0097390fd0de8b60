//! The members of a campaign: records of the object `campaign_member`.

use std::collections::{BTreeMap, HashMap};

use trellis_model::{FieldName, Filter, ObjectDefinition, Op, Record, RecordId, Scope, Value};
use trellis_records::{FieldChanges, Query, Schema, Write};

use super::{change::Change, object};
use crate::{Error, Result, core::Core};

/// Members of a page.
const PAGE_ROWS: usize = 200;

/// A member of a campaign.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Member {
    pub(super) id: RecordId,
    pub(super) account: RecordId,
    /// An option of the field `status`.
    pub(super) status: String,
    /// `None` is the hold-out group.
    pub(super) variant: Option<String>,
    pub(super) responded: bool,
    /// 0 where it is not stored yet.
    pub(super) version: u64,
}

/// What makes a member unique.
pub(super) fn external_id(campaign: RecordId, account: RecordId) -> String {
    format!("{campaign}:{account}")
}

/// Every member of a campaign, by account.
pub(super) async fn of_campaign(core: &Core, campaign: RecordId) -> Result<HashMap<RecordId, Member>> {
    let filter =
        Filter::compare("campaign", Op::Eq, campaign.to_string()).expect("`campaign` is a field's name");
    let mut query = Query { filter, limit: PAGE_ROWS, ..Query::new(object("campaign_member")) };
    let mut members = HashMap::new();
    loop {
        let page = core.records.list(&Scope::everything(), &query).await?;
        let found = page.records.iter().filter_map(|record| member(core, record));
        members.extend(found.map(|member| (member.account, member)));
        match page.next {
            Some(next) => query.after = Some(next),
            None => return Ok(members),
        }
    }
}

/// The member that an account is, if it is one.
pub(super) async fn of_account(core: &Core, campaign: RecordId, account: RecordId) -> Result<Option<Member>> {
    let field = FieldName::new("external_id").expect("a standard field has a name");
    let value = Value::Text(external_id(campaign, account));
    let found =
        core.records.find_by(&Scope::everything(), &object("campaign_member"), &field, &value).await?;
    Ok(found.and_then(|record| member(core, &record)))
}

/// The member of an id.
pub(super) async fn get(core: &Core, id: RecordId) -> Result<Option<Member>> {
    let found = core.records.get(&Scope::everything(), &object("campaign_member"), id).await?;
    Ok(found.and_then(|record| member(core, &record)))
}

fn member(core: &Core, record: &Record) -> Option<Member> {
    of_record(&core.records.schema(), record)
}

/// The member that a record is.
pub(super) fn of_record(schema: &Schema, record: &Record) -> Option<Member> {
    let object = schema.object_by_id(record.object)?;
    let value = |field| value(object, record, field);
    let text = |field| match value(field) {
        Some(Value::Text(text) | Value::Choice(text)) => Some(text.clone()),
        _ => None,
    };
    let Some(Value::Reference(account)) = value("account") else { return None };
    Some(Member {
        id: record.id,
        account: *account,
        status: text("status")?,
        variant: text("variant"),
        responded: value("responded_at").is_some(),
        version: record.version,
    })
}

fn value<'a>(object: &ObjectDefinition, record: &'a Record, field: &str) -> Option<&'a Value> {
    record.fields.get(&object.field(field)?.id)
}

/// The write that makes a change.
pub(super) fn write(core: &Core, campaign: RecordId, change: &Change, after: &Member) -> Result<Write> {
    let named: Vec<(&str, Option<Value>)> = match change {
        Change::Create { account, variant } => vec![
            ("external_id", Some(Value::Text(external_id(campaign, *account)))),
            ("campaign", Some(Value::Reference(campaign))),
            ("account", Some(Value::Reference(*account))),
            ("status", Some(Value::Choice(after.status.clone()))),
            ("variant", variant.clone().map(Value::Text)),
        ],
        Change::Suppress { cause, .. } => vec![
            ("status", Some(Value::Choice(after.status.clone()))),
            ("cause", cause.clone().map(Value::Text)),
        ],
        Change::Plan { .. } => vec![("status", Some(Value::Choice(after.status.clone()))), ("cause", None)],
    };
    let changes = fields(core, named)?;
    Ok(match change {
        Change::Create { .. } => Write::Create {
            object: object("campaign_member"),
            fields: changes.into_iter().filter_map(|(id, value)| Some((id, value?))).collect(),
            id: Some(after.id),
        },
        Change::Suppress { member, .. } | Change::Plan { member } => update(member, changes),
    })
}

/// The write that notes that a member was contacted.
pub(super) fn contacted(core: &Core, member: &Member) -> Result<Write> {
    let status = vec![("status", Some(Value::Choice("contacted".to_owned())))];
    Ok(update(member, fields(core, status)?))
}

fn update(member: &Member, changes: FieldChanges) -> Write {
    let (object, expected_version) = (object("campaign_member"), Some(member.version));
    Write::Update { object, id: member.id, changes, expected_version }
}

fn fields(core: &Core, named: Vec<(&str, Option<Value>)>) -> Result<FieldChanges> {
    let name = |name| FieldName::new(name).expect("a standard field has a name");
    let named: BTreeMap<_, _> = named.into_iter().map(|(field, value)| (name(field), value)).collect();
    core.records.schema().fields(&object("campaign_member"), named).map_err(Error::from)
}
